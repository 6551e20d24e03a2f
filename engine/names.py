"""What a session knows of names beside DuckDB's catalog: views that count, and streams that can be read once."""

from __future__ import annotations

import re
from collections.abc import Collection

import duckdb

from paretosql.engine.signatures import AGGREGATES, SCALARS

_COUNTS = rf"\b(?:{'|'.join((*AGGREGATES, *SCALARS))})\W*\("


class Names:
    """Names in lower case. `views` count distinct values, themselves or through other views."""

    def __init__(self) -> None:
        self.views: set[str] = set()
        self.one_shot: set[str] = set()
        self._view_word: re.Pattern[str] | None = None

    def learn_views(self, con: duckdb.DuckDBPyConnection) -> None:
        """Ask the catalog which views count, so that queries over them are planned by us."""
        rows = con.execute("SELECT lower(view_name), lower(sql) FROM duckdb_views() WHERE NOT internal").fetchall()
        found: set[str] = set()
        pattern = _COUNTS
        while more := {name for name, sql in rows if name not in found and re.search(pattern, sql)}:
            found |= more
            pattern = _any_word(more)
        self.views = found
        self._view_word = re.compile(_any_word(found), re.IGNORECASE) if found else None

    def counts(self, sql: str) -> bool:
        """Whether the text of a view counts, itself or through another view."""
        return re.search(_COUNTS, sql, re.IGNORECASE) is not None or self.view_in(sql.partition(" AS ")[2])

    def view_in(self, text: str) -> bool:
        """Whether a text holds the name of a view that counts."""
        return self._view_word is not None and self._view_word.search(text) is not None


def _any_word(names: Collection[str]) -> str:
    return r"(?<!\w)(?:" + "|".join(re.escape(name) for name in names) + r")(?!\w)"
