"""A site: the part of a sample that lies in one place, and its answers to a coordinator.

A site is a state machine without a clock or a network: bytes in, bytes out, and the same request always gives the same
answer, so that a request may be repeated. Where the bytes travel is the business of a `Channel`.
"""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np

from paretosql.errors import Error
from paretosql.sketches import entries as of
from paretosql.sketches.arguments import MAX_CAPACITY
from paretosql.sketches.entries import Entries
from paretosql.sketches.hashing import Values
from paretosql.sketches.hll import HyperLogLog
from paretosql.sketches.loo_hll import pair_of, sub_sample
from paretosql.sketches.origin import FULL_SCAN, Origin
from paretosql.sketches.profile import ProfileSketch
from paretosql.sketches.wire import (
    FAILED,
    PAIR,
    SKETCH,
    SURVEY,
    DamagedMessage,
    Head,
    Message,
    Pair,
    PairRequest,
    SketchRequest,
    Survey,
    SurveyRequest,
)

LEAST_HEAVY_ROWS: Final = 4  # our choice: below, a count says nothing about the whole sample


class Answering(Protocol):
    """What can stand at the far end of a channel."""

    def answer(self, request: bytes) -> bytes:
        """The reply to a request, both as `wire.Message` bytes."""


class Site:
    """The local rows of a column, counted exactly when a request needs it (section 3.1 of Li et al., KDD 2022).

    Args:
        values: n rows; NULL rows do not count.
        origin: how these rows were drawn from the site's data.
        contribution: 16 bytes that name these rows, so that a second site with the same rows is noticed.
    Cost: a request for a sketch below a threshold hashes the rows; the others also sort them: 16 bytes per distinct
        value and about 100 ns per row, once.
    """

    def __init__(self, values: Values, *, origin: Origin = FULL_SCAN, contribution: bytes | None = None) -> None:
        self._values = values
        self._origin = origin
        self._contribution = contribution
        self._counted: ProfileSketch | None = None

    def answer(self, request: bytes) -> bytes:
        """The reply to a request. What cannot be done is answered with FAILED and the reason.

        Raises: DamagedMessage: the request is no message; there is nobody to answer to.
        """
        message = Message.from_bytes(request)
        kind, body = message.kind, b""
        try:
            answer = _ANSWERS.get(kind)
            if answer is None:
                raise DamagedMessage(f"a request of kind {kind}, which this release does not know")
            body = Head().to_bytes() + answer(self, message.body)
        except Error as problem:
            kind, body = FAILED, str(problem).partition("\n")[0].encode()
        return Message(kind, message.round, message.run, body).to_bytes()

    def _empty(self, capacity: int, seed: int, theta: int) -> ProfileSketch:
        return ProfileSketch(capacity, seed, origin=self._origin, contribution=self._contribution, theta=theta)

    def _exact(self, seed: int) -> ProfileSketch:
        """All rows counted exactly, kept for the next round."""
        if self._counted is None or self._counted.seed != seed:
            self._counted = self._empty(MAX_CAPACITY, seed, 1 << 64).update(self._values)
        return self._counted

    def _all_entries(self, seed: int) -> Entries:
        exact = self._exact(seed)
        return exact.heaviest(exact.entries)

    def _survey(self, body: bytes) -> bytes:
        """Rows, distinct values, a HyperLogLog, and the most frequent values with a share worth telling."""
        asked = SurveyRequest.from_bytes(body)
        exact = self._exact(asked.seed)
        keys, counts = exact.heaviest(asked.heavy)
        often = counts >= max(LEAST_HEAVY_ROWS, exact.rows / max(1, asked.shares))
        registers = HyperLogLog(asked.bits, asked.seed).add(self._all_entries(asked.seed)[0]).registers
        return Survey(exact.rows, exact.entries, registers, (keys[often], counts[often])).to_bytes()

    def _sketch(self, body: bytes) -> bytes:
        """The rows below a threshold, and the heavy values, as a stored ProfileSketch."""
        asked = SketchRequest.from_bytes(body)
        if len(asked.heavy) or (self._counted is not None and self._counted.seed == asked.seed):
            exact = self._exact(asked.seed)
            return exact.narrowed(capacity=asked.capacity, theta=asked.theta, heavy=asked.heavy).to_bytes()
        return self._empty(asked.capacity, asked.seed, asked.theta).update(self._values).to_bytes()

    def _pair(self, body: bytes) -> bytes:
        """The two HyperLogLogs of `loo_hll`, and a sub-sample that depends on the rows and the seed only."""
        asked = PairRequest.from_bytes(body)
        local = self._all_entries(asked.seed)
        sub = of.nothing()
        if asked.sub_share:
            first = int(local[0][0]) if len(local[0]) else 0
            sub = sub_sample(local, asked.sub_share / 2**32, np.random.default_rng([asked.seed, first]))
        registers = pair_of(local, asked.bits, asked.seed)
        return Pair(self._exact(asked.seed).rows, *registers, sub, self._contribution or b"").to_bytes()


_ANSWERS: Final = {SURVEY: Site._survey, SKETCH: Site._sketch, PAIR: Site._pair}
