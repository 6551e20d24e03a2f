"""Runs sqllogictest files, the format of SQLite's and DuckDB's own SQL tests, against paretosql.

A file is a list of records: `statement ok`, `statement error`, `query <types> [sort] [label]`, each with SQL and what
is expected, plus commands (`require`, `loop`, `foreach`, `mode`, `load`, ...). Values are compared as DuckDB prints
them. A file on its own runs with `python -m tests.sql.runner FILE...` from the top of the checkout.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import paretosql
from tests.sql.comparison import Mismatch, check_message, compare, digest, ordered, printed

ENGINES = {"duckdb", "paretosql"}
HAVE = {
    *("parquet", "json", "icu", "core_functions", "skip_reload", "no_extension_autoloading", "vector_size", "64bit"),
    *("notwindows", "noforcestorage", "no_alternative_verify", "no_block_verification", "longdouble"),
}


class Skip(Exception):
    """The file asks for something that is not here."""


@dataclass(frozen=True)
class Block:
    """Consecutive lines of a file; `line` is the number of the first one, from 1."""

    line: int
    lines: tuple[str, ...]


@dataclass
class Runner:
    """The state of one run: where the file is, the open connections and the modes that are on."""

    path: Path
    folder: Path
    database: str = ":memory:"
    read_only: bool = False
    connections: dict[str, paretosql.Connection] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    skipping: bool = False
    records: int = 0

    def run(self) -> int:
        """Run the whole file; the number of records that ran. Raises Mismatch or Skip."""
        try:
            self._run(list(_blocks(self.path.read_text(encoding="utf-8"))), {})
        finally:
            self.close()
        return self.records

    def close(self) -> None:
        """Close every connection; the next record opens new ones."""
        while self.connections:
            self.connections.popitem()[1].close()

    def _run(self, blocks: list[Block], names: dict[str, str]) -> bool:
        at = 0
        while at < len(blocks):
            block = _substitute(blocks[at], {**names, "__TEST_DIR__": str(self.folder)})
            word, *arguments = block.lines[0].split()
            at += 1
            if word in ("loop", "foreach"):
                end = _end_of_loop(blocks, at)
                values = _loop_values(word, arguments)
                if not self.skipping and not all(
                    self._run(blocks[at:end], {**names, "${" + arguments[0] + "}": value}) for value in values
                ):
                    return False
                at = end + 1
            elif word == "halt":
                return False
            else:
                self._record(block, word, arguments)
        return True

    def _record(self, block: Block, word: str, arguments: list[str]) -> None:
        while word in ("skipif", "onlyif"):
            if (arguments[0].lower() in ENGINES) is (word == "skipif"):
                return
            block = Block(block.line + 1, block.lines[1:])
            word, *arguments = block.lines[0].split()
        if word == "mode" and arguments[0] in ("skip", "unskip"):
            self.skipping = arguments[0] == "skip"
        if self.skipping:
            return
        run: dict[str, Callable[[Block, list[str]], None]] = {
            "statement": self._statement,
            "query": self._query,
            "require": self._require,
            "load": self._load,
            "restart": lambda *_: self.close(),
            "mode": lambda *_: None,
            "hash-threshold": lambda *_: None,
            "reset": lambda *_: self.labels.clear(),
        }
        if word not in run:
            raise Skip(f"{self.path.name}:{block.line}: no command {word!r} in this runner")
        try:
            run[word](block, arguments)
        except Mismatch as fault:
            raise Mismatch(f"{self.path}:{block.line}: {fault}") from fault.__cause__

    def _connection(self, name: str) -> paretosql.Connection:
        if name not in self.connections:
            if self.connections and self.database == ":memory:":
                raise Skip("two connections need a database file: put `load __TEST_DIR__/name.db` first")
            self.connections[name] = paretosql.connect(self.database, autocommit=True, read_only=self.read_only)
        return self.connections[name]

    def _require(self, block: Block, arguments: list[str]) -> None:
        if arguments[0].lower() not in HAVE or (arguments[0] == "vector_size" and int(arguments[1]) > 2048):
            raise Skip(f"{self.path.name}:{block.line}: requires {' '.join(arguments)}")

    def _load(self, block: Block, arguments: list[str]) -> None:
        self.close()
        self.database = arguments[0] if arguments else ":memory:"
        self.read_only = "readonly" in arguments[1:]

    def _statement(self, block: Block, arguments: list[str]) -> None:
        sql, expected = _split(block)
        self.records += 1
        connection = self._connection(arguments[1] if len(arguments) > 1 else "")
        try:
            connection.execute(sql).close()
        except paretosql.Error as fault:
            if arguments[0] == "ok":
                raise Mismatch(f"statement should work\n{sql}\n{fault}") from fault
            check_message(sql, expected, str(fault))
        else:
            if arguments[0] == "error":
                raise Mismatch(f"statement should fail\n{sql}")

    def _query(self, block: Block, arguments: list[str]) -> None:
        sql, expected = _split(block)
        self.records += 1
        width, options = len(arguments[0]), arguments[1:]
        sort = next((option for option in options if option in ("nosort", "rowsort", "valuesort")), "nosort")
        rest = [option for option in options if option != sort]
        name = next((option for option in rest if option in self.connections or option.startswith("con")), "")
        try:
            cursor = self._connection(name).execute(sql)
            kinds = [str(column[1]) for column in cursor.description or []]
            rows = printed(cursor.arrow())
            cursor.close()
        except paretosql.Error as fault:
            raise Mismatch(f"query should work\n{sql}\n{fault}") from fault
        if len(kinds) != width:
            raise Mismatch(f"{width} columns expected, got {len(kinds)}: {kinds}\n{sql}")
        compare(sql, ordered(rows, sort), expected, kinds, sort)
        label = next((option for option in rest if option != name), None)
        found = digest(ordered(rows, sort))
        if label is not None and self.labels.setdefault(label, found) != found:
            raise Mismatch(f"result differs from the one labelled {label!r} before\n{sql}")


def _blocks(text: str) -> Iterator[Block]:
    start, lines = 0, list[str]()
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        if line.strip() and not (line.startswith("#") and "----" not in lines):
            start = start if lines else number
            lines.append(line)
        elif lines:
            yield from _singles(Block(start, tuple(lines)))
            lines = []


def _singles(block: Block) -> Iterator[Block]:
    """Commands of one line may stand together without an empty line between them."""
    lines = list(block.lines)
    at = block.line
    while lines and lines[0].split()[0] not in ("statement", "query", "skipif", "onlyif"):
        yield Block(at, (lines.pop(0),))
        at += 1
    if lines:
        yield Block(at, tuple(lines))


def _split(block: Block) -> tuple[str, list[str] | None]:
    lines = list(block.lines[1:])
    if "----" not in lines:
        return "\n".join(lines), None
    at = lines.index("----")
    return "\n".join(lines[:at]), lines[at + 1 :]


def _substitute(block: Block, names: dict[str, str]) -> Block:
    text = "\n".join(block.lines)
    for name, value in names.items():
        text = text.replace(name, value)
    return Block(block.line, tuple(text.split("\n")))


def _end_of_loop(blocks: list[Block], at: int) -> int:
    depth = 1
    for index in range(at, len(blocks)):
        word = blocks[index].lines[0].split()[0]
        depth += (word in ("loop", "foreach", "concurrentloop")) - (word == "endloop")
        if depth == 0:
            return index
    raise Skip("a loop without endloop")


def _loop_values(word: str, arguments: list[str]) -> list[str]:
    if word == "foreach":
        if any(value.startswith("<") for value in arguments[1:]):
            raise Skip(f"foreach over {arguments[1]}")
        return arguments[1:]
    return [str(i) for i in range(int(arguments[1]), int(arguments[2]))]


def run_file(path: Path) -> int:
    """Run one file in a temporary folder; the number of its records. Raises Mismatch or Skip."""
    with tempfile.TemporaryDirectory() as folder:
        return Runner(path, Path(folder)).run()


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        try:
            print(f"{argument}: {run_file(Path(argument))} records")
        except Skip as reason:
            print(f"{argument}: skipped, {reason}")
        except Mismatch as fault:
            print(fault)
