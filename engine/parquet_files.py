"""Which files a scan in FROM names: 'a.parquet', 'folder/*.parquet', read_parquet(['a.parquet', ..])."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from sqlglot import exp

from paretosql.engine.catalog import Catalog

_FUNCTIONS = ("read_parquet", "parquet_scan")
_ENDINGS = (".parquet", ".parq")  # DuckDB reads a name in FROM as a file by its ending


def parquet_paths(table: exp.Table, catalog: Catalog) -> tuple[str, ...] | None:
    """The local files that a scan reads, in DuckDB's order; None when it scans something else."""
    named = _named(table, catalog)
    if named is None or any("://" in each for each in named):
        return None
    found: list[str] = []
    for each in named:
        rows = catalog.session.con.execute("SELECT file FROM glob($pattern) ORDER BY file", {"pattern": each})
        found += [file for (file,) in rows.fetchall()]
    return tuple(found) or None


def scan_name(table: exp.Table) -> str:
    """What other parts of a query may call a scan without an alias."""
    if isinstance(table.this, exp.Identifier):
        return PurePath(table.name).stem if table.name.lower().endswith(_ENDINGS) else table.name
    return _function(table)


def _function(table: exp.Table) -> str:
    return str(table.this.this).lower() if isinstance(table.this, exp.Anonymous) else ""


def _named(table: exp.Table, catalog: Catalog) -> list[str] | None:
    """The paths and patterns as written."""
    if isinstance(table.this, exp.Identifier):
        is_file = not table.db and table.name.lower().endswith(_ENDINGS) and not catalog.has_relation(table.name)
        return [table.name] if is_file else None
    if _function(table) not in _FUNCTIONS:
        return None
    first = table.this.expressions[0] if table.this.expressions else None
    return _strings(_value(first, catalog))


def _value(node: exp.Expr | None, catalog: Catalog) -> Any:
    if isinstance(node, exp.Placeholder):
        return catalog.parameters.get(str(node.this))
    if isinstance(node, exp.Array):
        return [_value(each, catalog) for each in node.expressions]
    return node.this if isinstance(node, exp.Literal) and node.is_string else None


def _strings(value: Any) -> list[str] | None:
    values = value if isinstance(value, list) else [value]
    return values if values and all(isinstance(each, str) for each in values) else None
