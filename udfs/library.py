"""The door to LightGBM, which is imported when a model of trees is first trained or asked."""

from __future__ import annotations

import os
from typing import Any


def lightgbm() -> Any:
    """The module. Its threads sleep while they wait: spinning beside other busy processes makes it ten times slower.

    A setting of the user's stands.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # read when the library is loaded
    import lightgbm as module

    return module
