"""The one exception tree, PEP 249's, with messages that say what is wrong, where, and what would work.

Every error that leaves the package is one of these. A message is built from three parts: the problem in one
sentence, the place in the SQL (line, column and a caret), and a hint.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from dataclasses import dataclass


class Warning(Exception):
    """Something a user should know that did not stop the statement."""


class Error(Exception):
    """Base of every error this package raises."""


class InterfaceError(Error):
    """The package itself was used wrongly: a closed connection, a cursor without a statement."""


class DatabaseError(Error):
    """Base of the errors that come from running a statement."""


class DataError(DatabaseError):
    """A value does not fit: out of range, not convertible, not in the domain."""


class OperationalError(DatabaseError):
    """The environment failed: a file, memory, a transaction, an interruption."""


class IntegrityError(DatabaseError):
    """A constraint was violated."""


class InternalError(DatabaseError):
    """A defect of the engine itself."""


class ProgrammingError(DatabaseError):
    """The statement is wrong: syntax, unknown names, wrong parameters."""


class NotSupportedError(DatabaseError):
    """The statement is understood, but this version cannot run it."""


@dataclass(frozen=True)
class Spot:
    """A stretch of SQL text: character offset and length within `text`."""

    text: str
    start: int
    length: int = 1

    @property
    def line(self) -> int:
        """Line number, from 1."""
        return self.text.count("\n", 0, self.start) + 1

    @property
    def column(self) -> int:
        """Column number in characters, from 1."""
        return self.start - (self.text.rfind("\n", 0, self.start) + 1) + 1

    def picture(self) -> str:
        """The line with a caret row under it, cut to a readable width.

        >>> print(Spot("SELECT foo FROM t", 7, 3).picture())
        line 1, column 8:
          SELECT foo FROM t
                 ^^^
        """
        begin = self.text.rfind("\n", 0, self.start) + 1
        end = self.text.find("\n", self.start)
        line = self.text[begin : len(self.text) if end < 0 else end].rstrip("\r")
        at = self.start - begin
        width = max(1, min(self.length, len(line) - at))
        cut = max(0, at - 60)
        shown = ("..." if cut else "") + line[cut : at + width + 40].replace("\t", " ")
        shift = at - cut + (3 if cut else 0)
        return f"line {self.line}, column {self.column}:\n  {shown}\n  {' ' * shift}{'^' * width}"


def compose(problem: str, spot: Spot | None = None, hint: str | None = None) -> str:
    """The text of an error: problem, place, hint, each on lines of its own."""
    parts = [problem]
    if spot is not None:
        parts.append(spot.picture())
    if hint:
        parts.append(f"Hint: {hint}")
    return "\n".join(parts)


def spelt(name: str) -> str:
    """A name as one types it in SQL, for hints: in quotes unless it is a plain word.

    >>> spelt("movie_id"), spelt("movie id"), spelt('a"b')
    ('movie_id', '"movie id"', '"a""b"')
    """
    return name if re.fullmatch(r"[^\W\d]\w*", name) else '"' + name.replace('"', '""') + '"'


def closest(name: str, known: Collection[str]) -> str | None:
    """The known name most like `name`, or None when nothing is near."""
    by_folded = {each.lower(): each for each in known}
    near = difflib.get_close_matches(name.lower(), by_folded, n=1)
    return by_folded[near[0]] if near else None
