"""The progress line of a terminal: one line that says how far a long statement is, and leaves no trace."""

from __future__ import annotations

import shutil
from typing import Protocol, TextIO

from paretosql.engine.glyphs import fit
from paretosql.engine.render import rows_text

PATIENCE_S = 2.0  # our choice: shorter statements show nothing
CLEAR_LINE = "\r\x1b[K"
UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


class Report(Protocol):
    """What `paretosql.connect(progress=...)` hands to its callable."""

    @property
    def stage(self) -> int: ...
    @property
    def stages(self) -> int: ...
    @property
    def rows(self) -> int: ...
    @property
    def bytes(self) -> int: ...
    @property
    def seconds(self) -> float: ...
    @property
    def detail(self) -> str: ...


class ProgressLine:
    """A callable for `connect(progress=...)` that draws on a terminal and stays silent elsewhere."""

    def __init__(self, stream: TextIO, enabled: bool = True) -> None:
        self._stream = stream
        self._enabled = enabled and stream.isatty()
        self._drawn = False
        self._open = True
        self._reported = False  # the statement speaks for itself

    def start(self) -> None:
        """Allow drawing: a statement begins."""
        self._open, self._reported = True, False

    def finish(self) -> None:
        """Remove the line and draw no more: the statement has ended, or its output begins."""
        self._open = False
        if self._drawn:
            self._stream.write(CLEAR_LINE)
            self._stream.flush()
            self._drawn = False

    def __call__(self, report: Report) -> None:
        """Draw the line for this state of the running statement."""
        self._reported = True
        self._draw(progress_text(report), report.seconds)

    def percent(self, percent: float | None, seconds: float) -> None:
        """Draw the line for a statement that only its engine knows: how far it is, None when that is not known."""
        if not self._reported:
            self._draw("  ".join([*([] if percent is None else [f"{percent:.0f} %"]), f"{seconds:.1f} s"]), seconds)

    def _draw(self, text: str, seconds: float) -> None:
        if self._enabled and self._open and seconds >= PATIENCE_S:
            line = fit(text, shutil.get_terminal_size().columns - 1)
            self._stream.write(f"{CLEAR_LINE}{line}")
            self._stream.flush()
            self._drawn = True


def progress_text(report: Report) -> str:
    """The state as one line, such as `stage 3/5  12,345,678 rows  1.2 GB  2.3 s`."""
    size = bytes_text(report.bytes)
    detail = f"  {report.detail}" if report.detail else ""
    return f"stage {report.stage}/{report.stages}{detail}  {rows_text(report.rows)}  {size}  {report.seconds:.1f} s"


def bytes_text(count: float) -> str:
    """A number of bytes for people, in powers of 1000.

    >>> bytes_text(999), bytes_text(1_234_000_000)
    ('999 B', '1.2 GB')
    """
    power = 0
    while count >= 999.5 and power < len(UNITS) - 1:
        count, power = count / 1000, power + 1
    return f"{count:.1f} {UNITS[power]}" if power else f"{count:.0f} B"
