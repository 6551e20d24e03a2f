"""Models inside the database: a store, batch inference and model families.

Empty in this version; the dialect already reads their statements.
"""
