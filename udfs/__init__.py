"""Models inside the database: families that learn from Arrow rows, a store that keeps them, operators that ask them.

Reading order: `model` (what a family is), `verbs` (what a model can be asked), `options`, `rows`; then the two kinds of
families, `predictor` (rows of features) and `recommender` (who liked what), and `families/` with one file for each;
`store` keeps trained models, `batches` asks them.
"""
