"""Contributions: a digest of ids that does not depend on their order, and what is recognised as a repeat."""

from __future__ import annotations

from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretosql.errors import DataError
from paretosql.sketches.contributions import MAX_NUMBER, Contributions

IDS = st.lists(st.binary(min_size=16, max_size=16), unique=True, max_size=8)


def together(ids) -> Contributions:
    whole = Contributions()
    for each in ids:
        whole.check(Contributions.of(each))
        whole.add(Contributions.of(each))
    return whole


@given(IDS, st.data())
def test_the_digest_is_the_sum_of_hashes(ids, data):
    """In any order, modulo 2**128."""
    whole = together(data.draw(st.permutations(ids)))
    total = sum(int.from_bytes(blake2b(each, digest_size=16).digest(), "little") for each in ids)
    assert (int.from_bytes(whole.digest, "little"), whole.number) == (total % 2**128, len(ids))


@given(IDS.filter(len), st.data())
def test_every_id_is_recognised(ids, data):
    """Each id, and the stored group of those merged so far, is refused; an unknown one is not."""
    whole = together(ids)
    with pytest.raises(DataError, match="twice"):
        whole.check(Contributions.of(data.draw(st.sampled_from(ids))))
    some = together(ids[: data.draw(st.integers(1, len(ids)))])
    with pytest.raises(DataError, match="twice"):
        whole.check(Contributions(some.digest, some.number))
    whole.check(Contributions())


def test_a_copy_goes_its_own_way():
    """What is added to the copy is not in the first one."""
    first = together([b"a" * 16])
    twin = first.copy()
    twin.add(Contributions.of(b"b" * 16))
    first.check(Contributions.of(b"b" * 16))
    assert (first.number, twin.number) == (1, 2)


def test_too_many_ids_are_refused():
    """The stored number has 32 bits."""
    with pytest.raises(DataError, match=str(MAX_NUMBER)):
        together([b"a" * 16]).check(Contributions(bytes(16), MAX_NUMBER))
