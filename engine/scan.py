"""Feeding a sketch state: a scan that looks at its first rows and then chooses the cheaper way to read the rest.

DuckDB groups equal values faster than their rows can be handed over and hashed, as long as there are few values; with
many, the hash table costs more than the rows. The first rows tell which: Chao's estimator, the engine's own, says how
many values to expect, and a column with few of them is then read as (value, number of rows) pairs. The state that comes
out is the same to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass

import pyarrow as pa

from paretosql.engine.aggregate import COUNT, SketchState
from paretosql.engine.answers import FINISHERS
from paretosql.engine.plan import Fragment, Sketch
from paretosql.sketches.estimators import point

Read = Callable[[Fragment], Generator[pa.RecordBatch]]

PILOT_ROWS = 1 << 18  # our choice: 2 % of a second, enough to tell 10,000 values from 1,000,000
FEW_VALUES = 1 << 17  # our choice: measured on TPC-H columns, where both ways cost the same
FEW_PAIRS = 1 << 21  # our choice: the same for (group, value) pairs, whose rows cost more to sort in
MANY_ROWS = 1e8  # our choice: what a scan may come to; a sorted column meets new values at the same pace all along
ENDLESS = 2.0**62  # rows of a population that is much larger than the pilot


@dataclass
class Scanned:
    """What a scan has read: rows of the source and Arrow bytes."""

    rows: int = 0
    size: int = 0

    def count(self, batch: pa.RecordBatch, rows: int | None = None) -> None:
        """Add one batch; `rows` when its rows stand for more than themselves."""
        self.rows += batch.num_rows if rows is None else rows
        self.size += batch.nbytes


def scan(step: Sketch, state: SketchState, read: Read) -> Scanned:
    """Bring every row of a step's source into its state.

    Args:
        read: runs a fragment; its generator is closed before the next one opens.
    Memory: one batch beside the state.
    """
    done = Scanned()
    pilot = Pilot(step, state)
    wide, narrow = list(range(len(step.calls))), []
    with closing(read(step.source)) as batches:
        for batch in batches:
            state.update(batch, wide)
            done.count(batch)
            if step.repeatable and pilot.ends(done.rows):
                narrow = pilot.few()
                wide = [at for at in wide if at not in narrow]
                if not wide:
                    break
    for at in narrow:
        state.restart(at)
        _scan_counted(step, at, state, read, done, alone=not wide and at == narrow[0])
    return done


class Pilot:
    """The first rows of a scan, looked at half way and at their end."""

    def __init__(self, step: Sketch, state: SketchState) -> None:
        self._state = state
        self._calls = [at for at, call in enumerate(step.calls) if FINISHERS[call.function].profiles]
        self._limit = FEW_PAIRS if step.sets else FEW_VALUES
        self._half: dict[int, float] = {}
        self._rows = 0
        self._over = False

    def ends(self, rows: int) -> bool:
        """Whether the pilot ends with this many rows; true once."""
        if self._over or not self._calls or rows < PILOT_ROWS // 2:
            return False
        if not self._half:
            self._half, self._rows = {at: self._seen(at) for at in self._calls}, rows
        if rows < PILOT_ROWS:
            return False
        self._over = True
        self._rows = rows - self._rows
        return self._rows > 0

    def few(self) -> list[int]:
        """The calls with few values: Chao's estimate is small, and so is what the pace of new values would come to."""
        return [at for at in self._calls if self._expected(at) <= self._limit]

    def _seen(self, at: int) -> float:
        return sum(self._state.profile(at).values())

    def _expected(self, at: int) -> float:
        found = point("chao", self._state.profile(at), ENDLESS)
        pace = (self._seen(at) - self._half[at]) / self._rows
        return max(found.value or 0.0, pace * MANY_ROWS)


def _scan_counted(step: Sketch, at: int, state: SketchState, read: Read, done: Scanned, *, alone: bool) -> None:
    """Read one column as its values with their numbers of rows; `alone` when no other pass has counted the rows."""
    groups = [name for name in dict.fromkeys(("g", *(name for name, _ in step.sets))) if name] if step.sets else []
    columns = ", ".join([*groups, step.calls[at].column])
    sql = f"SELECT {columns}, count(*) AS {COUNT} FROM ({step.source.sql}) AS __r GROUP BY ALL"
    if alone:
        done.rows = 0
    with closing(read(Fragment(sql, step.source.wants))) as batches:
        for batch in batches:
            state.update(batch, [at])
            done.count(batch, _total(batch) if alone else 0)


def _total(batch: pa.RecordBatch) -> int:
    return int(batch.column(COUNT).to_numpy().sum())
