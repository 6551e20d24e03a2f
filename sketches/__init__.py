"""Sketches: the number of distinct values from one scan, from parts that are merged, or from a sample.

A column goes through three steps, each usable alone:

| step | modules |
| --- | --- |
| values to stable 64-bit hashes | `hashing`, with `canonical`, `decimals`, `strings`, `nested`, `mixing`, `buffers` |
| hashes to a mergeable sketch | `sketch` (the protocol), `profile`, which uses `entries`, `origin`, `contributions` |
| the same for all groups of a GROUP BY | `grouped`, with `group_state`, `pairs` |
| a number per value, summed over distinct values | `weighted` |
| the same for a sample at many sites, for few bytes | `collect` (the door), `protocols`, `rounds`, `ledger` |
| where the sites are | `site`, `racks`, `channel`, `processes`; `wire` has the messages |
| the profile of a sample to an estimate | `estimators` and `sample`; formulas: `guaranteed`, `coverage`, `jackknife`, |
| | `moments`, `extrapolation`, `spectrum`, with `log_gamma`; `learned`, with `features`, `trees`; `automatic` chooses |
| an interval around it | `compatible`, `quantiles` |
| the same for many groups, for a stored sketch | `by_group`, `stored` |
| a sample of blocks instead of rows | `block_draw`, `blocks` on `block_values`, `block_estimates` |
| to compare with | `loo_hll` (the published method) on `hll`; `apache` (DataSketches) |

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

from paretosql.sketches.apache import ApacheCPC, ApacheHLL, ApacheTheta
from paretosql.sketches.channel import Channel, Delivery
from paretosql.sketches.collect import Collected, Covered, Missing, collect
from paretosql.sketches.envelope import DamagedSketch
from paretosql.sketches.estimators import Estimate, Sample, estimate, estimator, estimators
from paretosql.sketches.grouped import GroupedSketch
from paretosql.sketches.hashing import hash64
from paretosql.sketches.hll import HyperLogLog
from paretosql.sketches.ledger import Ledger
from paretosql.sketches.loo_hll import LeaveOneOut
from paretosql.sketches.origin import Origin
from paretosql.sketches.processes import run_processes
from paretosql.sketches.profile import ProfileSketch
from paretosql.sketches.protocols import protocols
from paretosql.sketches.racks import Rack
from paretosql.sketches.site import Site
from paretosql.sketches.sketch import Sketch
from paretosql.sketches.stored import estimate_stored
from paretosql.sketches.weighted import WeightedSketch

__all__ = [
    "ApacheCPC",
    "ApacheHLL",
    "ApacheTheta",
    "Channel",
    "Collected",
    "Covered",
    "DamagedSketch",
    "Delivery",
    "Estimate",
    "GroupedSketch",
    "HyperLogLog",
    "LeaveOneOut",
    "Ledger",
    "Missing",
    "Origin",
    "ProfileSketch",
    "Rack",
    "Sample",
    "Site",
    "Sketch",
    "WeightedSketch",
    "collect",
    "estimate",
    "estimate_stored",
    "estimator",
    "estimators",
    "hash64",
    "protocols",
    "run_processes",
]
