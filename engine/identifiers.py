"""Names in SQL that we write."""

from __future__ import annotations


def quoted(name: str) -> str:
    """A name in quotes, so that it means itself whatever it is called."""
    return '"' + name.replace('"', '""') + '"'
