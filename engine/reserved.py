"""Statements that the dialect reads and this version does not run: each says so, and what works today."""

from __future__ import annotations

from sqlglot import exp

from paretosql.engine.nodes import (
    CreateModel,
    DescribeModel,
    DropModel,
    Explain,
    ModelCall,
    SetOurs,
    ShowModels,
    spot_of,
)
from paretosql.errors import NotSupportedError, compose

_MODELS = "models are not part of this version"
_SQL = "SQL, ndv(...) and ndv_report(...) work today"
_ABSENT: dict[type[exp.Expr], tuple[str, str]] = {
    CreateModel: (f"CREATE MODEL: {_MODELS}", _SQL),
    DropModel: (f"DROP MODEL: {_MODELS}", _SQL),
    ShowModels: (f"SHOW MODELS: {_MODELS}", _SQL),
    DescribeModel: (f"DESCRIBE MODEL: {_MODELS}", _SQL),
    ModelCall: (f"a call with MODEL: {_MODELS}", _SQL),
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
