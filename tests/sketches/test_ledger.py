"""The ledger adds up: totals, sites, rounds, and an Arrow table."""

from __future__ import annotations

from paretosql.sketches.ledger import BELOW, FROM_SITE, TO_SITE, Entry, Ledger


def test_an_empty_ledger_is_zero():
    """Nothing moved, nobody busy."""
    ledger = Ledger()
    assert (ledger.total, ledger.busiest, ledger.rounds, ledger.by_site()) == (0, 0, 0, {})
    assert ledger.table().num_rows == 0


def test_sums():
    """What moved below a rack is in the total, but not on the link of the rack."""
    ledger = Ledger()
    for entry in (
        Entry(1, 0, TO_SITE, "survey", 10),
        Entry(1, 1, TO_SITE, "survey", 10),
        Entry(1, 1, FROM_SITE, "survey", 500),
        Entry(1, 1, BELOW, "survey", 2_000),
        Entry(2, 0, FROM_SITE, "sketch", 300),
    ):
        ledger.add(entry)
    assert (ledger.total, ledger.busiest, ledger.rounds) == (2_820, 510, 2)
    assert ledger.by_site() == {0: 310, 1: 510}
    assert ledger.table().to_pylist()[3] == {
        "round": 1,
        "site": 1,
        "direction": "below",
        "purpose": "survey",
        "bytes": 2_000,
    }
    assert repr(ledger) == "Ledger(5 messages, 2820 bytes, 2 rounds)"
