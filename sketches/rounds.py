"""Rounds of a collection: one request to all sites, one answer from each, and what is done when there is none.

A site is lost when it dies, says that it cannot answer, or gives no readable answer to as many requests as are
allowed. It is not asked again, and the rounds go on with the others. Answers that nobody waits for (a second one, one
for another round or another collection, an unreadable one) are counted in the ledger, noted, and otherwise ignored, so
no site can count twice.

Source: our design.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from paretosql.errors import DataError
from paretosql.sketches.channel import Channel, Delivery
from paretosql.sketches.ledger import BELOW, FROM_SITE, TO_SITE, Entry, Ledger
from paretosql.sketches.wire import FAILED, PREFIX_BYTES, DamagedMessage, Head, Message, split_reply

T = TypeVar("T")


@dataclass(frozen=True)
class Ask(Generic[T]):
    """One request to all sites: its kind and body, its name in the ledger, and how the answer of a site is read.

    `read(site, head, body)` raises DataError when the answer is not what was asked for.
    """

    kind: int
    purpose: str
    body: bytes
    read: Callable[[int, Head, bytes], T]


class Rounds:
    """The coordinator's end of a collection.

    ledger: every byte so far. lost: reason by number of each site that is lost. noticed: answers that were ignored.
    heads: of each site, the `Head` of its last answer.
    """

    def __init__(self, channel: Channel, timeout_s: float, attempts: int) -> None:
        self._channel = channel
        self._timeout_s = timeout_s
        self._attempts = attempts
        self._run = int.from_bytes(os.urandom(8), "little")
        self._round = 0
        self._gone: dict[int, str] = {}
        self.ledger = Ledger()
        self.lost: dict[int, str] = {}
        self.noticed: list[str] = []
        self.heads: dict[int, Head] = {}

    def ask(self, ask: Ask[T]) -> dict[int, T]:
        """Ask all sites that are not lost; the answers by number of the site, ascending.

        Cost: at most attempts * timeout_s seconds beyond what the sites need.
        """
        self._round += 1
        found: dict[int, T] = {}
        why: dict[int, str] = {}
        for attempt in range(self._attempts):
            waiting = self._send(ask, found, " repeated" if attempt else "")
            until = time.monotonic() + self._timeout_s
            while waiting and (delivery := self._channel.receive(max(0.0, until - time.monotonic()))) is not None:
                self._deliver(delivery, ask, found, waiting, why)
            for site in waiting:
                said = f" ({why[site]})" if site in why else ""
                why[site] = f"no answer within {self._timeout_s:g} s{said}"
            if len(found) + len(self.lost) == self._channel.sites:
                break
        for site in range(self._channel.sites):
            if site not in found and site not in self.lost:
                self.lost[site] = why[site]
        return dict(sorted(found.items()))

    def _send(self, ask: Ask[T], found: dict[int, T], note: str) -> set[int]:
        """Send the request to all that have not answered it; their numbers."""
        request = Message(ask.kind, self._round, self._run, ask.body).to_bytes()
        asked = {site for site in range(self._channel.sites) if site not in found and site not in self.lost}
        for site in sorted(asked):
            if self._channel.send(site, request):
                self._write(site, TO_SITE, ask.purpose + note, request)
            else:
                self.lost[site] = self._gone.get(site, "it cannot be reached")
        return asked - self.lost.keys()

    def _deliver(
        self, delivery: Delivery, ask: Ask[T], found: dict[int, T], waiting: set[int], why: dict[int, str]
    ) -> None:
        """Take one delivery: an answer, a loss, or something to be ignored."""
        site = delivery.site
        if delivery.data is None:
            waiting.discard(site)
            self._gone[site] = delivery.reason
            if site not in found:
                self.lost[site] = delivery.reason
            else:
                self._notice(site, f"was lost after its answer: {delivery.reason}")
            return
        problem, stays = self._unwanted(delivery.data, found, site)
        if not problem:
            try:
                self._accept(site, delivery.data, ask, found)
            except DataError as error:
                problem = f"gave an unusable answer in round {self._round}: {_first_line(error)}"
        if problem:
            self._notice(site, problem)
            why[site] = f"it {problem}"
        self._write(site, FROM_SITE, ask.purpose + (" ignored" if problem else ""), delivery.data)
        if not stays:
            waiting.discard(site)

    def _unwanted(self, data: bytes, found: dict[int, T], site: int) -> tuple[str, bool]:
        """Why an answer cannot be the one waited for, or "", and whether that one may still come."""
        try:
            message = Message.from_bytes(data)
        except DamagedMessage as error:
            return f"gave an unreadable answer in round {self._round}: {_first_line(error)}", False
        if message.run != self._run:
            return f"answered to another collection in round {self._round}", True
        if message.round != self._round:
            return f"answered for round {message.round} in round {self._round}", True
        return (f"answered twice in round {self._round}", False) if site in found else ("", False)

    def _accept(self, site: int, data: bytes, ask: Ask[T], found: dict[int, T]) -> None:
        """Read an answer; DataError when it is not what was asked for."""
        message = Message.from_bytes(data)
        if message.kind == FAILED:
            self.lost[site] = message.body.decode(errors="replace")
            return
        if message.kind != ask.kind:
            raise DamagedMessage(f"an answer of kind {message.kind} to a request of kind {ask.kind}")
        head, body = split_reply(message.body)
        found[site] = ask.read(site, head, body)
        self.heads[site] = head
        if head.bytes_below:
            self.ledger.add(Entry(self._round, site, BELOW, ask.purpose, head.bytes_below))

    def refuse(self, site: int, reason: str) -> None:
        """Count a site as lost although it answered."""
        self.lost[site] = reason

    def finish(self) -> None:
        """Look at what came since the last answer that was waited for."""
        while (delivery := self._channel.receive(0.0)) is not None:
            if delivery.data is None:
                self._notice(delivery.site, f"was lost after its answer: {delivery.reason}")
            else:
                self._notice(delivery.site, f"answered once more after round {self._round}")
                self._write(delivery.site, FROM_SITE, "ignored", delivery.data)

    def _notice(self, site: int, problem: str) -> None:
        self.noticed.append(f"site {site} {problem}")

    def _write(self, site: int, direction: str, purpose: str, data: bytes) -> None:
        self.ledger.add(Entry(self._round, site, direction, purpose, len(data) + PREFIX_BYTES))


def _first_line(error: DataError) -> str:
    return str(error).partition("\n")[0]
