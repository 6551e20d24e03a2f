"""The tree nodes that ParetoSQL adds to sqlglot's, and the questions asked of any tree: is it ours, and where is it.

Named options (`method => 'gee'`, and `epochs = 5` in CREATE MODEL) are always `exp.Kwarg` nodes whose `this` is a lower
case `exp.Var`; `options_of` reads them as a dictionary. Positions are character offsets in the text given to `parse`,
kept in `node.meta` as sqlglot keeps those of its identifiers: `start` and `end`, both inclusive.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import ClassVar

import sqlglot.parser
from sqlglot import exp

from paretosql.engine.signatures import AGGREGATES, SCALARS
from paretosql.errors import InterfaceError, ProgrammingError, Spot, compose
from paretosql.udfs.verbs import VERBS as _VERBS

if not sqlglot.parser.__file__.endswith(".py"):
    raise InterfaceError(
        compose(
            "the compiled sqlglot cannot be extended",
            hint="install the plain one: pip uninstall sqlglotc, then pip install --force-reinstall 'sqlglot>=30,<31'.",
        )
    )

VERBS = tuple(_VERBS)
CALLS = (*AGGREGATES, *SCALARS, "ndv_report", "trace_simulate")  # functions that are ours by their name alone
SETTINGS = ("objective", "latency_weight", "cluster")
EXPLAIN_MODES = ("ANALYZE", "STAGES", "RESOURCES", "FRONTIER")


class ParseError(ProgrammingError):
    """The text is not a statement of the dialect. `spot` is the place, None when there is none to show."""

    def __init__(self, problem: str, spot: Spot | None = None, hint: str | None = None) -> None:
        super().__init__(compose(problem, spot, hint))
        self.problem, self.spot, self.hint = problem, spot, hint


class Infix(exp.Expression, exp.Binary, exp.Func):
    """A binary operator that sqlglot has no faithful node for: `**`, `^`, `<=>`; `op` is its text."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "expression": True, "op": True}


class Prefix(exp.Unary, exp.Func):
    """A prefix operator that sqlglot would drop or turn into a call, `@` and `+`; `op` is its text."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "op": True}


class NdvCall(exp.Expression, exp.AggFunc):
    """`ndv(x, name => value ...)` and the other `AGGREGATES`, whose name is `function`.

    `this` is `x`, or `exp.Distinct` around it when DISTINCT is written; `weight` the second argument of `ndv_sum`.
    """

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "function": True, "weight": False, "options": False}


class SketchCall(exp.Expression, exp.Func):
    """One of `SCALARS`: `this` is a stored sketch, `function` the name of what is done with it."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "function": True, "options": False}


class NdvReport(exp.Expression, exp.Func):
    """`ndv_report(source, name => value ...)` in FROM; `this` is a Table, a Subquery, or a string or parameter."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "options": False}


class TraceSimulate(exp.Expression, exp.Func):
    """`trace_simulate('file', name => value ...)` in FROM."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "options": False}


class ModelCall(exp.Expression, exp.Func):
    """`verb(MODEL this [, TABLE t | (query)] [, expression ...] [, name => value ...])`.

    `verb` is one of `VERBS` (a string), `this` the model as a Table, `source` a Table or Subquery when rows come from a
    table, `expressions` the columns of the scalar form.
    """

    arg_types: ClassVar[dict[str, bool]] = {
        "this": True,
        "verb": True,
        "source": False,
        "expressions": False,
        "options": False,
    }


class CreateModel(exp.Expression):
    """CREATE MODEL; `transform` is a list of Alias, `options` a list of Kwarg, `expression` the training query."""

    arg_types: ClassVar[dict[str, bool]] = {
        "this": True,
        "expression": True,
        "replace": False,
        "exists": False,
        "transform": False,
        "options": False,
    }


class DropModel(exp.Expression):
    """DROP MODEL [IF EXISTS] this."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "exists": False}


class ShowModels(exp.Expression):
    """SHOW MODELS, of names like the text `like` if there is one, or SHOW MODEL TYPES when `types` is set."""

    arg_types: ClassVar[dict[str, bool]] = {"types": False, "like": False}


class DescribeModel(exp.Expression):
    """DESCRIBE MODEL this."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True}


class Explain(exp.Expression):
    """EXPLAIN [mode] this; `mode` is '' or one of `EXPLAIN_MODES`, `style` DuckDB's own `(FORMAT json)` as written."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "mode": False, "style": False}


class AnalyzeSample(exp.Expression):
    """ANALYZE this [COLUMNS (a, b)] WITH SAMPLE rate; `columns` is a list of Identifier, None for all of them."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "columns": False, "rate": True}


class SetOurs(exp.Expression):
    """SET or RESET of one of `SETTINGS`: `this` is its lower-case name, `expression` the value, None for RESET.

    `scope` is '', 'SESSION', 'GLOBAL' or 'LOCAL'.
    """

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "expression": False, "scope": False}


OURS: tuple[type[exp.Expression], ...] = (
    NdvCall,
    SketchCall,
    NdvReport,
    TraceSimulate,
    ModelCall,
    CreateModel,
    DropModel,
    ShowModels,
    DescribeModel,
    AnalyzeSample,
    SetOurs,
)


def find_ours(tree: exp.Expr) -> Iterator[exp.Expr]:
    """The nodes of a tree that DuckDB cannot run, outermost first; EXPLAIN counts when its mode is ours."""
    for node in tree.walk():
        if isinstance(node, OURS) or (isinstance(node, Explain) and node.args.get("mode") not in ("", None, "ANALYZE")):
            yield node


def ours(tree: exp.Expr) -> bool:
    """Whether the statement needs our engine; False means DuckDB can have its original text."""
    return next(find_ours(tree), None) is not None


def options_of(node: exp.Expr) -> dict[str, exp.Expr]:
    """The named options of a call or of CREATE MODEL: lower-case name to value expression."""
    return {option.this.name: option.expression for option in node.args.get("options") or ()}


def option_node(node: exp.Expr, name: str) -> exp.Expr | None:
    """The Kwarg node of one option, for `spot_of`; None when it is not written."""
    return next((each for each in node.args.get("options") or () if each.this.name == name), None)


def spot_of(node: exp.Expr, sql: str) -> Spot | None:
    """Where a node stands in the text it was parsed from; None when nothing in it carries a position.

    A node of ours points at its own first word, any other node at the stretch its named parts cover.
    """
    own = node.meta.get("start")
    if own is not None:
        return Spot(sql, own, node.meta["end"] + 1 - own)
    parts = [part.meta for part in node.walk() if part.meta.get("start") is not None]
    if not parts:
        return None
    start = min(part["start"] for part in parts)
    return Spot(sql, start, max(part["end"] for part in parts) + 1 - start)


def function_name(node: exp.Expr) -> str:
    """The name DuckDB knows a call by; empty for other nodes."""
    if isinstance(node, (exp.Anonymous, exp.AnonymousAggFunc)):
        return node.this.name if isinstance(node.this, exp.Identifier) else str(node.this)
    return node.sql_name() if isinstance(node, exp.AggFunc) else ""


def own_nodes(root: exp.Expr) -> Iterator[exp.Expr]:
    """The nodes of an expression outside the subqueries in it; the root itself first."""
    yield root
    for child in root.iter_expressions():
        if not isinstance(child, exp.Query):
            yield from own_nodes(child)


def inner_nodes(root: exp.Expr) -> Iterator[exp.Expr]:
    """The same without the root; of a SELECT, what is its own and not of a query inside it."""
    return itertools.islice(own_nodes(root), 1, None)


def is_value(call: exp.Expr) -> bool:
    """Whether a call of a model stands where a value does, and not in FROM."""
    return isinstance(call, ModelCall) and not isinstance(call.parent, exp.Table)


def source_names(select: exp.Expr) -> set[str]:
    """Lower-case names and aliases that FROM gives its parts."""
    parts = [select.args.get("from_"), *(select.args.get("joins") or []), *(select.args.get("laterals") or [])]
    return {part.alias_or_name.lower() for part in parts if part is not None}


def counted(call: exp.Expr) -> exp.Expr:
    """The expression that a call of ndv counts, without a DISTINCT that changes nothing."""
    inner: exp.Expr = call.this
    return inner.expressions[0] if isinstance(inner, exp.Distinct) else inner


def call_name(call: exp.Expr) -> str:
    """The function that a call of ours names."""
    return str(call.args["function"])


def with_filter(call: exp.Expr) -> exp.Expr:
    """The call together with the FILTER clause around it, if there is one."""
    outer = call.parent
    return outer if isinstance(outer, exp.Filter) and call.arg_key == "this" else call


def holds(root: exp.Expr, node: exp.Expr) -> bool:
    """Whether `node` is `root` or stands below it."""
    above: exp.Expr | None = node
    while above is not None and above is not root:
        above = above.parent
    return above is root


def cte_levels(node: exp.Expr) -> Iterator[tuple[exp.With, list[exp.CTE]]]:
    """The WITH clauses around a node, innermost first, each with the common table expressions the node can see."""
    above: exp.Expr | None = node
    came_from: exp.Expr | None = None
    while above is not None:
        with_ = above.args.get("with_")
        if with_ is not None:
            ctes, recursive = with_.expressions, bool(with_.args.get("recursive"))
            if with_ is came_from:  # inside one of them only the earlier ones are seen, and itself when recursive
                at = next(at for at, cte in enumerate(ctes) if holds(cte, node))
                ctes = ctes[: at + recursive]
            yield with_, ctes
        above, came_from = above.parent, above
