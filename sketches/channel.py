"""How bytes get from a coordinator to its sites and back: the protocol, and its form within one process.

A channel knows nothing of what it carries. `processes` has the form for processes on one machine.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from paretosql.sketches.site import Answering


@dataclass(frozen=True)
class Delivery:
    """What came from a site: a whole message, or None and the reason why nothing will come from it any more."""

    site: int
    data: bytes | None
    reason: str = ""


class Channel(Protocol):
    """Moves messages between a coordinator and sites numbered from 0. One thread uses it at a time."""

    @property
    def sites(self) -> int:
        """How many sites there are, the lost ones included."""

    def send(self, site: int, data: bytes) -> bool:
        """Send a message; False when it cannot be sent, which `receive` then reports as a loss. Never blocks long."""

    def receive(self, timeout_s: float) -> Delivery | None:
        """The next thing that comes from any site within the time, else None. A loss is reported once."""


class Local:
    """Sites in this process, asked one after the other."""

    def __init__(self, sites: Sequence[Answering]) -> None:
        self._sites = list(sites)
        self._replies: deque[Delivery] = deque()

    @property
    def sites(self) -> int:
        return len(self._sites)

    def send(self, site: int, data: bytes) -> bool:
        self._replies.append(Delivery(site, self._sites[site].answer(data)))
        return True

    def receive(self, timeout_s: float) -> Delivery | None:
        return self._replies.popleft() if self._replies else None
