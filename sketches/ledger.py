"""The ledger of a collection: every byte between coordinator and sites, in both directions.

It is the quantity that distributed methods are compared by: headers, thresholds, sketches, heavy lists, repeated
requests, unreadable and superfluous answers, all count.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pyarrow as pa

TO_SITE, FROM_SITE, BELOW = "to site", "from site", "below"


@dataclass(frozen=True)
class Entry:
    """One message: what it was for, and its bytes with everything that travels along.

    direction: "to site", "from site", or "below": what a rack says its own sites have moved.
    purpose: what was asked for, with "repeated" or "ignored" where that applies.
    """

    round: int
    site: int
    direction: str
    purpose: str
    bytes: int


class Ledger:
    """The messages of one collection in the order in which they were sent and came."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []

    def add(self, entry: Entry) -> None:
        """Write one message down."""
        self._entries.append(entry)

    @property
    def total(self) -> int:
        """All bytes, those below racks included."""
        return sum(entry.bytes for entry in self._entries)

    @property
    def rounds(self) -> int:
        """Rounds of requests."""
        return max((entry.round for entry in self._entries), default=0)

    def by_site(self) -> dict[int, int]:
        """Bytes between the coordinator and each site, by the number of the site; those below racks are not in it."""
        sums: Counter[int] = Counter()
        for entry in self._entries:
            if entry.direction != BELOW:
                sums[entry.site] += entry.bytes
        return dict(sorted(sums.items()))

    @property
    def busiest(self) -> int:
        """Bytes of the site that moved most."""
        return max(self.by_site().values(), default=0)

    def table(self) -> pa.Table:
        """All messages: round int64, site int64, direction, purpose, bytes int64."""
        names = ("round", "site", "direction", "purpose", "bytes")
        kinds = (pa.int64(), pa.int64(), pa.string(), pa.string(), pa.int64())
        columns = {
            name: pa.array([getattr(entry, name) for entry in self._entries], kind)
            for name, kind in zip(names, kinds, strict=True)
        }
        return pa.table(columns)

    def __repr__(self) -> str:
        return f"Ledger({len(self._entries)} messages, {self.total} bytes, {self.rounds} rounds)"
