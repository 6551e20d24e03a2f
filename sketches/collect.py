"""Collecting: the distinct values and the profile of a sample that lies at many sites, for few bytes.

`collect` is the door: it takes columns, sites or a channel to them, runs a protocol, and says what came of it: the
summary, every byte that was moved, which sites are in it, and which are not and why. A lost site makes the result
smaller, never wrong: it describes the rows of the sites that are covered.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from paretosql.errors import DataError, ProgrammingError, compose
from paretosql.sketches.arguments import check_capacity
from paretosql.sketches.channel import Channel, Local
from paretosql.sketches.hashing import Values
from paretosql.sketches.hll import BITS, check_bits
from paretosql.sketches.ledger import Ledger
from paretosql.sketches.mixing import check_seed
from paretosql.sketches.profile import CAPACITY
from paretosql.sketches.protocols import Plan, Settings, Summary, protocols
from paretosql.sketches.racks import in_racks
from paretosql.sketches.rounds import Rounds
from paretosql.sketches.site import Answering, Site

SENT_PER_KEPT: Final = 2  # our choice: entries sent for each one kept, where sites share their values


@dataclass(frozen=True)
class Covered:
    """What a result describes.

    sites: numbers of the sites in it. rows: their non-NULL rows. leaves: sites that hold rows, those in racks included.
    lost_below: sites in racks that are not in it.
    """

    sites: tuple[int, ...]
    rows: int
    leaves: int
    lost_below: int


@dataclass(frozen=True)
class Missing:
    """A site that is not in the result: its number, why, and its rows as far as it had told them."""

    site: int
    reason: str
    rows: int | None


@dataclass(frozen=True)
class Collected:
    """The result of a collection.

    sketch: the summary, a `ProfileSketch`, or a `LeaveOneOut` of `loo_hll`.
    ledger: every byte moved.
    covered, missing: what is in the sketch and what is not.
    noticed: answers that were ignored, one sentence each: second ones, unreadable ones, those for another round.
    """

    sketch: Summary
    ledger: Ledger
    covered: Covered
    missing: tuple[Missing, ...]
    noticed: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether all sites are covered, also those below racks."""
        return not self.missing and not self.covered.lost_below


def collect(
    sites: Channel | Sequence[Values | Answering],
    protocol: str = "two_rounds",
    *,
    capacity: int = CAPACITY,
    entries: int | None = None,
    seed: int = 0,
    rows: int | None = None,
    bits: int = BITS,
    sub_rate: float | None = None,
    fanout: int | None = None,
    timeout_s: float = 60.0,
    attempts: int = 2,
) -> Collected:
    """Summarise a sample that is spread over sites.

    Args:
        sites: the column at each site as an Arrow or numpy array, or a `Site`; or a channel to sites elsewhere, such as
            `run_processes` gives.
        protocol: a name in `protocols`.
        capacity: values kept; 1 / sqrt(capacity) is the relative standard error of d, and bytes grow with it.
        entries: of `two_rounds` and `hierarchical`: about how many (value, rows) pairs all sites together may send, 8
            bytes each; default: twice the capacity. It matters where a value lies at more than two sites on average:
            then fewer values are kept, one for each s pairs, if s sites hold it.
        seed: of the hash.
        rows: of the whole sample, for `fixed_threshold`.
        bits, sub_rate: of `loo_hll`, likelihood or not: log2 of its registers, and the rate of its sub-sample, for
            Shlosser's estimate.
        fanout: sites per rack, for `hierarchical`; default: as many as there are racks.
        timeout_s: seconds to wait for the answers of a round, each time they are asked for.
        attempts: how often a site is asked that gives no usable answer.
    Returns: see `Collected`; lost sites are in `missing`, and no error.
    Raises: ProgrammingError, DataError: no sites, or arguments out of range.

    >>> found = collect([np.arange(0, 60), np.arange(30, 90), np.arange(30)])
    >>> found.sketch.distinct(), found.sketch.profile(), found.covered.rows, found.complete
    (90.0, {1: 30.0, 2: 60.0}, 150, True)
    """
    plan = protocols[protocol]
    settings = _check(capacity, entries, seed, rows, bits=bits, sub_rate=sub_rate)
    if not (isinstance(timeout_s, int | float) and math.isfinite(timeout_s) and timeout_s > 0) or attempts < 1:
        raise DataError(compose(f"{attempts} attempts of {timeout_s} s", hint="both are above 0."))
    channel = _channel(sites, plan, fanout)
    if not channel.sites:
        raise DataError(compose("there are no sites to collect from", hint="pass at least one."))
    rounds, known = Rounds(channel, float(timeout_s), attempts), dict[int, int]()
    sketch = plan.run(rounds, settings, known)
    rounds.finish()
    heads = {site: head for site, head in sorted(rounds.heads.items()) if site not in rounds.lost}
    covered = Covered(
        tuple(heads),
        sketch.rows,
        sum(head.covered for head in heads.values()),
        sum(head.lost for head in heads.values()),
    )
    missing = tuple(Missing(site, reason, known.get(site)) for site, reason in sorted(rounds.lost.items()))
    return Collected(sketch, rounds.ledger, covered, missing, tuple(rounds.noticed))


def _channel(sites: Channel | Sequence[Values | Answering], plan: Plan, fanout: int | None) -> Channel:
    """The channel to the sites, with racks in between where the plan wants them."""
    if hasattr(sites, "receive"):
        if plan.in_racks:
            problem = "a channel is no tree of sites"
            raise ProgrammingError(compose(problem, hint="put a Rack at its ends, and use two_rounds."))
        return sites  # type: ignore[return-value]  # told apart by its methods, as a Protocol asks
    made = [_site(each, at) for at, each in enumerate(sites)]
    if not plan.in_racks:
        return Local(made)
    if fanout is None:
        fanout = max(2, math.ceil(math.sqrt(len(made))))
    if isinstance(fanout, bool) or not isinstance(fanout, int | np.integer) or fanout < 2:
        raise DataError(compose(f"a rack of {fanout} sites merges nothing", hint="use a fanout of at least 2."))
    return Local(in_racks(made, int(fanout)))


def _site(given: Values | Answering, at: int) -> Answering:
    """A site of a column, or the site given."""
    if hasattr(given, "answer"):
        return given
    if not isinstance(given, np.ndarray | pa.Array | pa.ChunkedArray):
        problem = f"site {at} is a {type(given).__name__}, not a column"
        raise ProgrammingError(compose(problem, hint="pass a list of Arrow or numpy arrays, one for each site."))
    return Site(given)


def _check(
    capacity: int, entries: int | None, seed: int, rows: int | None, *, bits: int, sub_rate: float | None
) -> Settings:
    if rows is not None and (isinstance(rows, bool) or not isinstance(rows, int | np.integer) or rows < 0):
        raise DataError(compose(f"{rows!r} is no number of rows"))
    if sub_rate is not None and not (isinstance(sub_rate, int | float) and 0 < sub_rate <= 1):
        raise DataError(compose(f"the rate {sub_rate!r} of the sub-sample is out of range", hint="0 < rate <= 1."))
    kept = check_capacity(capacity)
    if entries is not None and (isinstance(entries, bool) or not isinstance(entries, int | np.integer) or entries < 1):
        raise DataError(compose(f"{entries!r} is no number of entries", hint="the default is twice the capacity."))
    most = SENT_PER_KEPT * kept if entries is None else int(entries)
    return Settings(kept, most, check_seed(seed), rows, check_bits(bits), sub_rate)
