"""loo_hll: the published method gives d and f1 within the error of its registers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from paretosql.errors import DataError
from paretosql.sketches import collect, estimate
from paretosql.sketches.hll import HyperLogLog, cardinality
from paretosql.sketches.loo_hll import LeaveOneOut, added, combine, pair_of, sub_sample


def split(values, sites, seed):
    """Rows at random sites."""
    at = np.random.default_rng(seed).integers(0, sites, len(values))
    return [values[at == each] for each in range(sites)]


def local(values):
    words, counts = np.unique(values, return_counts=True)
    return words.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15), counts


def registers(values, bits):
    return HyperLogLog(bits).update(values).registers


VALUES = np.concatenate([np.arange(30_000), np.arange(20_000), np.arange(10_000)])  # f1 = f2 = f3 = 10,000


@pytest.mark.parametrize("sites", [1, 2, 8, 64])
def test_singletons_are_those_that_no_other_site_has(sites):
    """d and f1 come out within five standard errors of the registers, however many sites."""
    found = [collect(split(VALUES, sites, seed), "loo_hll", bits=12, seed=seed).sketch for seed in range(8)]
    d = np.array([each.distinct() for each in found])
    f1 = np.array([each.profile()[1] for each in found])
    noise = 1.04 / 64 * 30_000
    assert abs(d.mean() - 30_000) < 5 * noise / np.sqrt(8)
    assert abs(f1.mean() - 10_000) < 5 * 2 * noise / np.sqrt(8)


def test_the_linear_merges_are_the_definition():
    """Prefix and suffix unions give the same sum as building the union of all others for each site."""
    pairs = [pair_of(local(some), 8, 0) for some in split(VALUES[::20], 7, 1)]
    expected = 0.0
    for at, (_, once) in enumerate(pairs):
        others = np.maximum.reduce([everything for each, (everything, _) in enumerate(pairs) if each != at])
        expected += cardinality(np.maximum(others, once)) - cardinality(others)
    d, f1 = combine(pairs)
    assert d == cardinality(np.maximum.reduce([everything for everything, _ in pairs]))
    assert f1 == pytest.approx(min(max(expected, 0.0), d))


def test_the_likelihood_is_at_its_greatest():
    """The number of added values is where the likelihood of the raised registers, written out, is greatest."""
    others, once = (registers(np.arange(start, 3_000 + start), 6) for start in (0, 2_000))

    def log_likelihood(number):
        found = 0.0
        for z, a in zip(others.tolist(), once.tolist(), strict=True):
            rate = number / 64
            if a <= z:  # the new values here stay at most at z
                found += -rate * 2.0**-z
            else:
                found += math.log(math.exp(-rate * 2.0**-a) - math.exp(-rate * 2.0 ** -(a - 1)))
        return found

    best = added(others, once)
    assert log_likelihood(best) > max(log_likelihood(best * 0.99), log_likelihood(best * 1.01))


def test_nothing_is_added_by_what_is_there():
    """Registers that raise none add nothing, and those of an empty sketch are all new."""
    everything = registers(np.arange(1_000), 10)
    assert added(everything, everything) == 0.0
    assert added(everything, np.zeros_like(everything)) == 0.0
    assert added(np.zeros_like(everything), everything) == pytest.approx(1_000, rel=5 * 1.04 / 32)
    assert added(registers(np.arange(300), 10), everything) == pytest.approx(700, rel=5 * 1.04 / 32)


def test_f1_stays_between_0_and_d():
    """Noise of the difference cannot push f1 out of its range."""
    everywhere = np.arange(5_000)
    pairs = [pair_of(local(everywhere), 5, seed=0) for _ in range(3)]
    assert combine(pairs)[1] == 0.0
    assert combine([]) == (0.0, 0.0)
    d, f1 = combine([pair_of(local(np.arange(9)), 5, 0)])
    assert f1 == d


def test_singletons_include_the_last_value():
    """A site counts its local sample whole, also the last group of its sorted rows."""
    everything, once = pair_of(local(np.array([1, 1, 2])), 10, 0)
    assert (cardinality(everything), cardinality(once)) == pytest.approx((2, 1), abs=0.01)


def test_the_profile_serves_gee_and_chao():
    """GEE is d + (sqrt(1/q) - 1) f1, Chao has d - f1 in the place of f2."""
    found = LeaveOneOut(1_000, 800.0, 600.0)
    assert estimate("gee", found.profile(), 100_000, sample_rows=1_000).value == pytest.approx(800 + 9 * 600)
    assert estimate("chao", found.profile(), 100_000, sample_rows=1_000).raw == pytest.approx(
        800 + 600 * 599 / (2 * 201)
    )


def test_shlosser_by_sub_sample():
    """The sub-sample estimates the two sums of Shlosser's formula; on equal frequencies both overshoot alike."""
    random = np.random.default_rng(5)
    counts = random.binomial(np.full(200_000, 50), 0.01)
    values = np.repeat(np.arange(len(counts)), counts)
    found = collect(split(values, 8, 2), "loo_hll", bits=16, sub_rate=0.01, seed=1).sketch
    sizes, numbers = np.unique(counts[counts > 0], return_counts=True)
    q = 0.01
    factor = (0.99**sizes * numbers).sum() / (sizes * q * 0.99 ** (sizes - 1) * numbers).sum()
    expected = (counts > 0).sum() + (counts == 1).sum() * factor
    assert found.shlosser() == pytest.approx(expected, rel=0.15)
    with pytest.raises(DataError, match="sub-sample"):
        LeaveOneOut(10, 5.0, 2.0).shlosser()


def test_the_sub_sample_is_of_rows():
    """Each row is drawn with the given probability, not the first rows."""
    keys, counts = sub_sample((np.arange(20_000, dtype=np.uint64), np.full(20_000, 3)), 0.5, np.random.default_rng(0))
    assert counts.sum() == pytest.approx(30_000, abs=5 * np.sqrt(60_000 / 4))
    assert (keys < 10_000).mean() == pytest.approx(0.5, abs=0.02)


def test_bytes_are_two_registers_per_site():
    """Each site sends 2 * 2**bits registers and less than 100 bytes around them."""
    found = collect(split(VALUES, 8, 0), "loo_hll", bits=12)
    assert 8 * 2 * 4096 < found.ledger.total < 8 * (2 * 4096 + 100)


def test_the_registers_are_those_of_the_sketch():
    """U is the HyperLogLog of all local values."""
    values = np.arange(1_000)
    keys, counts = local(values)
    assert (pair_of((keys, counts), 8, 3)[0] == HyperLogLog(8, 3).add(keys).registers).all()
