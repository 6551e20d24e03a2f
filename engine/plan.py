"""What a plan is: steps that fill small relations, and one last fragment that DuckDB runs over them.

A statement with `ndv` becomes fragments of plain SQL around operators of ours:

    Fragment ── Arrow batches ──> Sketch ── one row per group ──> Fragment (the rest of the statement)

Everything here is frozen data that says what to do and not how, so that another back end can cut the same plan and run
its fragments and operators in other processes: fragments are text, operator state is `GroupedSketch`, which serialises
and merges.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from paretosql.engine.row_groups import Footers, Piece
from paretosql.errors import Spot
from paretosql.sketches.block_draw import Draw
from paretosql.sketches.block_estimates import Known
from paretosql.sketches.profile import CAPACITY

DEFAULT_SKETCH = "sketch"  # the full scan with a ProfileSketch
DEFAULT_CONFIDENCE = 0.95
BERNOULLI, BLOCK_SAMPLING = "bernoulli", "block"
DEFAULT_SAMPLED = "auto"


@dataclass(frozen=True)
class Fragment:
    """One relational piece for DuckDB: its text and the names of the `$parameters` in it."""

    sql: str
    wants: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Sampling:
    """Which rows an operator sees: a share `rate` of them under `seed`, or all (None).

    `kind` is 'bernoulli', each row by itself, or 'block', stretches of rows.
    """

    rate: float | None = None
    seed: int = 0
    kind: str = BERNOULLI


@dataclass(frozen=True)
class Call:
    """One of our aggregates: its input and output columns, and how it is made.

    `function` names it among `signatures.AGGREGATES`; `weight` is the second input of ndv_sum; `spot` is where the
    user wrote it, for errors that only the rows can bring; `domain` is the most distinct values its input can have.
    """

    column: str
    output: str
    method: str = DEFAULT_SKETCH
    function: str = "ndv"
    weight: str = ""
    confidence: float = DEFAULT_CONFIDENCE
    capacity: int = CAPACITY
    domain: float = math.inf
    spot: Spot | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Materialize:
    """Keep the rows of `source` in a temporary table, because reading them twice would give other rows."""

    name: str
    source: Fragment


@dataclass(frozen=True)
class Blocks:
    """Let `name` stand for the columns of `schema` and the block number, over drawn pieces of the files that `source`
    reads.
    """

    name: str
    source: Fragment
    pieces: tuple[Piece, ...]
    footers: Footers
    schema: pa.Schema
    drawn: Draw


@dataclass(frozen=True)
class BlockShare:
    """What a count from blocks needs: the sampled part of the rows, and what is known of each call's column.

    `plain` names the stored column of each call when the calls count columns as they are stored and no row is left out.
    The blocks `direct` can then be counted without DuckDB.
    """

    share: float
    known: tuple[Known, ...]  # one per call
    direct: Blocks | None = None
    plain: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sketch:
    """Distinct counts per group.

    `source` gives batches of: `g`, the hash of the finest group (absent without groups); `s1`, `s2`, .. the hashes of
    coarser grouping sets; and the columns of `calls`. The relation `name` gets one row per group and grouping set:
    `gid` (DuckDB's GROUPING bits), `g`, and a column per call. `counts` gives, for samples, the true number of rows per
    finest group: `g`, then one count per call.
    """

    name: str
    source: Fragment
    calls: tuple[Call, ...]
    sampling: Sampling = Sampling()
    counts: Fragment | None = None
    repeatable: bool = True  # whether reading `source` again gives the same rows
    sets: tuple[tuple[str, int], ...] = ()  # (column, grouping bits); empty: one group of all rows
    batch_rows: int | None = None  # rows of `source` handed over at once; None: as many as suit ordinary values
    blocks: BlockShare | None = None  # the rows of `source` are of sampled blocks, which their column BLOCK numbers


@dataclass(frozen=True)
class Report:
    """The rows of `ndv_report`: one per call of `sketch`, for the columns called `names`.

    `counts` gives one row, for samples and when `exact`: the non-NULL values of each column and, when `exact`, the
    distinct ones after that.
    """

    name: str
    sketch: Sketch
    counts: Fragment | None
    names: tuple[str, ...]
    exact: bool = False

    @property
    def source(self) -> Fragment:
        """What it reads."""
        return self.sketch.source

    @property
    def method(self) -> str:
        """How every column is estimated."""
        return self.sketch.calls[0].method


@dataclass(frozen=True)
class Simulate:
    """The rows of `trace_simulate` over the trace at a path, '' for none, with its options by name; `spot` is where
    the user wrote it.
    """

    name: str
    trace: str
    options: tuple[tuple[str, Any], ...] = ()
    spot: Spot | None = None

    @property
    def source(self) -> Fragment:
        """It reads nothing by SQL."""
        return Fragment("")


@dataclass(frozen=True)
class Infer:
    """What a model says of the rows of `source`, as the relation `name` with the columns of `schema`.

    `verb` and `arguments` are how it is asked, `relations` tables among the arguments. `model` is its name, `token` the
    version, which never changes, so that any process that reaches the store can ask it. `passed` are columns of the
    source that are handed on, `inputs` those that the model reads, each with the name that users know. Without a source
    the answer is about what the model itself knows. The first `enough` rows of the answer may do.
    """

    name: str
    verb: str
    model: str
    token: str
    read: Fragment | None
    passed: tuple[tuple[str, str], ...]
    inputs: tuple[tuple[str, str], ...]
    arguments: tuple[tuple[str, Any], ...]
    relations: tuple[tuple[str, Fragment], ...]
    schema: pa.Schema = field(compare=False)
    enough: int | None = None
    spot: Spot | None = field(default=None, compare=False)

    @property
    def source(self) -> Fragment:
        """What it reads."""
        return self.read or Fragment("")


@dataclass(frozen=True)
class Scalar:
    """A model that a later fragment asks itself, as a function `name` of its columns `inputs`.

    The function is there as soon as the plan is made; a process that runs the fragment elsewhere makes its own from the
    `token` of the version.
    """

    name: str
    verb: str
    model: str
    token: str
    inputs: tuple[str, ...]
    arguments: tuple[tuple[str, Any], ...]
    source: Fragment = Fragment("")


Step = Materialize | Blocks | Sketch | Report | Simulate | Infer | Scalar


@dataclass(frozen=True)
class Plan:
    """Steps in the order they run, then `final`, whose result is the statement's."""

    steps: tuple[Step, ...]
    final: Fragment
    parameters: dict[str, object] = field(default_factory=dict)
