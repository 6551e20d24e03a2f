"""The protocols: which requests a coordinator sends, and what it makes of the answers.

| name | rounds | result | bytes |
| --- | --- | --- | --- |
| `two_rounds` | 2 | ProfileSketch | capacity * (sites that hold a value, on average) entries, 0.6 KiB per site; |
| | | | never more than `entries` |
| `one_round` | 1 | ProfileSketch | up to capacity entries per site |
| `fixed_threshold` | 1 | ProfileSketch | at most capacity * (sites per value) entries; needs the rows beforehand |
| `hierarchical` | 2 | ProfileSketch | as two_rounds, per level of the tree |
| `dictionary` | 1 | ProfileSketch, exact | an entry for each value of each site: ship everything |
| `loo_hll` | 1 | LeaveOneOut | 2 * 2**bits per site |
| `loo_hll_likelihood` | 1 | LeaveOneOut, f1 with less error | as loo_hll |

An entry takes 8 to 10 bytes. Source: our design, but for `loo_hll`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

import numpy as np

from paretosql.errors import DataError, ProgrammingError, compose
from paretosql.registry import Registry
from paretosql.sketches import entries as of
from paretosql.sketches.arguments import FULL, MAX_CAPACITY
from paretosql.sketches.contributions import Contributions
from paretosql.sketches.entries import Entries
from paretosql.sketches.hll import Registers, cardinality
from paretosql.sketches.loo_hll import LeaveOneOut, added, combine, difference
from paretosql.sketches.profile import ProfileSketch
from paretosql.sketches.rounds import Ask, Rounds
from paretosql.sketches.wire import (
    PAIR,
    SKETCH,
    SURVEY,
    DamagedMessage,
    Head,
    Pair,
    PairRequest,
    SketchRequest,
    Survey,
    SurveyRequest,
)

SURVEY_BITS: Final = 10  # 1 KiB: 3 % error of the number of values, which moves the size of the sketch as much
HEAVY_VALUES: Final = 64  # named by a site, and counted apart
HEAVY_SHARES: Final = 1_024  # our choice: only values with at least this part of the rows are heavy


class Summary(Protocol):
    """What every protocol brings: the rows of the sample, its distinct values and its profile."""

    @property
    def rows(self) -> int:
        """Non-NULL rows of the sample."""

    def distinct(self) -> float:
        """d, the distinct values of the sample."""

    def profile(self) -> dict[int, float]:
        """{i: f_i} of the sample."""


@dataclass(frozen=True)
class Settings:
    """What a protocol may need: capacity of the sketch, the most entries that sites may send, seed; rows of the whole
    sample, if known beforehand; bits and rate of the sub-sample of `loo_hll`."""

    capacity: int
    entries: int
    seed: int
    rows: int | None
    bits: int
    sub_rate: float | None


@dataclass(frozen=True)
class Plan:
    """A protocol: what the coordinator does, and whether the sites stand in racks."""

    run: Callable[[Rounds, Settings, dict[int, int]], Summary]
    in_racks: bool = False


protocols: Registry[Plan] = Registry("protocol")


def two_rounds(rounds: Rounds, settings: Settings, known: dict[int, int]) -> ProfileSketch:
    """First the sizes, then the values below the threshold that the sizes allow.

    Where many sites hold the same values, each of them sends what all of them have. `entries` bounds what comes to be
    sent; fewer values than `capacity` are kept then. `known` gets the rows of each site as soon as they are known.
    """
    request = SurveyRequest(settings.seed, SURVEY_BITS, HEAVY_VALUES, HEAVY_SHARES)
    surveys = rounds.ask(
        Ask(SURVEY, "survey", request.to_bytes(), lambda _site, _head, body: Survey.from_bytes(body, SURVEY_BITS))
    )
    known.update({site: survey.rows for site, survey in surveys.items()})
    theta = min(
        threshold(settings.capacity, expected_distinct(list(surveys.values()))),
        threshold(settings.entries, sum(survey.distinct for survey in surveys.values())),
    )
    heavy = choose_heavy([survey.heavy for survey in surveys.values()], sum(known.values()), HEAVY_VALUES)[0]
    return gather_sketches(rounds, SketchRequest(settings.seed, settings.capacity, theta, heavy), known)


def one_round(rounds: Rounds, settings: Settings, known: dict[int, int]) -> ProfileSketch:
    """Each site sends its smallest hashes, as many as the sketch can hold."""
    return gather_sketches(rounds, SketchRequest(settings.seed, settings.capacity), known)


def fixed_threshold(rounds: Rounds, settings: Settings, known: dict[int, int]) -> ProfileSketch:
    """The threshold follows from the number of rows, because there are at most as many values."""
    if settings.rows is None:
        problem = "fixed_threshold needs the rows of the whole sample"
        raise ProgrammingError(compose(problem, hint="pass rows, or use two_rounds."))
    theta = threshold(settings.capacity, settings.rows)
    return gather_sketches(rounds, SketchRequest(settings.seed, settings.capacity, theta), known)


def dictionary(rounds: Rounds, settings: Settings, known: dict[int, int]) -> ProfileSketch:
    """Each site sends all its values as hashes with their counts."""
    return gather_sketches(rounds, SketchRequest(settings.seed, MAX_CAPACITY), known)


def loo_hll(
    rounds: Rounds,
    settings: Settings,
    known: dict[int, int],
    more: Callable[[Registers, Registers], float] = difference,
) -> LeaveOneOut:
    """The published method: two HyperLogLogs from each site."""
    share = 0 if settings.sub_rate is None else max(1, round(settings.sub_rate * 2**32))
    request = PairRequest(settings.seed, settings.bits, share)
    pairs = rounds.ask(
        Ask(PAIR, "registers", request.to_bytes(), lambda _site, _head, body: Pair.from_bytes(body, settings.bits))
    )
    known.update({site: pair.rows for site, pair in pairs.items()})
    kept = _without_repeats(rounds, pairs)
    values, singletons = combine([(pair.everything, pair.once) for pair in kept], more)
    total = sum(pair.rows for pair in kept)
    if not share:
        return LeaveOneOut(total, values, singletons)
    _, counts = of.united([pair.sub for pair in kept])
    return LeaveOneOut(total, values, singletons, len(counts), int((counts == 1).sum()))


def _without_repeats(rounds: Rounds, pairs: Mapping[int, Pair]) -> list[Pair]:
    """The pairs, each contribution once; a site that brings one again is refused."""
    seen, kept = Contributions(), []
    for site, pair in pairs.items():
        own = Contributions.of(pair.contribution or None)
        try:
            seen.check(own)
        except DataError as problem:
            rounds.refuse(site, str(problem).partition("\n")[0])
        else:
            seen.add(own)
            kept.append(pair)
    return kept


for _name, _plan in {
    "two_rounds": Plan(two_rounds),
    "one_round": Plan(one_round),
    "fixed_threshold": Plan(fixed_threshold),
    "hierarchical": Plan(two_rounds, in_racks=True),
    "dictionary": Plan(dictionary),
    "loo_hll": Plan(loo_hll),
    "loo_hll_likelihood": Plan(partial(loo_hll, more=added)),
}.items():
    protocols.add(_name, _plan)


def threshold(capacity: int, distinct: float) -> int:
    """The threshold below which about `capacity` of so many values lie."""
    return FULL if distinct <= capacity else max(1, int(capacity / distinct * FULL))


def expected_distinct(surveys: list[Survey]) -> float:
    """The number of values at all sites: what the registers say, within what the sites know exactly."""
    if not surveys:
        return 0.0
    registers: Registers = np.maximum.reduce([survey.registers for survey in surveys])
    counted = [survey.distinct for survey in surveys]
    return min(max(cardinality(registers), *counted), sum(counted))


def choose_heavy(lists: list[Entries], rows: int, number: int) -> Entries:
    """The values that are counted apart: those that sites have named with the most rows, if these are a share of all
    rows that matters.

    Cost in bytes: each comes back to all sites, so few are worth it; section 5.5 would send all that were named.
    """
    keys, counts = of.united(lists)
    often = counts >= max(1, rows / HEAVY_SHARES)
    return of.largest((keys[often], counts[often]), number)


def gather_sketches(rounds: Rounds, request: SketchRequest, known: dict[int, int]) -> ProfileSketch:
    """Ask for the sketches below a threshold, and merge them."""
    read = partial(read_sketch, request, known)
    sketches = rounds.ask(Ask(SKETCH, "sketch", request.to_bytes(), read))
    known.update({site: sketch.rows for site, sketch in sketches.items()})
    return merge_all(rounds, ProfileSketch(request.capacity, request.seed, theta=request.theta), sketches)


def merge_all(rounds: Rounds, whole: ProfileSketch, sketches: Mapping[int, ProfileSketch]) -> ProfileSketch:
    """Merge the sketches of sites into `whole`; a site whose sketch does not fit, or repeats one, is refused."""
    for site, sketch in sketches.items():
        try:
            whole.merge(sketch)
        except DataError as problem:
            rounds.refuse(site, str(problem).partition("\n")[0])
    return whole


def read_sketch(request: SketchRequest, known: Mapping[int, int], site: int, head: Head, body: bytes) -> ProfileSketch:
    """The sketch that a site has sent; DataError when it is not the one that was asked for.

    A rack may have lost rows since the survey, and says so.
    """
    sketch = ProfileSketch.from_bytes(body)
    full = sketch.entries == request.capacity and sketch.theta < request.theta
    if sketch.seed != request.seed or not (sketch.theta == request.theta or full):
        raise DamagedMessage("a sketch with another seed or threshold than was asked for")
    if not np.array_equal(sketch.heavy()[0], request.heavy):
        raise DamagedMessage("a sketch with other heavy values than were asked for")
    if known.get(site, sketch.rows) != sketch.rows and not head.lost:
        raise DamagedMessage(f"a sketch of {sketch.rows} rows after a survey of {known[site]}")
    return sketch
