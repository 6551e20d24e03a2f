"""What could come next in a statement: tables, columns, functions and keywords, read from the database when needed."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from paretosql.engine.commands import commands
from paretosql.engine.console import MODES
from paretosql.engine.identifiers import quoted
from paretosql.engine.script import Token, tokens
from paretosql.engine.signatures import AGGREGATES, REPORT_OPTIONS, SCALARS
from paretosql.errors import Error
from paretosql.udfs.verbs import VERBS

OPTIONS = {
    **{name: each.options for name, each in {**AGGREGATES, **SCALARS}.items()},
    "ndv_report": REPORT_OPTIONS,
    **{name: tuple(each.arguments) for name, each in VERBS.items()},
}
OURS = tuple(dict.fromkeys(("ndv", "ndv_report", *AGGREGATES, *SCALARS, *VERBS)))  # what is written most comes first
BEFORE_TABLE = {"from", "join", "into", "update", "table", "describe", "summarize", "view"}
BEFORE_MODEL = {"create", "replace", "drop", "describe", "("}  # what stands before MODEL and the name of one
AFTER = {  # what of ours, and of its like, may come after a word
    "show": ("TABLES", "MODELS", "MODEL TYPES"),
    "create": ("TABLE", "VIEW", "MODEL", "OR REPLACE"),
    "replace": ("TABLE", "VIEW", "MODEL"),
    "drop": ("TABLE", "VIEW", "MODEL"),
    "describe": ("MODEL",),
}
MODEL_TYPE = re.compile(r"\bmodel_type\s*(?:=>?|:=)\s*'(\w*)$", re.IGNORECASE)
PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_]*")
COLUMNS = """
SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal AND schema_name <> 'pareto_models' ORDER BY ALL
"""
TABLES = """
SELECT table_name FROM duckdb_tables() WHERE NOT internal AND schema_name <> 'pareto_models'
UNION SELECT view_name FROM duckdb_views() WHERE NOT internal ORDER BY ALL
"""
HAS_MODELS = """
SELECT table_name FROM duckdb_tables()
WHERE database_name = current_database() AND schema_name = 'pareto_models' AND table_name = 'models'
"""
MODELS = "SELECT name FROM pareto_models.models ORDER BY key"
FUNCTIONS = r"SELECT DISTINCT function_name FROM duckdb_functions() WHERE regexp_full_match(function_name, '[a-z]\w+')"
KEYWORDS = "SELECT keyword_name, keyword_category FROM duckdb_keywords() ORDER BY ALL"

Query = Callable[[str], list[tuple[str, ...]]]


@dataclass
class Vocabulary:
    """The names a statement can use. `query` runs SQL and returns rows; it is asked once, and again after `forget`."""

    query: Query
    _tables: list[str] | None = None
    _columns: list[tuple[str, str]] = field(default_factory=list)
    _models: list[str] | None = None
    _functions: list[str] = field(default_factory=list)
    _keywords: dict[str, str] = field(default_factory=dict)

    def forget(self) -> None:
        """Read tables, columns and models again at the next question: a statement may have changed them."""
        self._tables = self._models = None

    @property
    def keywords(self) -> dict[str, str]:
        """Every keyword in lower case, and whether it is reserved."""
        self._read()
        return self._keywords

    def suggestions(self, before: str) -> tuple[int, list[str]]:
        """What may be written at the end of the text `before`.

        Returns:
            How many characters at the end of `before` the suggestions replace, and the suggestions, likely ones first.
        """
        if before.lstrip().startswith("."):
            return _command_words(before.lstrip())
        found = [token for token in tokens(before) if token.kind != "space"]
        last = found[-1] if found else None
        if last is not None and last.kind == "open" and (kind := MODEL_TYPE.search(before)) is not None:
            return len(kind[1]), _starting(kind[1], _model_types())
        if last is not None and last.kind in ("string", "comment", "open", "number"):
            return 0, []
        touching = last is not None and last.kind == "word" and last.end == len(before)
        prefix = before[last.start : last.end] if last is not None and touching else ""
        rest = found[:-1] if touching else found
        self._read()
        owner = _owner(before, rest)
        if owner is not None:
            return len(prefix), _starting(prefix, self._columns_of(owner, before))
        words = [before[token.start : token.end].lower() for token in rest]
        if len(words) > 1 and words[-1] == "model" and words[-2] in BEFORE_MODEL:
            return len(prefix), _starting(prefix, self._named(self._model_names()))
        after, options, table = _after(words), _options(words), _wants_table(words)
        if not prefix:
            return 0, [*(self._named(self._tables or []) if table else options), *after]
        spelled = after if prefix[0].isupper() else [each.lower() for each in after]
        return len(prefix), _starting(prefix, [*options, *spelled, *self._all(prefix, table)])

    def _read(self) -> None:
        """Ask the database; while it cannot answer (a failed transaction), the old names stay."""
        try:
            if not self._keywords:
                self._keywords = {name.lower(): kind for name, kind in self.query(KEYWORDS)}
                self._functions = [*OURS, *sorted(name for (name,) in self.query(FUNCTIONS))]
            if self._tables is None:
                self._tables = [name for (name,) in self.query(TABLES)]
                self._columns = [(table, column) for table, column in self.query(COLUMNS)]
        except Error:
            self._tables = self._tables or []

    def _model_names(self) -> list[str]:
        """All models; none while the database cannot answer. Asked for only where one may stand."""
        try:
            if self._models is None:
                self._models = [name for (name,) in self.query(MODELS)] if self.query(HAS_MODELS) else []
        except Error:
            return []
        return self._models

    def _all(self, prefix: str, table_first: bool) -> Iterable[str]:
        tables = list(self._named(self._tables or []))
        columns = list(self._named(dict.fromkeys(column for _, column in self._columns)))
        yield from (*tables, *columns) if table_first else (*columns, *tables)
        yield from (word.upper() if prefix[0].isupper() else word for word in self._keywords)
        yield from self._functions

    def _columns_of(self, owner: str, text: str) -> list[str]:
        """Columns of a table that is named directly or by an alias in the text; of all tables when that is unclear."""
        alias = re.search(rf"\b(\w+)\s+(?:as\s+)?{re.escape(owner)}\b", text, re.IGNORECASE)
        for table in (owner, alias[1] if alias else owner):
            columns = [column for name, column in self._columns if name.lower() == table.lower()]
            if columns:
                return list(self._named(columns))
        return list(self._named(dict.fromkeys(column for _, column in self._columns)))

    def _named(self, names: Iterable[str]) -> Iterable[str]:
        for name in names:
            if PLAIN_NAME.fullmatch(name.lower()) and self._keywords.get(name.lower()) != "reserved":
                yield name
            else:
                yield quoted(name)


def _command_words(text: str) -> tuple[int, list[str]]:
    name, space, argument = text.partition(" ")
    if not space:
        return len(name), _starting(name, commands)
    choices = {".mode": MODES, ".timer": ("on", "off"), ".rows": ("all",)}.get(name, ())
    return len(argument), _starting(argument, choices)


def _owner(text: str, found: list[Token]) -> str | None:
    """The name before a final dot."""
    if len(found) >= 2 and text[found[-1].start] == "." and found[-2].kind in ("word", "quoted"):
        return text[found[-2].start : found[-2].end].strip('"')
    return None


def _model_types() -> Iterable[str]:
    from paretosql.udfs.model import families  # here: it loads them all

    return families()


def _options(words: list[str]) -> list[str]:
    """The named options that may follow the comma at the end of the text, in a call of a function of ours."""
    if not words or words[-1] != ",":
        return []
    depth = 0
    for at in range(len(words) - 1, 0, -1):
        depth += {")": 1, "(": -1}.get(words[at], 0)
        if depth < 0:
            written = {word for word, arrow in itertools.pairwise(words[at:]) if arrow == "="}
            return [f"{name} => " for name in OPTIONS.get(words[at - 1], ()) if name not in written]
    return []


def _after(words: list[str]) -> tuple[str, ...]:
    if len(words) > 1 and words[-1] == "(" and words[-2] in VERBS:
        return ("MODEL",)
    return AFTER.get(words[-1], ()) if words else ()


def _wants_table(words: list[str]) -> bool:
    return bool(words) and words[-1] in BEFORE_TABLE


def _starting(prefix: str, words: Iterable[str]) -> list[str]:
    low = prefix.lower()
    found = dict.fromkeys(word for word in words if word.lower().strip('"').startswith(low))
    return sorted(found, key=lambda word: word.startswith('"'))  # the order stays, names in quotes come last
