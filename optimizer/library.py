"""The door to LightGBM, which is imported when trees are first fitted or read."""

from __future__ import annotations

import os
from typing import Any


def lightgbm() -> Any:
    """The module. Its threads sleep while they wait instead of spinning: beside other busy processes, spinning makes a
    fit take ten times as long. A setting of the user's stands.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # read when the library is loaded
    import lightgbm as module

    return module
