"""Prints trees of our dialect back to text that parses to the same tree."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.generator import Generator

from paretosql.engine.faithful import FaithfulGenerator
from paretosql.engine.nodes import (
    AnalyzeSample,
    CreateModel,
    DescribeModel,
    DropModel,
    Explain,
    ModelCall,
    NdvCall,
    NdvReport,
    SetOurs,
    ShowModels,
    SketchCall,
    TraceSimulate,
)


def _ndvcall(self: Generator, node: NdvCall) -> str:
    values = [self.sql(node, key) for key in ("this", "weight") if node.args.get(key) is not None]
    return f"{node.args['function']}({', '.join([*values, *map(self.sql, node.args.get('options') or ())])})"


def _sketchcall(self: Generator, node: SketchCall) -> str:
    return _call(self, node.args["function"], node)


def _analyzesample(self: Generator, node: AnalyzeSample) -> str:
    columns = node.args.get("columns")
    listed = f" COLUMNS ({', '.join(map(self.sql, columns))})" if columns else ""
    return f"ANALYZE {self.sql(node, 'this')}{listed} WITH SAMPLE {self.sql(node, 'rate')}"


def _ndvreport(self: Generator, node: NdvReport) -> str:
    return _call(self, "ndv_report", node)


def _tracesimulate(self: Generator, node: TraceSimulate) -> str:
    return _call(self, "trace_simulate", node)


def _modelcall(self: Generator, node: ModelCall) -> str:
    parts = [f"MODEL {self.sql(node, 'this')}"]
    if node.args.get("source") is not None:
        parts.append(_source(self, node.args["source"]))
    parts += [self.sql(each) for each in (*node.expressions, *(node.args.get("options") or ()))]
    return f"{node.args['verb']}({', '.join(parts)})"


def _createmodel(self: Generator, node: CreateModel) -> str:
    parts = ["CREATE OR REPLACE MODEL" if node.args.get("replace") else "CREATE MODEL"]
    if node.args.get("exists"):
        parts.append("IF NOT EXISTS")
    parts.append(self.sql(node, "this"))
    if node.args.get("transform"):
        parts.append(f"TRANSFORM ({self.expressions(node, key='transform', flat=True)})")
    if node.args.get("options") is not None:
        options = (f"{each.this.name} = {self.sql(each, 'expression')}" for each in node.args["options"])
        parts.append(f"OPTIONS ({', '.join(options)})")
    return f"{' '.join(parts)} AS {self.sql(node, 'expression')}"


def _dropmodel(self: Generator, node: DropModel) -> str:
    return f"DROP MODEL {'IF EXISTS ' if node.args.get('exists') else ''}{self.sql(node, 'this')}"


def _showmodels(self: Generator, node: ShowModels) -> str:
    like = f" LIKE {self.sql(node, 'like')}" if node.args.get("like") is not None else ""
    return "SHOW MODEL TYPES" if node.args.get("types") else f"SHOW MODELS{like}"


def _describemodel(self: Generator, node: DescribeModel) -> str:
    return f"DESCRIBE MODEL {self.sql(node, 'this')}"


def _explain(self: Generator, node: Explain) -> str:
    words = ["EXPLAIN", node.args.get("style") or node.args.get("mode") or "", self.sql(node, "this")]
    return " ".join(word for word in words if word)


def _setours(self: Generator, node: SetOurs) -> str:
    value = node.args.get("expression")
    words = ["RESET" if value is None else "SET", node.args.get("scope") or "", str(node.this)]
    text = " ".join(word for word in words if word)
    return text if value is None else f"{text} = {self.sql(value)}"


def _call(self: Generator, name: str, node: exp.Expr) -> str:
    first = _source(self, node.this) if isinstance(node.this, (exp.Table, exp.Subquery)) else self.sql(node, "this")
    return f"{name}({', '.join([first, *(self.sql(each) for each in node.args.get('options') or ())])})"


def _source(self: Generator, source: exp.Expr) -> str:
    return f"TABLE {self.sql(source)}" if isinstance(source, exp.Table) else self.sql(source)


class ParetoGenerator(FaithfulGenerator):
    """The faithful generator with our nodes."""

    TRANSFORMS: ClassVar[dict[Any, Any]] = {
        **FaithfulGenerator.TRANSFORMS,
        NdvCall: _ndvcall,
        SketchCall: _sketchcall,
        AnalyzeSample: _analyzesample,
        NdvReport: _ndvreport,
        TraceSimulate: _tracesimulate,
        ModelCall: _modelcall,
        CreateModel: _createmodel,
        DropModel: _dropmodel,
        ShowModels: _showmodels,
        DescribeModel: _describemodel,
        Explain: _explain,
        SetOurs: _setours,
    }
