"""The few kinds of operators a model knows, and which kind an engine's free name for an operator is."""

from __future__ import annotations

from functools import lru_cache

# The first kind one of whose words is in the lower-case name without spaces; our choice, from the names of Spark,
# Presto, DuckDB and this engine. Joins come first: BroadcastHashJoin and ShuffledHashJoin move nothing themselves.
WORDS: dict[str, tuple[str, ...]] = {
    "join": ("join", "nestedloop", "cartesian", "crossproduct"),
    "broadcast": ("broadcast",),
    "exchange": ("exchange", "shuffle", "repartition", "gather", "parallelize"),
    "aggregate": ("aggregate", "groupby", "distinct"),
    "sort": ("sort", "topn", "takeordered", "orderby"),
    "window": ("window",),
    "udf": ("udf", "python", "mapinpandas", "mappartitions", "infer", "predict"),
    "scan": ("scan", "relation", "tablereader", "localtable", "range", "values"),
    "filter": ("filter",),
    "union": ("union", "intersect", "except"),
    "limit": ("limit", "sample"),
    "write": ("write", "insert", "sink", "command"),
    "project": ("project", "expand", "generate", "unnest", "columnar"),
    "codegen": ("codegen",),
}
OTHER = "other"
KINDS = (*WORDS, OTHER)


@lru_cache(maxsize=4096)
def kind_of(name: str) -> str:
    """The kind of an operator.

    >>> [kind_of(name) for name in ("Scan parquet ", "SortMergeJoin", "BroadcastExchange", "HASH_GROUP_BY", "Magic")]
    ['scan', 'join', 'broadcast', 'aggregate', 'other']
    """
    plain = name.lower().replace(" ", "").replace("_", "")
    return next((kind for kind, words in WORDS.items() if any(word in plain for word in words)), OTHER)
