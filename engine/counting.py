"""Statements with calls of ours: planned, run in one transaction, explained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlglot import exp

from paretosql.engine.analyze import analyze
from paretosql.engine.binding import Parameters
from paretosql.engine.blocks import plan
from paretosql.engine.catalog import Catalog
from paretosql.engine.explain import analyzed, explained
from paretosql.engine.faults import translated_names
from paretosql.engine.fragment import pick
from paretosql.engine.nodes import (
    AnalyzeSample,
    CreateModel,
    DescribeModel,
    DropModel,
    Explain,
    ModelCall,
    ShowModels,
    spot_of,
)
from paretosql.engine.parameters import name_parameters
from paretosql.engine.plan import Fragment, Plan
from paretosql.engine.recognize import changes, reads_only
from paretosql.engine.record import Progress, Recorder
from paretosql.engine.run import run_steps
from paretosql.engine.session import Outcome, Session
from paretosql.engine.statements import Statement, split
from paretosql.engine.types import Description
from paretosql.engine.views import storable, stubs
from paretosql.errors import NotSupportedError, compose

Watcher = Callable[[Progress], None] | None
_MADE = "SELECT function_name FROM duckdb_functions() WHERE NOT internal"
MODEL_STATEMENTS = (CreateModel, DropModel, ShowModels, DescribeModel)


def count(
    session: Session, tree: exp.Expr, text: str, parameters: Parameters, progress: Watcher, *, arrow: bool = False
) -> Outcome:
    """Run a statement that counts; `text` is what the user wrote, `tree` its parse, which is consumed."""
    session.free()
    if reads_only(tree):
        return _count(session, tree, text, parameters, progress, arrow=arrow)
    try:
        return _count(session, tree, text, parameters, progress, arrow=arrow)
    finally:
        session.work.disturbances += 1


def _count(
    session: Session, tree: exp.Expr, text: str, parameters: Parameters, progress: Watcher, *, arrow: bool
) -> Outcome:
    if isinstance(tree, Explain):
        return _explain(session, tree, text, parameters, progress)
    if isinstance(tree, AnalyzeSample):
        with session.changing(False), session.plan_transaction():
            analyze(session, tree, text, parameters, Recorder(progress=progress))
        return Outcome(None, -1)
    if isinstance(tree, MODEL_STATEMENTS):
        from paretosql.engine.model_statements import run_model_statement

        return run_model_statement(session, tree, text, parameters, progress)
    if isinstance(tree, exp.Create) and tree.args.get("kind") not in ("TABLE", "VIEW"):
        call = tree.find(ModelCall)
        problem = (
            f"{'ndv and models' if call is None else 'models'} in CREATE {tree.args.get('kind')} are not supported"
        )
        hint = "a view can count: CREATE VIEW"
        if call is not None:
            hint = "ask the model in a query; CREATE TABLE .. AS keeps its answers"
        raise NotSupportedError(compose(problem, None if call is None else spot_of(call, text), hint))
    if isinstance(tree, exp.Create) and tree.args.get("kind") == "VIEW":
        return _create_view(session, tree, text, parameters)
    with session.changing(changes(tree)), session.plan_transaction():
        made = _plan(session, tree, text, parameters)
        if isinstance(tree, exp.Describe):  # binding is enough
            session.work.settle(session.con)
        else:
            run_steps(session, made, text, Recorder(len(made.steps) + 1, progress))
        bound = pick(made.final, made.parameters) or None
        return session.run_final(_statement(session, made.final, text), bound, arrow=arrow)


def described(session: Session, tree: exp.Expr, text: str, parameters: Parameters) -> Description:
    """The columns of a counting query, without counting."""
    session.free()
    if isinstance(tree, (Explain, *MODEL_STATEMENTS)):
        outcome = count(session, tree, text, parameters, None)
        return outcome.stream.description if outcome.stream is not None else []
    with session.changing(False), session.plan_transaction():
        made = _plan(session, tree, text, parameters)
        session.work.settle(session.con)
        return session.describe(_statement(session, made.final, text), pick(made.final, made.parameters) or None)


def _plan(session: Session, tree: exp.Expr, text: str, parameters: Parameters) -> Plan:
    catalog = Catalog(session, text, {})
    catalog.parameters = name_parameters(tree, text, parameters)
    return plan(tree, catalog)


def _statement(session: Session, fragment: Fragment, text: str) -> Statement:
    with translated_names(text):
        return replace(split(session.con, fragment.sql)[0], rewritten=text)


def _explain(session: Session, tree: exp.Expr, text: str, parameters: Parameters, progress: Watcher) -> Outcome:
    """EXPLAIN gives the steps of the plan as rows; EXPLAIN ANALYZE runs them and adds what happened."""
    if isinstance(tree.this, MODEL_STATEMENTS):
        problem, hint = "EXPLAIN of statements about models is not supported", "EXPLAIN the query inside"
        raise NotSupportedError(compose(problem, spot_of(tree.this, text), hint))
    if isinstance(tree.this, AnalyzeSample):
        hint = "EXPLAIN SELECT * FROM ndv_report(TABLE t, rate => 0.01) shows the same plan"
        raise NotSupportedError(
            compose("EXPLAIN of ANALYZE .. WITH SAMPLE is not supported", spot_of(tree.this, text), hint)
        )
    with session.changing(False), session.plan_transaction():
        recorder = Recorder(progress=progress)
        made = _plan(session, tree.this, text, parameters)
        if tree.args.get("mode") == "ANALYZE":
            recorder.stages = len(made.steps) + 1
            run_steps(session, made, text, recorder)
            rows = analyzed(made, recorder, _drain(session, made, text))
        else:
            rows = explained(made)
        name = session.work.new_name()
        session.work.keep(session.con, name, rows)
        return session.run_final(_statement(session, Fragment(f"SELECT * FROM {name}"), text), None)


def _drain(session: Session, made: Plan, text: str) -> int:
    """Run the last fragment to its end; the number of its rows."""
    outcome = session.run_final(_statement(session, made.final, text), pick(made.final, made.parameters) or None)
    stream = outcome.stream
    if stream is None:
        return max(outcome.rowcount, 0)
    total = 0
    while rows := stream.fetch(10_000):
        total += len(rows)
    return total


def _create_view(session: Session, tree: exp.Expr, text: str, parameters: Parameters) -> Outcome:
    """Check the query by planning it, then let DuckDB keep the view's text."""
    call = tree.find(ModelCall)
    if call is not None:
        hint = "CREATE TABLE .. AS keeps the answers; or view the rows, and ask the model about the view"
        raise NotSupportedError(compose("a view cannot ask a model", spot_of(call, text), hint))
    with session.changing(False), session.plan_transaction():
        _plan(session, tree.expression.copy(), text, parameters)
        with translated_names(text):
            needed = stubs({name for (name,) in session.con.execute(_MADE).fetchall()})
            drops = (f"DROP MACRO temp.{name}" for name in needed)
            for sql in (*needed.values(), storable(tree), *drops):
                session.con.execute(sql)
    session.names.learn_views(session.con)
    return Outcome(None, -1)
