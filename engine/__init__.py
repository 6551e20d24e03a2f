"""The engine: SQL text in, Arrow out. Read the modules in the order the data flows.

    dbapi         the door: connections and cursors of PEP 249; `result` is the lazy form
    route         who runs a statement: DuckDB as it stands, or our plan
    statements    text to single statements; `binding`: their parameters
    prefilter     might a text be ours?
    dialect       text to trees; `parser`, `call_parser`, `nodes`, `signatures`, `generator`, `faithful`, `pieces`,
                  `depth` are its parts
    recognize     is a tree ours? `reserved`: what a later version will run
    counting      a statement that counts: planned, run, explained
    analyze       ANALYZE .. WITH SAMPLE, and `statistics`, the table it fills
    blocks        a tree to a plan, SELECT by SELECT; `views`, `stored` and `correlation` prepare the tree
    block         one SELECT: `scope`, `outputs`, `stand_in`, `grouping`, `options`, `parameters`, `countable`, `lift`
                  read it, `rows`, `sketching`, `relation` make its parts; `catalog` asks DuckDB about names
    table_functions  calls that are tables; `reports` and `simulations`: the two there are
    block_sampling  a query over drawn blocks of Parquet files: `leaf`, `parquet_files`, `row_groups`, `parquet_bounds`,
                  `dictionary_pages`; `block_state`: the operator over them
    plan          what a plan is: frozen steps; `explain`: a plan as rows
    run           runs the steps: `scan` feeds the operator in `aggregate` with batches from `fragment`; `record` notes
    tallies       what a call accumulates; `answers`: what it answers; `packing`: states as bytes
    scalars       the functions over one stored sketch, which DuckDB calls
    session       one DuckDB connection, its transaction and its open result; `files`, `names`, `workspace` help it
    stream        rows and Arrow batches on their way out; `values`, `types`, `timezones`: their Python form
    faults        errors of others into ours

The command line stands on top: `arguments`, `console`, `foreground`, `script`, `shell`, `prompt`, `commands`,
`completion`, `progress`; and for its output `render`, `glyphs`, `cells`, `formats`.
"""
