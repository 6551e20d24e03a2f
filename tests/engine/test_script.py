"""Scripts: where statements end, and whether a typed text is complete. DuckDB's own splitter is the judge."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paretosql.engine.script import Statement, complete, split, tokens

PIECES = [
    "SELECT 1", "SELECT 'a;b'", "SELECT 'it''s;'", "SELECT E'a\\';b'", "SELECT E'a''\\';'", "SELECT $$;'$$",
    "SELECT $tag$ ; $$ $tag$",
    'SELECT 1 AS "x;""y"', "SELECT /* ; /* nested ; */ ; */ 2", "SELECT 1 -- ;", "SELECT 'a\\'", "SELECT 1 AS a$b$",
    "SELECT 1 AS nice, 'x;'", "-- only a comment ;", "/* ; */", "", "  ", "SELECT 5-- 'quote", "SELECT '日本;語' AS é",
    "INSERT INTO t VALUES ('a;')", "SELECT $1",
]  # fmt: skip


def duckdb_split(text: str) -> list[str]:
    """What DuckDB makes of a script: the statements without semicolons and what surrounds them."""
    return [statement.query for statement in duckdb.connect().extract_statements(text)]


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=6), st.sampled_from(["\n;\n", "\n; ", "\n;;"]))
def test_statements_end_where_duckdb_ends_them(pieces: list[str], joint: str) -> None:
    """Semicolons inside quotes, dollar quotes and comments end nothing, whatever stands around them."""
    text = joint.join(pieces)
    ours, theirs = split(text), duckdb_split(text)
    assert len(ours) == len(theirs)
    for statement, query in zip(ours, theirs, strict=True):
        assert statement.text in query


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=6))
def test_tokens_leave_nothing_out(pieces: list[str]) -> None:
    """Every character belongs to exactly one token."""
    text = " ".join(pieces)
    assert "".join(text[token.start : token.end] for token in tokens(text)) == text


def test_statements_know_their_lines() -> None:
    """A statement begins on the line of its first word, not of the comment or the semicolon before it."""
    text = "-- report\n\nSELECT 1;\n/* two\nlines */ SELECT\n2; SELECT 3\n;\n\n  SELECT 4"
    assert split(text) == [
        Statement("SELECT 1", 3),
        Statement("SELECT\n2", 5),
        Statement("SELECT 3", 6),
        Statement("SELECT 4", 9),
    ]


def test_a_broken_statement_does_not_hide_its_neighbours() -> None:
    """Splitting needs no grammar, so the statements around a misspelled one are still found."""
    assert [each.text for each in split("SELECT 1; SELEC 2; SELECT 3")] == ["SELECT 1", "SELEC 2", "SELECT 3"]


def test_an_open_quote_takes_the_rest() -> None:
    """What follows an unclosed quote belongs to its statement, so that the engine can point at the quote."""
    assert [each.text for each in split("SELECT 1; SELECT 'a; SELECT 2")] == ["SELECT 1", "SELECT 'a; SELECT 2"]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("SELECT 1;", True),
        ("SELECT 1; -- done", True),
        ("SELECT 1;\n/* done */\n", True),
        ("", True),
        ("-- nothing to run", True),
        ("SELECT 1", False),
        ("SELECT 1; SELECT 2", False),
        ("SELECT ';", False),
        ("SELECT $$ ; $$", False),
        ("SELECT $$ ;", False),
        ("SELECT 1 -- ;", False),
        ("SELECT 1; /* open", False),
        ('SELECT 1 AS "a;', False),
    ],
)
def test_a_text_is_complete_when_a_real_semicolon_ends_it(text: str, answer: bool) -> None:
    """Enter runs a statement only when its semicolon is outside of quotes and comments."""
    assert complete(text) is answer


def test_a_long_script_is_split_quickly() -> None:
    """The time grows with the length of the script, not with its square: 50,000 statements are no work."""
    found = split("INSERT INTO t VALUES (1, 'x');\n" * 50_000)
    assert len(found) == 50_000
    assert found[-1].line == 50_000
