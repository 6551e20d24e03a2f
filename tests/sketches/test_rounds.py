"""Rounds: an answer counts once, and only if it is the one that was asked for. Sites in this process."""

from __future__ import annotations

import re

import numpy as np
import pytest

from paretosql.errors import NotSupportedError
from paretosql.sketches import Origin, collect
from paretosql.sketches.channel import Delivery, Local
from paretosql.sketches.site import Site
from tests.sketches.misbehaving import Misbehaving, Once

FAULTS = {
    "talks_nonsense": "unreadable answer in round 1",
    "flips_a_bit": "unreadable answer in round 1: the checksum",
    "answers_another_round": "no answer within .*it answered for round 9",
    "answers_another_run": "no answer within .*another collection",
    "answers_another_question": "unusable answer in round 1: an answer of kind 2 to a request of kind 1",
}


@pytest.mark.parametrize("how", FAULTS)
def test_faults_are_told_apart(how):
    """The site is missing with a reason, and the other one is covered."""
    found = collect([np.arange(10), Misbehaving(1, how)], timeout_s=0.5)
    assert found.covered.sites == (0,)
    (missing,) = found.missing
    assert missing.site == 1
    assert missing.rows is None
    assert re.search(FAULTS[how], missing.reason)
    assert len(found.noticed) == 2  # it was asked twice
    assert (found.sketch.distinct(), found.covered.rows) == (10, 10)


@pytest.mark.parametrize("how", ["talks_nonsense", "flips_a_bit", "answers_another_round"])
def test_a_second_request_can_help(how):
    """One bad answer costs bytes, not the site."""
    found = collect([np.arange(10), Once(1, how)], timeout_s=0.5)
    clean = collect([np.arange(10), Misbehaving(1, how, from_round=9)], timeout_s=0.5)
    assert found.complete
    assert found.sketch.to_bytes() == clean.sketch.to_bytes()
    assert len(found.noticed) == 1
    assert found.ledger.total > clean.ledger.total
    assert collect([np.arange(10), Once(1, how)], timeout_s=0.5, attempts=1).covered.sites == (0,)


def test_a_site_may_not_change_its_rows():
    """A sketch of other rows than the survey named is refused, and the rows of the survey are told."""
    found = collect([np.arange(10), Misbehaving(1, "sends_more_rows", from_round=2)])
    (missing,) = found.missing
    assert "a sketch of 5000 rows after a survey of 100" in missing.reason
    assert (missing.rows, found.covered.rows) == (100, 10)


class Repeating(Local):
    """A channel that delivers everything from site 1 three times, as a network may."""

    def send(self, site: int, data: bytes) -> bool:
        done = super().send(site, data)
        if site == 1:
            self._replies.extend([self._replies[-1]] * 2)
        return done


def test_answers_that_come_again_count_once():
    """They are ignored, noticed, and paid for."""
    columns = [np.arange(10), np.arange(5, 20)]
    found, clean = collect(Repeating([Site(each) for each in columns])), collect(columns)
    assert found.complete
    assert found.sketch.to_bytes() == clean.sketch.to_bytes()
    assert len(found.noticed) == 4
    assert all(said.startswith("site 1 answered") for said in found.noticed)
    assert found.ledger.by_site()[1] > 2 * clean.ledger.by_site()[1]
    assert found.ledger.by_site()[0] == clean.ledger.by_site()[0]


class Cut(Local):
    """A channel that loses site 0 right after its first answer."""

    cut = False

    def send(self, site: int, data: bytes) -> bool:
        if site == 0 and self.cut:
            return False
        done = super().send(site, data)
        if site == 0:
            self.cut = True
            self._replies.append(Delivery(0, None, "the line was cut"))
        return done


def test_a_site_that_is_lost_between_rounds_is_missing():
    """Its answer to the first round is no cover for its rows."""
    found = collect(Cut([Site(np.arange(10)), Site(np.arange(5))]))
    (missing,) = found.missing
    assert (missing.site, missing.reason, missing.rows) == (0, "the line was cut", 10)
    assert (found.covered.sites, found.sketch.distinct()) == ((1,), 5)


def test_a_site_says_why_it_cannot():
    """An error at the site is the reason, and does not cost a second request."""
    column = np.array([object(), object()])
    with pytest.raises(NotSupportedError) as here:
        Site(column)._exact(0)
    found = collect([column, np.arange(4)])
    (missing,) = found.missing
    assert missing.reason == str(here.value).partition("\n")[0]
    assert found.noticed == ()


def test_the_same_contribution_from_two_sites_counts_once():
    """The second one is refused by its id; so is a sample at another rate."""
    name = bytes(range(16))
    sites = [
        Site(np.arange(10), contribution=name, origin=Origin(0.1)),
        Site(np.arange(10), contribution=name, origin=Origin(0.1)),
        Site(np.arange(10, 15), origin=Origin(0.2)),
    ]
    found = collect(sites)
    assert (found.covered.sites, found.sketch.distinct(), found.sketch.profile()) == ((0,), 10, {1: 10.0})
    assert ["twice" in found.missing[0].reason, "rate 0.2" in found.missing[1].reason] == [True, True]


def test_nobody_answers():
    """A result of nothing is no failure, and says so."""
    found = collect([Misbehaving(1, "talks_nonsense")], timeout_s=0.5)
    assert (found.covered.sites, found.covered.rows, found.sketch.distinct()) == ((), 0, 0)
    assert not found.complete
