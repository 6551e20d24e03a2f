"""Models on disk: killed writers, cuts at every write, flipped bits, newer versions, files that are gone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import paretosql

TOP = Path(__file__).parents[2]


def killed(path: Path, rounds: int, seed: int) -> str:
    """Kill that many writers; the last line that the judge prints."""
    command = [sys.executable, "-m", "tests.engine.model_kills", str(path), str(rounds), str(seed)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=TOP)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()[-1]


def test_killed_writers(tmp_path):
    """A writer that is killed at any moment leaves the old model or the new one, whole, and nothing else; a reader
    beside it is told one version or the other.
    """
    assert killed(tmp_path / "shop.db", 8, 1) == "8 kills survived"


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_many_killed_writers(tmp_path):
    """The same five hundred times."""
    assert killed(tmp_path / "shop.db", 500, 2) == "500 kills survived"


def test_a_cut_at_any_write(tmp_path):
    """Wherever the process ends while a model is written, the next one finds the old model or the new one, whole."""
    command = [sys.executable, "-m", "tests.engine.model_kills", str(tmp_path / "shop.db"), "cuts", "0"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=TOP)
    assert done.returncode == 0, done.stdout + done.stderr
    (cuts,) = [int(line.split()[0]) for line in done.stdout.splitlines() if line.endswith("cuts survived")]
    assert cuts > 6, "the writes were not counted"


@pytest.fixture
def shop(tmp_path):
    """A database with one model, closed; its path and the folder of the model."""
    path = tmp_path / "shop.db"
    with paretosql.connect(path, autocommit=True) as con:
        con.execute(
            "CREATE MODEL taste OPTIONS (model_type = 'ease') AS"
            " SELECT range % 7 AS user_id, 'item ' || range % 5 AS item_id FROM range(40)"
        )
        con.close()
    (folder,) = (tmp_path / "shop.db.models").iterdir()
    return path, folder


def ask(path):
    """Ask the model of a database."""
    with paretosql.connect(path, autocommit=True) as con:
        try:
            return con.execute("SELECT * FROM recommend(MODEL taste)").fetchall()
        finally:
            con.close()


@pytest.mark.parametrize("name", ["model.json", "tensors.safetensors", "columns.arrow"])
def test_a_flipped_bit(shop, name):
    """One bit anywhere in a file of the model is noticed; the message names the file."""
    path, folder = shop
    whole = (folder / name).read_bytes()
    for place in sorted({0, 1, len(whole) // 3, len(whole) // 2, len(whole) - 2}):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << (place % 8)
        (folder / name).write_bytes(damaged)
        with pytest.raises(paretosql.OperationalError, match=r"(?s)is damaged.*Hint") as caught:
            ask(path)
        assert name in str(caught.value) or folder.name in str(caught.value)
    (folder / name).write_bytes(whole)
    assert ask(path) is not None


@pytest.mark.parametrize("name", ["model.json", "tensors.safetensors", "columns.arrow"])
def test_a_file_that_is_gone(shop, name):
    """A missing file is an error of its own, and the database goes on."""
    path, folder = shop
    (folder / name).unlink()
    with pytest.raises(paretosql.OperationalError, match=r"missing|damaged"):
        ask(path)
    with paretosql.connect(path, autocommit=True) as con:
        assert con.execute("SELECT name FROM pareto_models.models").fetchall() == [("taste",)]
        con.execute("DROP MODEL taste")
        con.close()


def test_a_newer_format(shop):
    """A model that a newer version wrote is refused with what to do."""
    path, folder = shop
    facts = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**facts, "format": facts["format"] + 1}))
    with pytest.raises(paretosql.NotSupportedError, match=r"(?s)format 2.*newer"):
        ask(path)


def test_replaced_and_dropped_versions_vanish(tmp_path):
    """After the last connection closes there are only the files of the models that there are; none, when none is."""
    path, folder = tmp_path / "shop.db", tmp_path / "shop.db.models"
    rows = "SELECT range % 7 AS user_id, range % 5 AS item_id FROM range(40)"
    with paretosql.connect(path, autocommit=True) as con:
        for _ in range(3):
            con.execute(f"CREATE OR REPLACE MODEL a OPTIONS (model_type = 'popularity') AS {rows}")
        con.execute(f"CREATE MODEL b OPTIONS (model_type = 'popularity') AS {rows}")
        con.close()
    assert len(list(folder.iterdir())) == 2
    with paretosql.connect(path, autocommit=True) as con:
        con.execute("DROP MODEL a")
        con.execute("DROP MODEL b")
        con.close()
    assert not folder.exists()


def test_a_disk_that_is_full(tmp_path):
    """When a file cannot be written, nothing of the model stays, and the old one is there."""
    if os.geteuid() == 0 and not Path("/dev/full").exists():
        pytest.skip("no way to make a write fail here")
    path = tmp_path / "shop.db"
    rows = "SELECT range % 7 AS user_id, range % 5 AS item_id FROM range(40)"
    with paretosql.connect(path, model_dir="/dev/full/models", autocommit=True) as con:
        with pytest.raises(paretosql.OperationalError, match="cannot write the model"):
            con.execute(f"CREATE MODEL a OPTIONS (model_type = 'popularity') AS {rows}")
        assert con.execute("SHOW MODELS").fetchall() == []
        con.close()
