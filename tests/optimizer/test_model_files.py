"""A saved model predicts bit for bit what it did before; what is damaged or foreign is refused with a reason."""

from __future__ import annotations

import hashlib
import json
import os

import numpy as np
import pytest

from paretosql.errors import DataError, OperationalError
from paretosql.optimizer import folders
from paretosql.optimizer.model_files import load_model, save_model
from paretosql.optimizer.training import predict_trace, train, train_stage_median
from tests.optimizer.small_trace import small_trace


@pytest.fixture(scope="module")
def models():
    """One of each kind."""
    trace = small_trace(20)
    made = (train(trace, threads=1), train(small_trace(6, instances=8), threads=1), train_stage_median(trace))
    return {model.name: model for model in made}


@pytest.fixture
def saved(models, tmp_path):
    """The folder of a boosted model."""
    save_model(models["boosted"], tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize("name", ["boosted", "analytic", "stage_median"])
def test_a_loaded_model_is_the_saved_one(models, name, tmp_path):
    """Predictions, quality, errors, floors and warnings."""
    model, later = models[name], small_trace(6, first=50)
    save_model(model, tmp_path / "model")
    again = load_model(tmp_path / "model")
    before, after = (predict_trace(each, later)["latency_s"].to_numpy() for each in (model, again))
    assert before.tobytes() == after.tobytes()
    assert (again.name, again.quality) == (model.name, model.quality)
    assert again.log_residuals.tobytes() == model.log_residuals.tobytes()
    if model.errors:
        drawn = [each.errors.sample(before, "straggler", 3).tobytes() for each in (model, again)]
        assert drawn[0] == drawn[1]
    stage = small_stage()
    np.testing.assert_array_equal(again.memory_floor_gib(stage), model.memory_floor_gib(stage))


def small_stage():
    """A stage of a trace."""
    from paretosql.optimizer.traced import traced

    return traced(small_trace(3)).stages[0]


def test_a_folder_holds_text_and_tables_only(saved):
    """Nothing that is run when it is read."""
    names = {file.name for file in saved.iterdir()}
    assert names == {"model.json", "model.txt", "recurring.txt", "memory.txt", "arrays.arrow", "past.arrow"}
    assert (saved / "model.txt").read_text().startswith("tree\n")
    assert all((saved / name).read_bytes()[:6] == b"ARROW1" for name in names if name.endswith(".arrow"))


@pytest.mark.parametrize("name", ["model.txt", "recurring.txt", "memory.txt", "arrays.arrow", "past.arrow"])
def test_every_damaged_file_is_noticed(saved, name):
    """One changed byte, and no file at all."""
    data = bytearray((saved / name).read_bytes())
    data[len(data) // 2] ^= 1
    (saved / name).write_bytes(bytes(data))
    with pytest.raises(DataError, match=f"{name} is damaged(.|\n)*Hint: train the model again"):
        load_model(saved)
    (saved / name).unlink()
    with pytest.raises(DataError, match=f"{name} cannot be read"):
        load_model(saved)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 99}, "has version 99; this package reads 2"),
        ({"format": "a cake"}, "is no latency model but 'a cake'"),
        ({"columns": ["stage.size"]}, "other features"),
        ({"kind": "oracle"}, "unknown kind"),
        ({"facts": {}}, "is damaged"),
        ({"facts": {"base": {"general": "x"}, "hw_codes": {}}}, "is damaged"),
        ({"files": {}}, "is damaged"),
    ],
)
def test_another_header_is_refused(saved, change, said):
    """Another version, another format, or parts missing; with a hint."""
    header = {**json.loads((saved / "model.json").read_text()), **change}
    del header["checksum"]  # made anew, as by someone who means it
    header["checksum"] = hashlib.sha256(json.dumps(header, sort_keys=True).encode()).hexdigest()
    (saved / "model.json").write_text(json.dumps(header))
    with pytest.raises(DataError, match=said) as raised:
        load_model(saved)
    assert "Hint: " in str(raised.value)


def test_a_changed_number_in_the_header_is_noticed(saved):
    """One digit of the constant that all predictions are added to."""
    header = json.loads((saved / "model.json").read_text())
    header["facts"]["base"]["general"] += 0.001
    (saved / "model.json").write_text(json.dumps(header))
    with pytest.raises(DataError, match=r"model\.json is damaged: its checksum differs"):
        load_model(saved)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '"a"', '{"format": 1}'])
def test_a_header_that_is_none_is_refused(saved, text):
    """Not JSON, or not what we write."""
    (saved / "model.json").write_text(text)
    with pytest.raises(DataError):
        load_model(saved)


def test_a_foreign_folder_is_no_model(tmp_path):
    """And nothing is nothing."""
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(DataError, match=r"it has no model\.json"):
        load_model(tmp_path)
    with pytest.raises(OperationalError, match="no folder"):
        load_model(tmp_path / "missing")


def test_only_a_model_is_replaced(models, saved, tmp_path):
    """And only when asked to."""
    with pytest.raises(OperationalError, match="holds a latency model already"):
        save_model(models["analytic"], saved)
    save_model(models["analytic"], saved, replace=True)
    assert load_model(saved).name == "analytic"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("hello")
    with pytest.raises(OperationalError, match="holds other files"):
        save_model(models["analytic"], tmp_path / "other", replace=True)
    with pytest.raises(OperationalError, match="is a file"):
        save_model(models["analytic"], tmp_path / "other" / "notes.txt")


def test_a_failed_write_leaves_what_was_there(models, saved, tmp_path, monkeypatch):
    """The old model stays whole, and nothing half written is left beside it."""
    rename = os.rename

    def broken(source, target):
        if str(target) == str(saved) and not str(source).endswith(".old"):
            raise OSError(28, "No space left on device")
        rename(source, target)

    monkeypatch.setattr(os, "rename", broken)
    monkeypatch.setattr(folders, "_exchanged", lambda *paths: False)  # as where the system cannot
    with pytest.raises(OperationalError, match="No space left"):
        save_model(models["analytic"], saved, replace=True)
    monkeypatch.undo()
    assert load_model(saved).name == "boosted"
    assert [each.name for each in tmp_path.iterdir()] == ["model"]
