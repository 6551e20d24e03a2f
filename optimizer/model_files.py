"""Latency models on disk: a folder with `model.json`, trees as LightGBM's text, and tables as Arrow files.

    model.json  model.txt  recurring.txt  memory.txt  arrays.arrow  past.arrow

Nothing in it is run when it is read. A folder is whole or absent: it is filled beside its place and then renamed, and
`model.json` holds a checksum of every other file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from paretosql.errors import DataError, OperationalError, compose
from paretosql.optimizer.features import COLUMNS
from paretosql.optimizer.folders import refuse_occupied, says, written_whole
from paretosql.optimizer.latency_model import TrainedModel
from paretosql.optimizer.model_parts import Content, kinds

FORMAT, VERSION = "paretosql latency model", 2
HEADER = "model.json"
AGAIN = "train the model again and save it."


def save_model(model: TrainedModel, path: str | Path, *, replace: bool = False) -> None:
    """Write a model into a folder that does not exist or is empty.

    Args:
        replace: True: take the place of another model, which stays until the new one is complete.
    Raises:
        OperationalError: something else is there, or the disk failed.
    """
    with written_whole(path, "latency model", _holds_model, replace=replace) as half:
        content = kinds[model.name].write(model)
        files = {**{name: text.encode() for name, text in content.texts.items()},
                 **{name: _to_bytes(table) for name, table in content.tables.items()}}  # fmt: skip
        for name, data in files.items():
            (half / name).write_bytes(data)
        header = {
            "format": FORMAT,
            "version": VERSION,
            "kind": model.name,
            "columns": list(COLUMNS),
            "quality": None if model.quality is None else dict(model.quality),
            "facts": content.facts,
            "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
        }
        header["checksum"] = _checksum(header)
        (half / HEADER).write_text(json.dumps(header, indent=2) + "\n", encoding="utf-8")


def refuse_occupied_model(path: str | Path, *, replace: bool = False) -> None:
    """OperationalError when `save_model` could not write here: to be asked before minutes of training."""
    refuse_occupied(path, "latency model", _holds_model, replace=replace)


def _holds_model(folder: Path) -> bool:
    return says(folder / HEADER, field="format", value=FORMAT)


def load_model(path: str | Path) -> TrainedModel:
    """Read a model that `save_model` wrote; it predicts bit for bit what the saved one did.

    Raises:
        OperationalError: nothing is there.
        DataError: it is no model, it is damaged, or another version of this package wrote it.
    """
    folder = Path(path)
    if not folder.exists():
        raise OperationalError(f"no folder {str(folder)!r}")
    header = _header(folder)
    content = _content(folder, header)
    try:
        model: TrainedModel = kinds[header["kind"]].read(content, header["quality"])
    except (KeyError, TypeError, ValueError, pa.ArrowInvalid) as fault:
        raise DataError(compose(f"the model {folder} is damaged: {fault!r}", hint=AGAIN)) from fault
    return model


def _header(folder: Path) -> Mapping[str, Any]:
    file = folder / HEADER
    if not file.is_file():
        raise DataError(compose(f"{folder} is no latency model: it has no {HEADER}", hint="save_model writes one."))
    try:
        header = json.loads(file.read_text(encoding="utf-8"))
        known, version, columns = header["format"], header["version"], header["columns"]
    except (ValueError, KeyError, TypeError, RecursionError) as fault:
        raise DataError(compose(f"{file} is damaged: {fault!r}", hint=AGAIN)) from fault
    if known != FORMAT:
        raise DataError(compose(f"{folder} is no latency model but {known!r}", hint="save_model writes one."))
    if version != VERSION:
        raise DataError(compose(f"{folder} has version {version!r}; this package reads {VERSION}", hint=AGAIN))
    if header.get("checksum") != _checksum(header):
        raise DataError(compose(f"{file} is damaged: its checksum differs", hint=AGAIN))
    if tuple(columns) != COLUMNS:
        raise DataError(compose(f"{folder} was trained on other features than this version has", hint=AGAIN))
    if header.get("kind") not in kinds:
        raise DataError(compose(f"{folder} holds an unknown kind of model", hint=f"known: {', '.join(kinds)}."))
    found: Mapping[str, Any] = header
    return found


def _checksum(header: Mapping[str, Any]) -> str:
    """Of everything in a header but the checksum itself."""
    rest = {name: value for name, value in header.items() if name != "checksum"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _content(folder: Path, header: Mapping[str, Any]) -> Content:
    """Every file that the header lists, after a look at its checksum."""
    texts, tables = {}, {}
    for name, checksum in dict(header["files"]).items():
        file = folder / Path(name).name
        try:
            data = file.read_bytes()
        except OSError as fault:
            raise DataError(compose(f"{file} cannot be read: {fault.strerror}", hint=AGAIN)) from fault
        if hashlib.sha256(data).hexdigest() != checksum:
            raise DataError(compose(f"{file} is damaged: its checksum differs", hint=AGAIN))
        if file.suffix == ".arrow":
            tables[name] = pa.ipc.open_file(pa.py_buffer(data)).read_all()
        else:
            texts[name] = data.decode()
    return Content(header["facts"], texts, tables)


def _to_bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    found: bytes = sink.getvalue().to_pybytes()
    return found
