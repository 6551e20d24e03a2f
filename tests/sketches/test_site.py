"""A site answers what it is asked, always in the same way, and says why when it cannot."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from paretosql.sketches import HyperLogLog, Origin, ProfileSketch, Site
from paretosql.sketches.profile import FULL
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
    split_reply,
)

VALUES = pa.array([1, 1, 1, 1, 1, None, *range(2, 200)])


def asked(site, kind, request, number=3) -> bytes:
    """The body of the site's answer, after its head."""
    body = request if isinstance(request, bytes) else request.to_bytes()
    reply = Message.from_bytes(site.answer(Message(kind, number, 77, body).to_bytes()))
    assert (reply.kind, reply.round, reply.run) == (kind, number, 77)
    head, rest = split_reply(reply.body)
    assert head == Head(1, 0, 0)
    return rest


def test_a_survey_tells_sizes_and_often_seen_values():
    """Rows and values exactly, a HyperLogLog of the values, and those with a share of the rows, up to a number."""
    survey = Survey.from_bytes(asked(Site(VALUES), SURVEY, SurveyRequest(9, 6, 3, 50)), 6)
    assert (survey.rows, survey.distinct) == (203, 199)
    assert (survey.registers == HyperLogLog(6, 9).update(VALUES).registers).all()
    assert survey.heavy[1].tolist() == [5]
    assert len(Survey.from_bytes(asked(Site(VALUES), SURVEY, SurveyRequest(9, 6, 3, 10)), 6).heavy[0]) == 0


def test_a_sketch_is_that_of_the_rows():
    """Threshold, capacity and seed as asked for, with or without a survey before."""
    request = SketchRequest(9, 40, FULL // 2)
    expected = ProfileSketch(40, 9, theta=FULL // 2, origin=Origin(0.5)).update(VALUES).to_bytes()
    fresh, surveyed = Site(VALUES, origin=Origin(0.5)), Site(VALUES, origin=Origin(0.5))
    asked(surveyed, SURVEY, SurveyRequest(9, 6, 3, 50))
    assert asked(fresh, SKETCH, request) == asked(surveyed, SKETCH, request) == expected


def test_heavy_values_come_with_their_rows():
    """Also those that the site does not have."""
    keys, _ = ProfileSketch(seed=9).update(np.array([1, 1_000])).heaviest(2)
    sketch = ProfileSketch.from_bytes(asked(Site(VALUES), SKETCH, SketchRequest(9, 40, 5, keys)))
    assert sorted(sketch.heavy()[1].tolist()) == [0, 5]


def test_registers_are_those_of_all_and_of_single_values():
    """U over all values, A over those seen once."""
    pair = Pair.from_bytes(asked(Site(VALUES), PAIR, PairRequest(9, 8, 0)), 8)
    assert pair.rows == 203
    assert (pair.everything == HyperLogLog(8, 9).update(VALUES).registers).all()
    assert (pair.once == HyperLogLog(8, 9).update(np.arange(2, 200)).registers).all()
    assert len(pair.sub[0]) == 0


@pytest.mark.parametrize(
    ("kind", "request_"),
    [(SURVEY, SurveyRequest(9, 6, 3, 50)), (SKETCH, SketchRequest(9, 40, 2**60)), (PAIR, PairRequest(9, 8, 2**31))],
)
def test_a_request_may_be_repeated(kind, request_):
    """The same request gives the same bytes, whatever was asked in between and under other seeds."""
    site = Site(VALUES)
    first = asked(site, kind, request_)
    for other in (SurveyRequest(1, 6, 3, 50), SurveyRequest(9, 6, 3, 50)):
        asked(site, SURVEY, other)
        assert asked(site, kind, request_) == first


@pytest.mark.parametrize(("kind", "body", "words"), [(42, b"", "kind 42"), (SKETCH, b"\xff", "unreadable")])
def test_what_cannot_be_answered_is_said(kind, body, words):
    """An unknown kind and an unreadable body get an answer that names the problem."""
    reply = Message.from_bytes(Site(VALUES).answer(Message(kind, 1, 2, body).to_bytes()))
    assert reply.kind == FAILED
    assert words in reply.body.decode()


def test_noise_has_no_answer():
    """Without a message there is nobody to answer to."""
    with pytest.raises(DamagedMessage):
        Site(VALUES).answer(b"noise")
