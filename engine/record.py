"""What happened while a plan ran: one row per step, and the progress that is shown meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

PROGRESS_EVERY_S = 0.1  # our choice


@dataclass(frozen=True)
class Progress:
    """How far a statement is: step `stage` of `stages` (from 1), rows and Arrow bytes read, seconds since the start."""

    stage: int
    stages: int
    rows: int
    bytes: int
    seconds: float
    detail: str = ""  # what the step is doing, where rows do not say it


@dataclass(frozen=True)
class StepRecord:
    """One finished step: rows and Arrow bytes that went in, rows that came out, wall seconds."""

    step: str
    operator: str
    rows_in: int
    bytes_in: int
    rows_out: int
    seconds: float


@dataclass
class Recorder:
    """Collects step records and calls `progress` about ten times a second."""

    stages: int = 1
    progress: Callable[[Progress], None] | None = None
    records: list[StepRecord] = field(default_factory=list)
    _started: float = field(default_factory=time.monotonic)
    _told: float = 0.0
    _rows: int = 0
    _bytes: int = 0

    @property
    def total(self) -> tuple[int, int]:
        """Rows and Arrow bytes read so far."""
        return self._rows, self._bytes

    def read(self, rows: int, size: int, detail: str = "") -> None:
        """Count one batch that was read; tell whoever watches."""
        self._rows += rows
        self._bytes += size
        now = time.monotonic()
        if self.progress is not None and now - self._told >= PROGRESS_EVERY_S:
            self._told = now
            stage = min(len(self.records) + 1, self.stages)
            self.progress(Progress(stage, self.stages, self._rows, self._bytes, now - self._started, detail))

    def finish(self, record: StepRecord) -> None:
        """Keep the record of a finished step."""
        self.records.append(record)

    def seconds_since_last(self) -> float:
        """Wall seconds since the start that no finished step accounts for."""
        return time.monotonic() - self._started - sum(record.seconds for record in self.records)
