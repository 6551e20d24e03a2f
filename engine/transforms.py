"""TRANSFORM: expressions over the training rows that a model keeps, and applies to whatever it is asked about later.

A value about all training rows, written `avg(x) OVER ()` or as one of BigQuery's `ML.` functions, is computed once, in
training, and stands as a constant in the kept expression:

    TRANSFORM (ML.STANDARD_SCALER(x) OVER () AS x, label)   keeps   (x - 3.5) / nullif(1.2, 0)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlglot import exp

from paretosql.engine.catalog import Catalog
from paretosql.engine.dialect import Pareto, parse
from paretosql.engine.nodes import function_name, spot_of
from paretosql.errors import NotSupportedError, ProgrammingError, compose

# BigQuery's functions for TRANSFORM as expressions; {0}, {1} are their arguments, {n} a number among them
_MACROS: dict[str, str | dict[str, str]] = {
    "standard_scaler": "(({0} - avg({0}) OVER ()) / nullif(stddev_samp({0}) OVER (), 0))",
    "min_max_scaler": "(({0} - min({0}) OVER ()) / nullif(max({0}) OVER () - min({0}) OVER (), 0)::DOUBLE)",
    "max_abs_scaler": "({0} / nullif(max(abs({0})) OVER (), 0)::DOUBLE)",
    "robust_scaler": "(({0} - median({0}) OVER ())"
    " / nullif(quantile_cont({0}, 0.75) OVER () - quantile_cont({0}, 0.25) OVER (), 0))",
    "quantile_bucketize": "('bin_' || (1 + len(list_filter(quantile_cont({0},"
    " [q / ({1})::DOUBLE for q in range(1, {1})]) OVER (), lambda e: e < {0}))))",
    "bucketize": "('bin_' || (1 + len(list_filter({1}, lambda e: e <= {0}))))",
    "hash_bucketize": "(hash({0}) % {1})::VARCHAR",
    "label_encoder": "({0})::VARCHAR",
    "one_hot_encoder": "({0})::VARCHAR",
    "imputer": {
        "'mean'": "coalesce({0}, avg({0}) OVER ())",
        "'median'": "coalesce({0}, median({0}) OVER ())",
        "'most_frequent'": "coalesce({0}, mode({0}) OVER ())",
    },
}
Transform = Sequence[tuple[str, str]]


def transform_items(node: exp.Expr, columns: Sequence[str], text: str) -> list[tuple[str, exp.Expr]]:
    """The named expressions of a TRANSFORM clause, macros and stars spelt out.

    Raises:
        ProgrammingError: an expression without a name, two of the same name.
        NotSupportedError: a function that there is nothing for.
    """
    found: list[tuple[str, exp.Expr]] = []
    for item in node.args["transform"]:
        if isinstance(item, exp.Star):
            left_out = {each.name.lower() for each in item.args.get("except_") or []}
            found += [(name, _column(name)) for name in columns if name.lower() not in left_out]
            continue
        name, value = item.alias_or_name, item.unalias()
        if not name or (not isinstance(item, exp.Alias) and not isinstance(item, exp.Column)):
            raise ProgrammingError(
                compose("every expression in TRANSFORM needs a name", spot_of(item, text), "write expression AS name.")
            )
        found.append((name, _expanded(value.copy(), text)))
    names = [name.lower() for name, _ in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ProgrammingError(compose(f"TRANSFORM makes two columns called {twice!r}", hint="rename one of them."))
    return found


def refuse_unsteady(items: Sequence[tuple[str, exp.Expr]], catalog: Catalog) -> None:
    """NotSupportedError when an expression depends on more than its row: on rows beside it, on chance, on tables."""
    for name, value in items:
        for node in value.walk():
            what = _unsteady(node, catalog)
            if what:
                problem = f"{name} in TRANSFORM depends on {what}, and a prediction would depend on more than its row"
                hint = "avg(x) OVER () is about all training rows, and kept as a constant; the query can do the rest."
                raise NotSupportedError(compose(problem, spot_of(node, catalog.text), hint))


def _unsteady(node: exp.Expr, catalog: Catalog) -> str:
    """What beside its row a part of an expression depends on; nothing for most."""
    if isinstance(node, exp.Query):
        return "a query"
    function = function_name(node)
    if isinstance(node, exp.Window):
        inner = next((each for each in node.this.walk() if catalog.is_aggregate(function_name(each))), None)
        return "" if _about_all(node) and inner is not None else "rows beside it"
    if function and catalog.is_volatile(function):
        return f"{function.lower()}(), which differs from call to call"
    spoken = function or (node.sql_name() if isinstance(node, exp.Func) else "")  # current_date has no parentheses
    if catalog.is_momentary(spoken) or (spoken.lower() == "age" and len(node.expressions) == 1):
        return f"{spoken.lower()}{'()' if function else ''}, which tells of the moment, the session or a table"
    if function and catalog.is_aggregate(function) and node.find_ancestor(exp.Window) is None:
        return f"{function.lower()}(..) of all rows it is asked about"
    return ""


def _column(name: str) -> exp.Column:
    return exp.column(exp.to_identifier(name, quoted=True))


def _expanded(value: exp.Expr, text: str) -> exp.Expr:
    holder = exp.paren(value)
    for call in reversed(list(holder.find_all(exp.Dot))):
        owner, function = call.this, call.expression
        if not isinstance(owner, exp.Expr) or owner.name.lower() != "ml" or not isinstance(function, exp.Func):
            continue
        over = call.parent if isinstance(call.parent, exp.Window) else call
        over.replace(_macro(function, call, text))
    inner: exp.Expr = holder.this
    return inner


def _macro(function: exp.Expr, call: exp.Expr, text: str) -> exp.Expr:
    name = (function_name(function) or str(getattr(function, "sql_name", str)())).lower()
    template = _MACROS.get(name)
    given = [each.sql(dialect=Pareto) for each in (function.expressions or list(function.iter_expressions()))]
    if isinstance(template, dict):
        template = template.get(given[1].lower()) if len(given) > 1 else None
    if template is None:
        hint = f"there are {', '.join(sorted(f'ML.{each}'.upper() for each in _MACROS))}; plain SQL does the rest."
        raise NotSupportedError(compose(f"ML.{name.upper()} is not here", spot_of(call, text), hint))
    try:
        return _parsed(template.format(*(f"({each})" for each in given)))
    except IndexError:
        problem = f"ML.{name.upper()} needs another argument"
        raise ProgrammingError(compose(problem, spot_of(call, text), "see docs/models.md.")) from None


def _parsed(sql: str) -> exp.Expr:
    (tree,) = parse(f"SELECT {sql}")
    found: exp.Expr = tree.expressions[0].copy()
    for node in found.walk():
        node.meta.pop("start", None)  # a place in another text
    return found


Ask = Callable[[Sequence[str]], Sequence[Any]]


def with_constants(items: Sequence[tuple[str, exp.Expr]], ask: Ask) -> tuple[tuple[str, str], ...]:
    """The expressions as text, values about all training rows in it.

    Args:
        ask: values of aggregate expressions over the training rows.
    Raises:
        NotSupportedError: a value of a type that cannot be written down and read back as it was.
    """
    holders = [(name, exp.paren(value)) for name, value in items]
    windows = [(name, each) for name, holder in holders for each in holder.find_all(exp.Window) if _about_all(each)]
    values = [each.this.sql(dialect=Pareto) for _, each in windows]
    if windows:
        found = ask([part for each in values for part in (f"typeof({each})", f"CAST({each} AS VARCHAR)")])
        constants = [_constant(kind, text) for kind, text in zip(found[::2], found[1::2], strict=True)]
        written = [each.sql(dialect=Pareto) for each in constants]
        same = ask([f"{each} IS NOT DISTINCT FROM {value}" for each, value in zip(written, values, strict=True)])
        for (name, window), constant, kind, kept in zip(windows, constants, found[::2], same, strict=True):
            if not kept:
                hint = "compute it in the query, or cast it to a type that text can stand for."
                raise NotSupportedError(
                    compose(f"{name} in TRANSFORM holds a constant of type {kind}, which cannot be kept", hint=hint)
                )
            window.replace(constant)
    return tuple((name, holder.this.sql(dialect=Pareto)) for name, holder in holders)


def _about_all(window: exp.Expr) -> bool:
    return not any(window.args.get(part) for part in ("partition_by", "order", "spec"))


def _constant(kind: str, text: str | None) -> exp.Expr:
    """A value of an SQL type, from its text, as an expression of that type."""
    if text is not None and kind in ("DOUBLE", "INTEGER") and text.lstrip("-")[:1].isdigit():
        digits = text.lstrip("-")
        number = exp.Literal.number(f"{digits}e0" if kind == "DOUBLE" and "e" not in digits else digits)
        return exp.paren(exp.Neg(this=number)) if text.startswith("-") else number
    value = exp.null() if text is None else exp.Literal.string(text)
    if kind in ("VARCHAR", '"NULL"'):
        return value
    return _parsed(f"CAST({value.sql(dialect=Pareto)} AS {kind})")


def transformed(transform: Transform, name: str) -> exp.Expr | None:
    """The expression that makes a column; None when there is no such transform."""
    sql = next((sql for each, sql in transform if each.lower() == name.lower()), None)
    return None if sql is None else _parsed(sql)
