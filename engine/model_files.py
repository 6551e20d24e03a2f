"""Models as folders of their own: written from a database, and read into one.

The folder is that of the store (`model.json`, `tensors.safetensors`, `columns.arrow`), so it carries its checksums, and
nothing in it is run when it is read. What reads it gives the model a version of its own.
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from paretosql.engine.model_catalog import ModelRow, assembled
from paretosql.engine.session import Session
from paretosql.errors import OperationalError, ProgrammingError, compose
from paretosql.udfs.model import Model
from paretosql.udfs.store import COLUMNS, FACTS, TENSORS, Entry, read_folder, write_folder


def export_model(session: Session, name: str, folder: str | os.PathLike[str], *, replace: bool = False) -> None:
    """Write a model into a folder that does not exist or is empty; whole, or nothing of it.

    Args:
        replace: True: take the place of another model, which stays until the new one is complete.
    Raises:
        ProgrammingError: there is no such model.
        OperationalError: something else is there, the disk refuses, the stored model is damaged.
    """
    from paretosql.optimizer.folders import written_whole  # here: its package takes longer to load than a model

    with session.lock:
        session.free()
        entry, state = session.models.parts(session.models.named(name))
    try:
        with written_whole(Path(folder), "model", _holds_model, replace=replace) as fresh:
            write_folder(fresh, entry, state)
    except OSError as fault:
        problem = f"cannot write the model {os.fspath(folder)}: {fault.strerror or fault}"
        raise OperationalError(compose(problem, hint="look for space and rights there.")) from fault


def _holds_model(folder: Path) -> bool:
    from paretosql.optimizer.folders import says

    return says(folder / FACTS, field="model_type")


def import_model(
    session: Session, folder: str | os.PathLike[str], name: str | None = None, *, replace: bool = False
) -> ModelRow:
    """Read a model from a folder; it belongs to the open transaction, as one that CREATE MODEL makes.

    Args:
        name: what it is called in the database; None: as in the folder.
        replace: True: take the place of the model of that name, whose next version it becomes.
    Returns:
        What the database now says of it.
    Raises:
        OperationalError: no model is there, or it is damaged; the database is read-only; the disk refuses.
        ProgrammingError: the name is taken; the type of the model is not known here.
        NotSupportedError: a newer version of this package wrote it.
    """
    with session.lock:
        session.free()
        models = session.models
        models.refuse_read_only()
        entry, model = _read(Path(folder))
        wanted = entry.name if name is None else name
        if not wanted:
            raise ProgrammingError(compose("a model needs a name", hint="give it one: --as NAME, or name='..'."))
        with session.changing(False), session.plan_transaction():
            known = models.find(wanted)
            if known is not None and not replace:
                hint = "give another name (--as, or name=..), or allow replacing it (--replace, or replace=True)."
                raise ProgrammingError(compose(f"the model {known.name!r} exists already", hint=hint))
            return models.put(dataclasses.replace(entry, name=wanted), model, known)


def _read(folder: Path) -> tuple[Entry, Model]:
    """A model from its folder, put together so that what cannot be asked is not let in."""
    if not os.path.isfile(folder / FACTS):
        hint = f"paretosql models export writes such a folder: {FACTS}, {TENSORS} and {COLUMNS}."
        raise OperationalError(compose(f"no model in {str(folder)!r}", hint=hint))
    entry, state = read_folder(folder)
    try:
        return entry, assembled(entry, state)
    except (LookupError, TypeError, ValueError, AttributeError) as fault:
        problem = f"the model in {str(folder)!r} does not fit its type {entry.model_type!r}: {fault!r}"
        raise OperationalError(compose(problem, hint="export it again, with this version of paretosql.")) from fault
