"""Sketches: the number of distinct values from one scan, from parts that are merged, or from a sample.

A column goes through three steps, each usable alone:

| step | modules |
| --- | --- |
| values to stable 64-bit hashes | `hashing`, with `canonical`, `decimals`, `strings`, `nested`, `mixing`, `buffers` |
| hashes to a mergeable sketch of a column | `sketch` (the protocol), `profile` |
| the same for all groups of a GROUP BY | `grouped`, with `group_state`, `pairs` |
| the profile of a sample to an estimate | `estimators` |
| a sample of blocks instead of rows | `block_draw`, `blocks`, `block_estimates` |

Sketches are stored as `ndvp` (a column) and `ndvg` (groups), built on `envelope` and `varint`.

>>> import pyarrow as pa
>>> monday = ProfileSketch().update(pa.array(["ada", "ada", "bob"]))
>>> tuesday = ProfileSketch().update(pa.array(["bob", "eve", None]))
>>> week = monday.merge(tuesday)
>>> week.distinct(), week.profile()
(3.0, {1: 1.0, 2: 2.0})
>>> estimate("duj1", week.profile(), rows=50, sample_rows=week.rows).value
3.65...
"""

from paretosql.sketches.envelope import DamagedSketch
from paretosql.sketches.estimators import Estimate, Sample, estimate, estimator, estimators
from paretosql.sketches.grouped import GroupedSketch
from paretosql.sketches.hashing import hash64
from paretosql.sketches.profile import ProfileSketch
from paretosql.sketches.sketch import Sketch

__all__ = [
    "DamagedSketch",
    "Estimate",
    "GroupedSketch",
    "ProfileSketch",
    "Sample",
    "Sketch",
    "estimate",
    "estimator",
    "estimators",
    "hash64",
]
