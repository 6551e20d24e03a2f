"""Names in SQL that we write."""

from __future__ import annotations


def quoted(name: str) -> str:
    """A name in quotes, so that it means itself whatever it is called."""
    return '"' + name.replace('"', '""') + '"'


def folded(name: str) -> str:
    """What two names have in common that DuckDB takes for one: it knows the case of ASCII letters only."""
    return "".join(each.lower() if each.isascii() else each for each in name)
