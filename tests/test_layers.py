"""Imports go one way: facade, engine, then udfs, optimizer and sketches, then errors and registry.

Every import statement of the package is read with `ast`, so a breach is found in code that no test runs.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
ROOMS = ("engine", "optimizer", "sketches", "udfs")
NEIGHBOURS = {"optimizer", "sketches", "udfs"}
FOUNDATION = {"errors", "registry"}
FILES = [path for room in ("paretosql", *ROOMS) for path in sorted((TOP / room).rglob("*.py"))]
HEAVY = (
    "ray",
    "torch",
    "lightgbm",
    "pulp",
    "scipy",
    "pandas",
    "polars",
    "prompt_toolkit",
    "rich",
    "matplotlib",
    "datasketches",
    "multiprocessing",
)


def names(path: Path) -> list[str]:
    """The full name of every module that a file imports, also inside functions and under TYPE_CHECKING."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


def layer(path: Path) -> str:
    """`engine`, `optimizer`, `sketches`, `udfs`, `foundation` or `facade`."""
    room = path.relative_to(TOP).parts[0]
    if room != "paretosql":
        return room
    return "foundation" if path.stem in FOUNDATION else "facade"


def target(name: str) -> str | None:
    """The layer of an imported name, or None when it is not ours."""
    parts = name.split(".")
    if parts[0] != "paretosql":
        return None
    if len(parts) > 1 and parts[1] in ROOMS:
        return parts[1]
    return "foundation" if len(parts) > 1 and parts[1] in FOUNDATION else "facade"


ALLOWED = {
    "facade": {"facade", "engine", *NEIGHBOURS, "foundation"},
    "engine": {"engine", *NEIGHBOURS, "foundation"},
    **{room: {room, "foundation"} for room in NEIGHBOURS},
    "foundation": {"foundation"},
}


def test_there_are_files_to_check():
    """The folders are where this test looks for them."""
    assert {path.relative_to(TOP).parts[0] for path in FILES} == {"paretosql", *ROOMS}
    assert len(FILES) > 20


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TOP)))
def test_imports_go_downwards(path):
    """A module imports only from its own layer and from those below it."""
    for name in names(path):
        assert target(name) in {None, *ALLOWED[layer(path)]}, f"{path.relative_to(TOP)} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TOP)))
def test_rooms_are_imported_by_their_full_name(path):
    """`engine.x` and `paretosql.engine.x` would be two modules with two copies of every class."""
    bare = [name for name in names(path) if name.split(".")[0] in (*ROOMS, "benchmarks", "tests")]
    assert bare == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TOP)))
def test_modules_have_one_subject(path):
    """No module is longer than 400 lines, none is a drawer for leftovers, and each says what it is for."""
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 400
    assert path.stem not in ("utils", "util", "helpers", "helper", "common", "misc")
    assert ast.get_docstring(ast.parse(text)), "a module begins with a docstring"


def _modules_after(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=TOP.parent)
    return {name.split(".")[0] for name in done.stdout.split()}


def test_import_brings_nothing_heavy():
    """`import paretosql` and a first query load no optional and no heavy package."""
    loaded = _modules_after("import paretosql; paretosql.connect().execute('SELECT 1').fetchall()")
    assert "paretosql" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_import_puts_no_room_at_the_top():
    """Nothing called engine, tests or benchmarks gets into the reader's namespace."""
    assert _modules_after("import paretosql").isdisjoint((*ROOMS, "tests", "benchmarks"))
