"""Racks: sites that are coordinators of sites, so that summaries are merged on the way.

A rack answers like a site, and asks its own sites over a channel of its own. So racks of racks work too. What was lost
below, and how many bytes moved there, is told with every answer.

Source: our design (section 5.6, hierarchical).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

import numpy as np

from paretosql.errors import Error, NotSupportedError, compose
from paretosql.sketches.channel import Channel, Local
from paretosql.sketches.profile import ProfileSketch
from paretosql.sketches.protocols import choose_heavy, merge_all, read_sketch
from paretosql.sketches.rounds import Ask, Rounds
from paretosql.sketches.site import Answering
from paretosql.sketches.wire import (
    FAILED,
    SKETCH,
    SURVEY,
    Head,
    Message,
    SketchRequest,
    Survey,
    SurveyRequest,
)


class Rack:
    """A node that merges the answers of its sites into one.

    Args:
        channel: to its sites.
        timeout_s, attempts: how long and how often a site is asked. Their product should be below what the coordinator
            waits, or a site that hangs costs the whole rack.
    """

    def __init__(self, channel: Channel, *, timeout_s: float = 60.0, attempts: int = 2) -> None:
        self._channel = channel
        self._limits = (timeout_s, attempts)
        self._run: int | None = None
        self._rounds = Rounds(channel, *self._limits)
        self._known: dict[int, int] = {}

    @classmethod
    def of(cls, sites: Sequence[Answering]) -> Rack:
        """A rack of sites in this process."""
        return cls(Local(sites))

    def answer(self, request: bytes) -> bytes:
        """The merged reply of the sites to a request; DamagedMessage when it is no message."""
        message = Message.from_bytes(request)
        if message.run != self._run:  # a new collection: sites that were lost in the last one get another chance
            self._run, self._rounds, self._known = message.run, Rounds(self._channel, *self._limits), {}
        kind, before = message.kind, self._rounds.ledger.total
        try:
            body = self._merged(message)
        except Error as problem:
            kind, body = FAILED, str(problem).partition("\n")[0].encode()
        else:
            heads = [head for site, head in self._rounds.heads.items() if site not in self._rounds.lost]
            covered = sum(head.covered for head in heads)
            lost = len(self._rounds.lost) + sum(head.lost for head in heads)
            body = Head(covered, lost, self._rounds.ledger.total - before).to_bytes() + body
        return Message(kind, message.round, message.run, body).to_bytes()

    def _merged(self, message: Message) -> bytes:
        merge = _MERGES.get(message.kind)
        if merge is None:
            problem = f"a rack cannot merge answers to requests of kind {message.kind}"
            raise NotSupportedError(compose(problem, hint="registers of loo_hll are needed site by site."))
        return merge(self, message.body)

    def _survey(self, body: bytes) -> bytes:
        asked = SurveyRequest.from_bytes(body)
        found = self._rounds.ask(
            Ask(SURVEY, "survey", body, lambda _site, _head, data: Survey.from_bytes(data, asked.bits))
        )
        self._known = {site: survey.rows for site, survey in found.items()}
        surveys = list(found.values())
        rows = sum(survey.rows for survey in surveys)
        registers = np.maximum.reduce([np.zeros(1 << asked.bits, np.uint8), *(each.registers for each in surveys)])
        heavy = choose_heavy([survey.heavy for survey in surveys], rows, asked.heavy)
        return Survey(rows, sum(survey.distinct for survey in surveys), registers, heavy).to_bytes()

    def _sketch(self, body: bytes) -> bytes:
        asked = SketchRequest.from_bytes(body)
        found = self._rounds.ask(Ask(SKETCH, "sketch", body, partial(read_sketch, asked, self._known)))
        whole = ProfileSketch(asked.capacity, asked.seed, theta=asked.theta).narrowed(heavy=asked.heavy)
        return merge_all(self._rounds, whole, found).to_bytes()


_MERGES: Final = {SURVEY: Rack._survey, SKETCH: Rack._sketch}


def in_racks(sites: Sequence[Answering], fanout: int) -> list[Rack]:
    """Sites in racks of `fanout` neighbours each."""
    return [Rack.of(sites[start : start + fanout]) for start in range(0, len(sites), fanout)]
