"""Values on their way to a sketch: cast where Arrow would blur them, refused where a collation would.

A sketch hashes what Arrow carries, byte for byte. For a few SQL types that is not what SQL calls equal.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from paretosql.engine.catalog import Catalog
from paretosql.engine.nodes import spot_of
from paretosql.errors import NotSupportedError, compose

# types whose values Arrow cannot tell apart, or spells in several ways, and a type that keeps them apart
_BLURRED = {"TIME WITH TIME ZONE": exp.DType.VARCHAR, "UHUGEINT": exp.DType.VARCHAR, "VARIANT": exp.DType.JSON}

_FOLDED = frozenset({"lower", "lcase", "upper", "ucase", "strip_accents", "icu_sort_key"})


def distinct_in_arrow(value: exp.Expr, sql: str) -> exp.Expr:
    """The value, cast when Arrow would make equal what differs; `sql` is its type."""
    if sql.startswith("UNION("):  # Arrow's unions have no NULL of their own
        return exp.Case(ifs=[exp.If(this=exp.Not(this=value.copy().is_(exp.null())), true=_pair(value))])
    for name, target in _BLURRED.items():
        if name in sql:
            return exp.cast(value, target)
    return value


def _pair(value: exp.Expr) -> exp.Expr:
    """Which member of a union, and its value."""
    tag, content = exp.Anonymous(this="union_tag", expressions=[value.copy()]), value.copy()
    return exp.Anonymous(
        this="row", expressions=[exp.cast(tag, exp.DType.VARCHAR), exp.cast(content, exp.DType.VARCHAR)]
    )


def refuse_collations(values: Iterable[tuple[exp.Expr, str]], catalog: Catalog, tables: set[str]) -> None:
    """Raise when a text may be compared by a collation, under which different bytes are equal.

    Args:
        values: expressions that are counted or grouped by, with their SQL types.
        tables: lower-case names of the relations that the statement reads.
    """
    for value, sql in values:
        if "VARCHAR" not in sql or _folded(value):
            continue
        if catalog.collates_by_default or value.find(exp.Collate) is not None or tables & catalog.collated_relations:
            hint = "fold the text yourself: ndv(lower(x)), GROUP BY lower(k)"
            problem = "ndv beside text with a collation is not supported: it would count by bytes"
            raise NotSupportedError(compose(problem, spot_of(value, catalog.text), hint))


def _folded(value: exp.Expr) -> bool:
    return isinstance(value, exp.Anonymous) and str(value.this).lower() in _FOLDED
