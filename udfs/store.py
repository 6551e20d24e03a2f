"""Trained models on disk or in memory: each version is written once, whole, under a token of its own.

A version is a folder with `model.json` (everything that fits into JSON, and the checksums), `tensors.safetensors`
(numeric arrays) and `columns.arrow` (values of any type, a one-row table of lists). It is written under a hidden name,
flushed to disk and renamed, so a version is there or is not; it never changes afterwards, so whoever reads an old one
finishes. Which version a name means is for the catalog to say.

A version is in doubt, marked by a file in its folder, from when it is written until the transaction that made it is
committed, and again from when another takes its name or the name is dropped. Only versions in doubt are ever removed,
and only by the owner whose mark is in their token, so databases that share a folder leave each other's models alone,
and a database that knows none of the models in its folder removes none.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import threading
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from paretosql.errors import NotSupportedError, OperationalError, compose
from paretosql.udfs import tensors
from paretosql.udfs.model import State

FORMAT = 1
FACTS, TENSORS, COLUMNS = "model.json", "tensors.safetensors", "columns.arrow"
DOUBT = "in_doubt"


@dataclass(frozen=True)
class Entry:
    """What is known of one version of a model beside its arrays; everything fits into JSON.

    columns: names and SQL types of the training rows. transform: names and SQL expressions of TRANSFORM.
    evaluation: metric and value, on rows held out, or in training when `held_out` is false. log: round, loss, seconds.
    trials: of a search for options. notes: options without effect, and warnings of the training.
    """

    name: str
    version: int
    model_type: str
    created_at: str
    rows: int
    seconds: float
    options: Mapping[str, Any]
    columns: tuple[tuple[str, str], ...]
    transform: tuple[tuple[str, str], ...] = ()
    evaluation: tuple[tuple[str, float], ...] = ()
    held_out: bool = False
    log: tuple[tuple[int, float | None, float], ...] = ()
    trials: tuple[Mapping[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


class Store(Protocol):
    """Where the versions of one owner are kept."""

    def put(self, entry: Entry, state: State) -> str:
        """Keep a version, in doubt; its token."""
        ...

    def get(self, token: str) -> tuple[Entry, State]:
        """A version by its token."""
        ...

    def remove(self, token: str) -> None:
        """Forget a version; nothing happens when it is not there."""
        ...

    def doubt(self, token: str) -> None:
        """Let the next sweep decide about a version; one of another owner is left alone."""
        ...

    def settle(self, token: str) -> None:
        """A version is to stay."""
        ...

    def sweep(self, wanted: Collection[str]) -> None:
        """Forget the versions in doubt that are not wanted, settle the others, remove what was left half written."""
        ...

    def size(self, token: str) -> int:
        """Bytes of a version."""
        ...


class MemoryStore:
    """Versions that vanish with the process."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Entry, State]] = {}
        self._doubted: set[str] = set()

    def put(self, entry: Entry, state: State) -> str:
        """Keep a version, in doubt; its token."""
        token = new_token("0" * 8)
        self._kept[token] = (entry, state)
        self._doubted.add(token)
        return token

    def get(self, token: str) -> tuple[Entry, State]:
        """A version by its token."""
        if token not in self._kept:
            hint = "CREATE OR REPLACE MODEL trains it anew."
            raise OperationalError(compose("the model is gone: another connection has dropped it", hint=hint))
        return self._kept[token]

    def remove(self, token: str) -> None:
        """Forget a version."""
        self._kept.pop(token, None)
        self._doubted.discard(token)

    def doubt(self, token: str) -> None:
        """Let the next sweep decide about a version."""
        self._doubted.add(token)

    def settle(self, token: str) -> None:
        """A version is to stay."""
        self._doubted.discard(token)

    def sweep(self, wanted: Collection[str]) -> None:
        """Forget the versions in doubt that are not wanted, and settle the others."""
        for token in self._doubted - set(wanted):
            self._kept.pop(token, None)
        self._doubted.clear()

    def size(self, token: str) -> int:
        """Bytes of its arrays."""
        _, state = self.get(token)
        return sum(each.nbytes for each in (*state.tensors.values(), *state.columns.values()))


class FolderStore:
    """Versions in a folder, which is made with the first and removed with the last."""

    def __init__(self, folder: Path, owner: str) -> None:
        self.folder = folder
        self._owner = owner
        self._lock = threading.Lock()

    def put(self, entry: Entry, state: State) -> str:
        """Keep a version, in doubt; its token.

        Raises:
            OperationalError: the disk refuses; nothing of it stays.
        """
        token = new_token(self._owner)
        with self._lock:
            write_folder(self.folder / token, entry, state, in_doubt=True)
        return token

    def get(self, token: str) -> tuple[Entry, State]:
        """A version by its token; for the errors see `read_folder`."""
        return read_folder(self.folder / token)

    def remove(self, token: str) -> None:
        """Forget a version."""
        shutil.rmtree(self.folder / token, ignore_errors=True)
        _remove_empty(self.folder)

    def doubt(self, token: str) -> None:
        """Let the next sweep decide about a version; one of another owner is left alone."""
        if self._owns(token):
            with contextlib.suppress(OSError):  # it is gone, or stays for ever
                (self.folder / token / DOUBT).touch()

    def settle(self, token: str) -> None:
        """A version is to stay."""
        with contextlib.suppress(OSError):
            (self.folder / token / DOUBT).unlink()

    def sweep(self, wanted: Collection[str]) -> None:
        """Forget the versions in doubt that are not wanted, settle the others, remove what was left half written."""
        with self._lock:
            for path in list(self.folder.iterdir()) if self.folder.is_dir() else []:
                if path.name.startswith(".") and self._owns(path.name.removeprefix(".").removesuffix(".part")):
                    shutil.rmtree(path, ignore_errors=True)
                elif self._owns(path.name) and (path / DOUBT).exists():
                    if path.name in wanted:
                        self.settle(path.name)
                    else:
                        shutil.rmtree(path, ignore_errors=True)
            _remove_empty(self.folder)

    def size(self, token: str) -> int:
        """Bytes on disk."""
        folder = self.folder / token
        return sum(path.stat().st_size for path in folder.iterdir()) if folder.is_dir() else 0

    def _owns(self, token: str) -> bool:
        return _is_token(token) and token[1:9] == self._owner


def new_token(owner: str) -> str:
    """A name that no other version has, and that tells whose it is."""
    return f"m{owner}{secrets.token_hex(8)}"


def _is_token(text: str) -> bool:
    return len(text) == 25 and text[0] == "m" and all(each in "0123456789abcdef" for each in text[1:])


def _remove_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:  # other versions, or nothing
        return


def write_folder(target: Path, entry: Entry, state: State, *, in_doubt: bool = False) -> None:
    """Write a version as a folder that is complete or absent.

    Args:
        in_doubt: mark it so that a sweep of its store may remove it.
    Raises:
        OperationalError: the disk refuses, or something is there already.
    """
    half = target.with_name(f".{target.name}.part")
    made = [each for each in target.parents if not each.exists()]
    try:
        half.mkdir(parents=True)
        sums = {
            TENSORS: _write(half / TENSORS, tensors.to_bytes(state.tensors)),
            COLUMNS: _write(half / COLUMNS, [_arrow_bytes(state.columns)]),
        }
        facts = {**asdict(replace(entry, facts=dict(state.facts))), "format": FORMAT, "files": sums}
        facts["checksum"] = _checksum(facts)
        _write(half / FACTS, [json.dumps(facts, indent=1).encode()])
        if in_doubt:
            (half / DOUBT).touch()
        _flush_folder(half)
        os.rename(half, target)
        _flush_folder(target.parent)
    except BaseException as fault:
        shutil.rmtree(half, ignore_errors=True)
        for each in made:
            _remove_empty(each)
        if isinstance(fault, OSError):
            hint = "look for space and rights there, or connect with another model_dir."
            problem = f"cannot write the model {target}: {fault.strerror or fault}"
            raise OperationalError(compose(problem, hint=hint)) from fault
        raise


def read_folder(folder: Path) -> tuple[Entry, State]:
    """A version from its folder.

    Raises:
        OperationalError: it is missing, or not what was written. NotSupportedError: a newer version wrote it.
    """
    facts = _read_facts(folder)
    written = facts.get("format")
    if not isinstance(written, int):
        raise _damaged(folder / FACTS)
    if written > FORMAT:
        raise NotSupportedError(
            compose(
                f"the model {folder} is of format {facts['format']}, this version reads up to {FORMAT}",
                hint="open it with the version of paretosql that wrote it, or a newer one.",
            )
        )
    try:
        if facts.pop("checksum") != _checksum(facts):
            raise _damaged(folder / FACTS)
        data = {name: _read_checked(folder / name, expected) for name, expected in facts["files"].items()}
        known: dict[str, Any] = {each: facts[each] for each in Entry.__dataclass_fields__}
        known.update({name: _tuples(known[name]) for name in _TUPLES})
        entry = Entry(**known)
        columns = _columns_of(data[COLUMNS])
    except (KeyError, TypeError, pa.ArrowInvalid) as fault:
        raise _damaged(folder) from fault
    return entry, State(entry.facts, tensors.from_bytes(data[TENSORS], str(folder / TENSORS)), columns)


_TUPLES = ("columns", "transform", "evaluation", "log", "trials", "notes")


def _tuples(value: Any) -> tuple[Any, ...]:
    return tuple(tuple(each) if isinstance(each, list) else each for each in value)


def _read_facts(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / FACTS).read_bytes())
    except FileNotFoundError as fault:
        problem = f"the model's files are missing: {folder}"
        hint = (
            "the folder belongs beside the database, or is the model_dir of connect(..); move both together, or train"
            " the model anew."
        )
        raise OperationalError(compose(problem, hint=hint)) from fault
    except (OSError, ValueError, RecursionError) as fault:
        raise _damaged(folder / FACTS) from fault
    if not isinstance(found, dict):
        raise _damaged(folder / FACTS)
    return found


def _read_checked(path: Path, expected: str) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as fault:
        raise _damaged(path) from fault
    if hashlib.sha256(data).hexdigest() != expected:
        raise _damaged(path)
    return data


def _damaged(path: Path) -> OperationalError:
    hint = "restore it from a copy, or train the model anew with CREATE OR REPLACE MODEL."
    return OperationalError(compose(f"the model file {path} is damaged", hint=hint))


def _checksum(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _write(path: Path, pieces: Iterable[bytes | memoryview]) -> str:
    """Write and flush a file; its SHA-256."""
    digest = hashlib.sha256()
    with open(path, "wb") as file:
        for piece in pieces:
            file.write(piece)
            digest.update(piece)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _arrow_bytes(columns: Mapping[str, pa.Array]) -> memoryview:
    """One row that holds every column as a list."""
    lists = {
        name: pa.LargeListArray.from_arrays(pa.array([0, len(each)], pa.int64()), each)
        for name, each in sorted(columns.items())
    }
    table = pa.table(lists)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return memoryview(sink.getvalue())


def _columns_of(data: bytes) -> dict[str, pa.Array]:
    with pa.ipc.open_file(pa.py_buffer(data)) as reader:
        table = reader.read_all()
    return {name: table.column(name).chunk(0).values for name in table.column_names}
