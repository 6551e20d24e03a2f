"""Statements that the dialect reads and this version does not run: each says so, and what works today."""

from __future__ import annotations

from sqlglot import exp

from paretosql.engine.nodes import (
    Explain,
    SetOurs,
    spot_of,
)
from paretosql.errors import NotSupportedError, compose

_ABSENT: dict[type[exp.Expr], tuple[str, str]] = {
    SetOurs: ("SET: the resource optimizer is not part of this version", "SET threads and SET memory_limit work today"),
    Explain: (
        "this form of EXPLAIN needs the resource optimizer, which is not part of this version",
        "EXPLAIN shows the plan, EXPLAIN ANALYZE what happened",
    ),
}


def refuse_reserved(node: exp.Expr, text: str) -> None:
    """Raise NotSupportedError when `node` is a statement or call of a later version."""
    if isinstance(node, Explain) and node.args.get("mode") in ("", None, "ANALYZE"):
        return
    if type(node) in _ABSENT:
        problem, hint = _ABSENT[type(node)]
        raise NotSupportedError(compose(problem, spot_of(node, text), hint))
