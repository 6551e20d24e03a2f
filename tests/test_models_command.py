"""`paretosql models`, as a user's terminal or script sees it: real processes on real files."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import paretosql
from paretosql.udfs.store import COLUMNS, FACTS, FORMAT, TENSORS, read_folder

PROGRAM = [sys.executable, "-m", "paretosql", "models"]
# what `python -m paretosql` does, in a process that stands still when it flushes for the n-th time
SLOW = """
import os, sys, time
flush, left = os.fsync, [{count}]
def flushing(handle):
    left[0] -= 1
    if left[0] == 0:
        print("flushing", flush=True)
        time.sleep(60)
    flush(handle)
os.fsync = flushing
from paretosql.__main__ import main
sys.exit(main(["models", *sys.argv[1:]]))
"""
FILES = sorted((FACTS, TENSORS, COLUMNS))
FLUSHES = 5  # of an export: three files, their folder, the folder around it
ASKED = "SELECT * FROM recommend(MODEL {name}, TABLE users, k => 3) ORDER BY ALL"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `shop.db`, which holds the models `taste` and `Trend`, and with `taste` as a folder."""
    folder = tmp_path_factory.mktemp("made")
    with paretosql.connect(folder / "shop.db") as con:
        con.execute(
            "CREATE TABLE ratings AS SELECT 'user ' || (range * 7919) % 50 AS user_id, "
            "(range * 104729 + range // 50) % 20 AS item_id FROM range(600)"
        )
        con.execute("CREATE TABLE users AS SELECT DISTINCT user_id FROM ratings")
        con.create_model("taste", "ease", "SELECT * FROM ratings", l2=5.0)
        con.create_model("Trend", "popularity", "SELECT * FROM ratings")
        con.export_model("taste", folder / "taste")
    con.close()
    return folder


@pytest.fixture
def place(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of these to work in."""
    folder = tmp_path / "place"
    shutil.copytree(made, folder)
    monkeypatch.chdir(folder)
    return folder


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """Run `paretosql models` with these words, and wait for its end."""
    return subprocess.run(
        [*PROGRAM, *words], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False, text=True
    )


def refused(*words: str) -> str:
    """The message of a command that must fail and must change nothing in the folder it works in."""
    before = content(Path())
    done = run(*words)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("paretosql: ")
    assert "Traceback" not in done.stderr
    assert content(Path()) == before
    return done.stderr


def content(folder: Path) -> dict[str, bytes | None]:
    """Everything under a folder."""
    return {str(path): path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


def answers(database: str, sql: str) -> list[tuple[Any, ...]]:
    """Rows of a query on a database file."""
    con = paretosql.connect(database, read_only=True)
    try:
        return con.execute(sql).fetchall()
    finally:
        con.close()


def rewrite(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change `model.json` as another version of the package would write it: with the right checksum."""
    facts = json.loads((folder / FACTS).read_text())
    del facts["checksum"]
    change(facts)
    facts["checksum"] = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    (folder / FACTS).write_text(json.dumps(facts))


def held(count: int, *words: str) -> subprocess.Popen[str]:
    """A command that has reached its n-th flush and stands still there."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW.format(count=count), *words],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "flushing\n", process.communicate()[1]
    return process


def test_list_shows_what_show_models_shows(place: Path) -> None:
    """A box for people, JSON and the like for programs; a database without models has none."""
    done = run("list", "shop.db", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert [(row["name"], row["model_type"], row["version"]) for row in json.loads(done.stdout)] == [
        ("taste", "ease", 1),
        ("Trend", "popularity", 1),
    ]
    paretosql.connect("plain.db").close()
    done = run("list", "plain.db")
    assert (done.returncode, done.stderr) == (0, "")
    assert "│ name    │ model_type │" in done.stdout and done.stdout.endswith("(0 rows)\n")


def test_a_model_moves_to_another_database(place: Path) -> None:
    """Exported and imported under another name, a model recommends exactly what it did; describe and drop know it."""
    paretosql.connect("other.db").close()
    shutil.copy("shop.db", "users.db")
    done = run("export", "shop.db", "TASTE", "-o", "new/place/taste")
    assert (done.returncode, done.stdout, done.stderr) == (0, "wrote new/place/taste\n", "")
    assert sorted(path.name for path in Path("new/place/taste").iterdir()) == FILES
    done = run("import", "other.db", "new/place/taste", "--as", "taste_of_may")
    assert (done.returncode, done.stdout, done.stderr) == (0, "other.db: taste_of_may\n", "")
    with paretosql.connect("other.db") as con:
        con.execute("ATTACH 'users.db' AS old (READ_ONLY)")
        con.execute("CREATE TABLE users AS SELECT * FROM old.users")
    con.close()
    there = answers("other.db", ASKED.format(name="taste_of_may"))
    assert len(there) == 150
    assert there == answers("shop.db", ASKED.format(name="taste"))
    described = json.loads(run("describe", "other.db", "taste_of_may", "--json").stdout)
    assert ("option", "l2", "5.0") in [(row["part"], row["name"], row["value"]) for row in described]
    assert run("drop", "other.db", "taste_of_may").returncode == 0
    assert answers("other.db", "SELECT count(*) FROM pareto_models.models") == [(0,)]
    assert not Path("other.db.models").exists()


@pytest.mark.parametrize("name", [FACTS, TENSORS, COLUMNS])
def test_a_damaged_folder_is_refused(place: Path, name: str) -> None:
    """One byte of any file is enough: the message names the file, database and store stay as they are."""
    file = place / "taste" / name
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    told = refused("import", "shop.db", "taste", "--as", "other")
    assert "is damaged" in told and name in told and "Hint: " in told


def test_a_stored_model_that_is_damaged_is_not_exported(place: Path) -> None:
    """Nor does anything appear under the name of the new folder."""
    (file,) = [
        path.parent / TENSORS for path in place.glob("shop.db.models/*/*.json") if b'"ease"' in path.read_bytes()
    ]
    file.write_bytes(file.read_bytes()[:-1])
    assert "is damaged" in refused("export", "shop.db", "taste", "-o", "new/taste")


def test_folders_that_do_not_fit_are_refused(place: Path) -> None:
    """A newer format, a type that nobody here knows, arrays of another type, a folder without a model."""
    rewrite(place / "taste", lambda facts: facts.update(format=FORMAT + 1))
    assert f"is of format {FORMAT + 1}, this version reads up to {FORMAT}" in refused("import", "shop.db", "taste")
    rewrite(place / "taste", lambda facts: facts.update(format=FORMAT, model_type="eas"))
    con = paretosql.connect("shop.db")
    with pytest.raises(paretosql.ProgrammingError, match="no model type named 'eas'"):
        con.import_model("taste", "other")
    rewrite(place / "taste", lambda facts: facts.update(model_type="ease", facts={}))
    with pytest.raises(paretosql.OperationalError, match="does not fit its type 'ease'"):
        con.import_model("taste", "other")
    with pytest.raises(paretosql.OperationalError, match="no model in 'nowhere'\nHint: "):
        con.import_model("nowhere")
    with pytest.raises(paretosql.ProgrammingError, match="needs a name"):
        con.import_model(next(place.glob("shop.db.models/*")), "")
    con.close()
    assert len(list(place.glob("shop.db.models/*"))) == 2


def test_no_command_makes_a_database(place: Path) -> None:
    """A database that does not exist is an error, and so is a file that is no database."""
    Path("items.csv").write_text("a,b\n1,2\n")
    for words in (["list", "no.db"], ["export", "no.db", "taste", "-o", "x"], ["import", "items.csv", "taste"]):
        told = refused(*words)
        assert f"{words[1]!r} is not a database file" in told and "Hint: " in told


def test_another_kind_of_model_is_not_replaced(place: Path) -> None:
    """A latency model of `paretosql train` lies in a folder with a model.json as well."""
    (place / "latency").mkdir()
    (place / "latency" / "model.json").write_text('{"format": "paretosql latency model"}')
    assert "holds other files" in refused("export", "shop.db", "taste", "-o", "latency", "--replace")
    assert len(list((place / "latency").iterdir())) == 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="one step for two renames is Linux's")
def test_a_process_that_dies_while_it_replaces_leaves_a_model(place: Path) -> None:
    """It ends where the old one would be removed, or at the first rename: a whole model is there at both."""
    code = (
        "import os, shutil, paretosql.__main__ as m\n"
        "os.rename = shutil.rmtree = lambda *paths, **how: os._exit(9)\n"
        "m.main()"
    )
    words = ["models", "export", "shop.db", "trend", "-o", "taste", "--replace"]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, check=False)
    assert done.returncode == 9, done.stderr
    assert read_folder(place / "taste")[0].model_type in ("ease", "popularity")


def test_what_is_there_stays_unless_it_may_be_replaced(place: Path) -> None:
    """A folder with a model and a name that is taken want --replace; folders with other files stay in any case."""
    assert "(--replace)" in refused("export", "shop.db", "Trend", "-o", "taste")
    con = paretosql.connect("shop.db", read_only=True)
    with pytest.raises(paretosql.OperationalError, match="holds other files\nHint: "):
        con.export_model("Trend", "shop.db.models", replace=True)
    with pytest.raises(paretosql.ProgrammingError, match="Hint: did you mean 'taste'"):
        con.export_model("tast", "new")
    con.close()
    told = refused("import", "shop.db", "taste")
    assert "the model 'taste' exists already" in told and "--as" in told
    assert run("export", "shop.db", "trend", "-o", "taste", "--replace").stderr == ""
    assert read_folder(place / "taste")[0].model_type == "popularity"
    assert run("import", "shop.db", "taste", "--as", "Taste", "--replace").stderr == ""
    assert answers("shop.db", "SELECT name, model_type, version FROM pareto_models.models ORDER BY key") == [
        ("Taste", "popularity", 2),
        ("Trend", "popularity", 1),
    ]
    assert answers("shop.db", ASKED.format(name="taste")) == answers("shop.db", ASKED.format(name="trend"))
    assert len(list(place.glob("shop.db.models/*"))) == 2  # the version before is gone


@pytest.mark.parametrize(
    "count", [pytest.param(1, marks=pytest.mark.slow), 3, pytest.param(FLUSHES, marks=pytest.mark.slow)]
)
def test_a_killed_export_leaves_no_model_behind(place: Path, count: int) -> None:
    """Nothing stands under the name of the new folder, and the same export works afterwards."""
    process = held(count, "export", "shop.db", "taste", "-o", "new/taste")
    process.kill()
    process.communicate()
    assert not (place / "new" / "taste").exists()
    con = paretosql.connect("shop.db", read_only=True)
    con.export_model("taste", "new/taste")
    con.close()
    assert sorted(path.name for path in (place / "new" / "taste").iterdir()) == FILES


@pytest.mark.slow
def test_a_killed_replacement_leaves_the_old_model(place: Path) -> None:
    """The folder that should be replaced is still there, and whole."""
    process = held(FLUSHES, "export", "shop.db", "Trend", "-o", "taste", "--replace")
    process.kill()
    process.communicate()
    assert read_folder(place / "taste")[0].model_type == "ease"


@pytest.mark.parametrize(
    "words", [["export", "shop.db", "taste", "-o", "new/taste"], ["import", "shop.db", "taste", "--as", "n"]]
)
def test_ctrl_c_leaves_nothing_half_written(place: Path, words: list[str]) -> None:
    """Status 130, and not even hidden files or the folders around the new one."""
    before = content(place)
    process = held(3, *words)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    assert process.communicate()[1] == ""
    assert content(place) == before


def test_a_full_disk_leaves_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An export that the disk refuses is an error of ours, and nothing of it stays."""
    before = content(place / "taste")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    con = paretosql.connect("shop.db", read_only=True)
    monkeypatch.setattr("os.fsync", full)
    for folder in ("new/taste", "taste"):
        with pytest.raises(paretosql.OperationalError, match=r"cannot write the model .*: No space left on device"):
            con.export_model("Trend", folder, replace=True)
    with pytest.raises(paretosql.OperationalError, match=r"cannot write the model .*: File name too long"):
        con.export_model("Trend", "x" * 300)
    con.close()
    assert content(place / "taste") == before
    assert not Path("new").exists()


def test_a_killed_import_leaves_the_database_as_it_was(place: Path) -> None:
    """The name means the old version, and what the killed process wrote is gone once the database is opened again."""
    process = held(FLUSHES, "import", "shop.db", "taste", "--as", "Trend", "--replace")
    assert len(list(place.glob("shop.db.models/*"))) == 3
    process.kill()
    process.communicate()
    paretosql.connect("shop.db").close()
    assert len(list(place.glob("shop.db.models/*"))) == 2
    assert answers("shop.db", "SELECT model_type, version FROM pareto_models.models WHERE name = 'Trend'") == [
        ("popularity", 1)
    ]


def test_an_import_belongs_to_its_transaction(place: Path) -> None:
    """After a rollback it has not been; after a commit another connection knows it. A read-only database refuses it."""
    con = paretosql.connect("shop.db", autocommit=True)
    other = paretosql.connect("shop.db")
    con.execute("BEGIN")
    con.import_model("taste", "first")
    con.export_model("first", "first")
    con.execute("ROLLBACK")
    assert read_folder(Path("first"))[0].name == "first"
    with pytest.raises(paretosql.ProgrammingError, match="no model named 'first'"):
        con.model("first")
    handle = con.import_model(Path("taste"), name="second")
    assert handle.name == other.model("SECOND").name == "second"
    assert handle.recommend("users", k=3).arrow() == other.model("taste").recommend("users", k=3).arrow()
    con.close()
    other.close()
    con = paretosql.connect("shop.db", read_only=True)
    with pytest.raises(paretosql.OperationalError, match="read-only"):
        con.import_model("taste", "third")
    con.close()
    with pytest.raises(paretosql.InterfaceError, match="closed"):
        con.export_model("taste", "third")


def test_models_in_memory_can_be_exported_too(con: paretosql.Connection, place: Path) -> None:
    """A database in memory takes part in both directions."""
    assert con.import_model("taste").name == "taste"
    con.export_model("taste", "again")
    again, first = read_folder(Path("again")), read_folder(Path("taste"))
    assert again[0].options == first[0].options
    assert {name: each.tobytes() for name, each in again[1].tensors.items()} == {
        name: each.tobytes() for name, each in first[1].tensors.items()
    }
