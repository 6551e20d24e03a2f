"""The exercise of docs/adding_a_family.md: the file as printed is a family that passes the contract."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_the_exercise_passes_the_contract(tmp_path):
    """Under 60 lines, registered by an entry point as any installed package would, and tested by inheritance alone."""
    family, test = BLOCK.findall((ROOT / "docs" / "adding_a_family.md").read_text(encoding="utf-8"))
    assert len(family.strip().splitlines()) < 60
    package, info = tmp_path / "site" / "my_package", tmp_path / "site" / "my_package-1.0.dist-info"
    package.mkdir(parents=True)
    info.mkdir()
    (package / "__init__.py").touch()
    (package / "walk.py").write_text(family, encoding="utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my_package\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[paretosql.families]\nwalk = my_package.walk\n", encoding="utf-8")
    (tmp_path / "test_walk.py").write_text(test, encoding="utf-8")
    path = os.pathsep.join([str(tmp_path / "site"), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--import-mode=importlib", str(tmp_path / "test_walk.py")],
        check=False, capture_output=True, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    assert re.search(r"\d\d passed", done.stdout)
