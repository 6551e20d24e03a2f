"""The engine: SQL text in, Arrow out. Read the modules in the order the data flows.

    dbapi       the door: connections and cursors of PEP 249; `result` is the lazy form
    route       decides who runs a statement: DuckDB as it stands, or our plan
    statements  text to single statements          prefilter, dialect, parser, nodes: text to trees of our dialect
    blocks      a tree to a plan: fragments for DuckDB around operators of ours
    plan        what a plan is: frozen steps        explain: a plan as rows
    run         runs the steps of a plan            fragment: one relational piece on DuckDB; aggregate: the sketch operator
    session     one DuckDB connection, its transaction and its open result
    stream      rows and Arrow batches on their way out; values and types give them their Python form
    faults      foreign errors into ours            record: what happened while a plan ran
    shell, script, render, cells: the command line
"""
