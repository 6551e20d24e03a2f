"""Who runs a statement: DuckDB as it stands, or our plan.

Text without a word of ours, and without a view that counts, never meets our parser.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pyarrow as pa

from paretosql.engine.binding import Parameters
from paretosql.engine.depth import deep
from paretosql.engine.faults import function_missing, translated
from paretosql.engine.prefilter import mentions_ours
from paretosql.engine.record import Progress
from paretosql.engine.session import Outcome, Session
from paretosql.engine.statements import repeatable as may_repeat
from paretosql.engine.statements import split
from paretosql.engine.types import Description
from paretosql.errors import ProgrammingError, compose

Watcher = Callable[[Progress], None] | None


def execute(
    session: Session, text: str, parameters: Parameters = None, progress: Watcher = None, *, arrow: bool = False
) -> Outcome:
    """Run all statements of `text`, the parameters going to the last; the outcome is the last one's.

    Args:
        arrow: the rows will be read as Arrow, not as tuples.
    Raises:
        Error: as PEP 249 divides them, with the place in `text`.
    """
    with session.lock:
        _ = session.con
        session.stopped.clear()
        texts = _pieces(session, text)
        if not texts:
            return _plain(session, text, parameters, progress, arrow)
        outcome = Outcome(None, -1)
        for number, piece in enumerate(texts, 1):
            _close(outcome)
            outcome = _piece(session, piece, parameters if number == len(texts) else None, progress, arrow)
        return outcome


def _pieces(session: Session, text: str) -> list[str]:
    """The statements of a text some of which may be ours; nothing for any other text."""
    if not isinstance(text, str) or not _may_be_ours(session, text):
        return []
    from paretosql.engine.pieces import pieces

    return list(pieces(text))


def _may_be_ours(session: Session, text: str) -> bool:
    return mentions_ours(text) or session.names.view_in(text)


def _plain(session: Session, text: str, parameters: Parameters, progress: Watcher, arrow: bool) -> Outcome:
    """Hand the text to DuckDB as it stands."""
    outcome = Outcome(None, -1)
    statements = split(session.con, text)
    for number, statement in enumerate(statements, 1):
        _close(outcome)
        given = parameters if number == len(statements) else None
        try:
            outcome = session.run(statement, given, arrow=arrow)
        except ProgrammingError as fault:
            # a view that another connection made since we last looked
            if not function_missing(fault.__cause__) or session.transaction is not None:
                raise
            session.names.learn_views(session.con)
            from paretosql.engine.pieces import blanked

            outcome = _piece(session, blanked(text, statement.offset) + statement.text, given, progress, arrow)
    return outcome


def _close(outcome: Outcome) -> None:
    if outcome.stream is not None:
        outcome.stream.close()


def _piece(session: Session, text: str, parameters: Parameters, progress: Watcher, arrow: bool) -> Outcome:
    """Run one statement that may be ours."""
    from paretosql.engine.counting import count
    from paretosql.engine.nodes import ParseError

    try:
        tree = _our_tree(session, text)
    except ParseError as problem:
        return _run_unread(session, text, parameters, arrow, problem)
    if tree is None:
        return _run_each(session, text, parameters, arrow)
    with translated(text), deep():
        return count(session, tree, text, parameters, progress, arrow=arrow)


def _run_unread(session: Session, text: str, parameters: Parameters, arrow: bool, problem: ProgrammingError) -> Outcome:
    """Give DuckDB a text that looks ours and that our parser cannot read; it may only use our words as names."""
    try:
        split(session.con, text)
    except ProgrammingError:
        raise problem from None
    try:
        return _run_each(session, text, parameters, arrow)
    except ProgrammingError as fault:
        if function_missing(fault.__cause__) or str(fault).startswith("Parser Error"):
            raise problem from None
        raise


def _our_tree(session: Session, text: str) -> Any:
    """The parse of a statement of ours, or None; only texts that may be ours pay for loading our parser."""
    if not _may_be_ours(session, text):
        return None
    from paretosql.engine.recognize import our_tree

    return our_tree(text, session.names.views, lambda sql: split(session.con, sql))


def _run_each(session: Session, text: str, parameters: Parameters, arrow: bool) -> Outcome:
    outcome = Outcome(None, -1)
    for statement in split(session.con, text):
        outcome = session.run(statement, parameters, arrow=arrow)
    return outcome


def execute_many(session: Session, text: str, sets: Iterable[Parameters]) -> int:
    """Run one statement for each parameter set, all or none; the number of changed rows."""
    with session.lock:
        session.free()
        tree = _our_tree(session, text) if len(_pieces(session, text)) == 1 else None
        if tree is not None:
            from paretosql.engine.recognize import changes, reads_only

            if reads_only(tree):
                raise ProgrammingError(compose("executemany does not return rows", hint="use execute for a query"))
            change = changes(tree)
            run = partial(_piece, session, text, progress=None, arrow=False)
        else:
            statements = split(session.con, text)
            if len(statements) != 1:
                raise ProgrammingError(compose(f"executemany runs one statement, not {len(statements)}"))
            statement = statements[0]
            if statement.returns_rows:
                raise ProgrammingError(
                    compose("executemany does not return rows", statement.spot, "use execute for a query")
                )
            change = statement.kind == "change"
            run = partial(session.run, statement)
        with _all_or_none(session, change):
            counts = [run(parameters=each).rowcount for each in sets]
        known = change or any(count >= 0 for count in counts)
        return sum(max(count, 0) for count in counts) if known else -1


@contextmanager
def _all_or_none(session: Session, changes: bool) -> Iterator[None]:
    """One transaction around several runs: the open one, or one that is undone after an error."""
    alone = session.transaction is None
    if alone:
        with translated():
            session.con.begin()
        session.transaction = "implicit"
    try:
        yield
    except BaseException:
        if alone:
            session.rollback()
        raise
    if alone and (session.autocommit or not changes):
        session.commit()


def repeatable(session: Session, text: str) -> bool:
    """True when the text is one query that changes nothing."""
    with session.lock:
        texts = _pieces(session, text)
        if len(texts) > 1:
            return False
        tree = _our_tree(session, text) if texts else None
        if tree is not None:
            from paretosql.engine.recognize import reads_only

            return reads_only(tree)
        statements = split(session.con, text)
        return len(statements) == 1 and may_repeat(statements[0])


def describe(session: Session, text: str, parameters: Parameters = None) -> Description:
    """The columns of a query that changes nothing, without running it."""
    with session.lock, translated(text), deep():
        tree = _our_tree(session, text)
        if tree is not None:
            from paretosql.engine.counting import described

            return described(session, tree, text, parameters)
        session.free()
        return session.describe(split(session.con, text)[0], parameters)


def explain(session: Session, text: str, parameters: Parameters = None) -> str:
    """The plan of a query as text."""
    outcome = execute(session, f"EXPLAIN {text}", parameters)
    assert outcome.stream is not None
    rows = outcome.stream.fetch_rest()
    if len(outcome.stream.description) == 2:  # DuckDB's own drawing
        return "\n".join(str(row[-1]) for row in rows)
    return "\n".join(f"{step}  {operator}: {detail}\n    {sql}" for step, operator, detail, sql in rows)


def register(session: Session, name: str, data: Any) -> None:
    """Make Arrow data queryable under `name`."""
    if not (hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__")):
        raise ProgrammingError(
            compose(
                f"register({name!r}): {type(data).__name__} has no Arrow stream",
                hint="pass a pyarrow, polars or pandas table, or anything with __arrow_c_stream__",
            )
        )
    if getattr(data, "_session", None) is session:
        data = data.arrow()  # a query cannot run inside another one of its own connection
    with session.lock, translated():
        session.free().register(name, data)
        once = isinstance(data, pa.RecordBatchReader)
        (session.names.one_shot.add if once else session.names.one_shot.discard)(name.lower())


def unregister(session: Session, name: str) -> None:
    """Forget a registered name."""
    with session.lock, translated():
        session.free().unregister(name)
        session.names.one_shot.discard(name.lower())
