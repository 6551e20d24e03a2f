"""The estimators once more, written from the formulas with mpmath at 60 digits: slow, plain, sharing nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mpmath import mp, mpf

DIGITS = 60
Profile = Mapping[int, float]


class Terms:
    """d, n, N, q and sums of one profile in high precision."""

    def __init__(self, profile: Profile, rows: float, sample_rows: float | None = None) -> None:
        self.f = {i: mpf(value) for i, value in profile.items() if value}
        self.N = mpf(rows)
        self.d = mp.fsum(self.f.values())
        self.n = mp.fsum(i * value for i, value in self.f.items()) if sample_rows is None else mpf(sample_rows)
        self.q = self.n / self.N
        self.f1, self.f2 = self.f.get(1, mpf(0)), self.f.get(2, mpf(0))

    def sum(self, weight: Callable[[int], mpf]) -> mpf:
        return mp.fsum(weight(i) * value for i, value in self.f.items())

    def gamma2(self, distinct: mpf) -> mpf:
        pairs = self.sum(lambda i: mpf(i) * (i - 1))
        return max(mpf(0), distinct / self.n**2 * pairs + distinct / self.N - 1)

    def h(self, x: mpf) -> mpf:
        """Chance that a sample of n misses x rows."""
        N, n = self.N, self.n
        if x + n > N:
            return mpf(0)
        up = mp.loggamma(N - x + 1) + mp.loggamma(N - n + 1)
        return mp.exp(up - mp.loggamma(N - x - n + 1) - mp.loggamma(N + 1))


def gee(t: Terms) -> mpf:
    return t.d - t.f1 + mp.sqrt(1 / t.q) * t.f1


def ae(t: Terms) -> mpf:
    if t.f1 == 0:
        return t.d
    s = t.f1 + 2 * t.f2
    a = mp.fsum(mp.exp(-i) * f for i, f in t.f.items() if i >= 3)
    b = mp.fsum(i * mp.exp(-i) * f for i, f in t.f.items() if i >= 3)

    def g(m: mpf) -> mpf:
        return m - t.f1 - t.f2 - t.f1 * (a + m * mp.exp(-s / m)) / (b + s * mp.exp(-s / m))

    if g(t.N) < 0:  # the difference has one zero: it grows with m
        return t.N
    m = bisected(g, t.f1 + t.f2, t.N)
    return t.d + m - t.f1 - t.f2


def bisected(g: Callable[[mpf], mpf], low: mpf, high: mpf) -> mpf:
    """The zero of an increasing function."""
    for _ in range(240):
        middle = (low + high) / 2
        low, high = (middle, high) if g(middle) < 0 else (low, middle)
    return (low + high) / 2


def chao84(t: Terms) -> mpf:
    return t.d if t.f1 == 0 else t.d + t.f1**2 / (2 * t.f2)


def chao(t: Terms) -> mpf:
    return t.d + t.f1 * (t.f1 - 1) / (2 * (t.f2 + 1))


def good_turing(t: Terms) -> mpf:
    return t.d / (1 - t.f1 / t.n)


def chao_lee(t: Terms) -> mpf:
    c = 1 - t.f1 / t.n
    pairs = t.sum(lambda i: mpf(i) * (i - 1))
    g2 = max(mpf(0), t.d / c * pairs / (t.n * (t.n - 1)) - 1)
    return t.d / c + t.n * (1 - c) / c * g2


def shlosser(t: Terms) -> mpf:
    if t.f1 == 0:
        return t.d
    return t.d + t.f1 * t.sum(lambda i: (1 - t.q) ** i) / t.sum(lambda i: i * t.q * (1 - t.q) ** (i - 1))


def duj1(t: Terms) -> mpf:
    return t.n * t.d / (t.n - t.f1 + t.f1 * t.q)


def duj2(t: Terms) -> mpf:
    above = t.d - t.f1 * (1 - t.q) * mp.log(1 - t.q) * t.gamma2(duj1(t)) / t.q
    return above / (1 - (1 - t.q) * t.f1 / t.n)


def duj2a(t: Terms) -> mpf:
    heavy = {i: f for i, f in t.f.items() if i > 50}
    if len(heavy) == len(t.f):
        return t.d
    gone = mp.fsum(bisected(lambda x, i=i: t.q * x / (1 - (1 - t.q) ** x) - i, mpf(1), 2 * i / t.q) * f
                   for i, f in heavy.items())  # fmt: skip
    light = {i: f for i, f in t.f.items() if i <= 50}
    light_n = mp.fsum(i * f for i, f in light.items())
    rest = Terms(light, max(t.N - gone, light_n))
    spread = rest.gamma2(rest.d / (1 - (1 - t.q) * rest.f1 / rest.n))
    above = rest.d - rest.f1 * (1 - t.q) * mp.log(1 - t.q) * spread / t.q
    return above / (1 - (1 - t.q) * rest.f1 / rest.n) + mp.fsum(heavy.values())


def sh3(t: Terms) -> mpf:
    if t.f1 == 0:
        return t.d
    q = t.q
    first = t.sum(lambda i: i * q**2 * (1 - q**2) ** (i - 1)) / t.sum(lambda i: (1 - q**2) ** i - (1 - q) ** i)
    second = t.sum(lambda i: (1 - q) ** i) / t.sum(lambda i: i * q * (1 - q) ** (i - 1))
    return t.d + t.f1 * first * second**2


def haas_stokes(t: Terms) -> mpf:
    spread = t.gamma2(duj1(t))
    return duj2(t) if spread < mpf("0.9") else duj2a(t) if spread < 30 else sh3(t)


def jackknife1(t: Terms) -> mpf:
    return t.d + t.f1 * (t.n - 1) / t.n


def jackknife2(t: Terms) -> mpf:
    if t.n < 3:
        return jackknife1(t)
    return t.d if t.f1 == 0 else t.d + t.f1 * (2 * t.n - 3) / t.n - t.f2 * (t.n - 2) ** 2 / (t.n * (t.n - 1))


def smoothed_jackknife(t: Terms) -> mpf:
    if t.f1 == 0:
        return t.d
    N, n = t.N, t.n
    first = (t.d - t.f1 / n) / (1 - (N - n + 1) * t.f1 / (n * N))
    x = N / first
    missed = t.h(x)
    g = mp.digamma(N - x + 1) - mp.digamma(N - x - n + 2) if missed else mpf(0)
    return (t.d + N * missed * g * t.gamma2(first)) / (1 - (N - x - n + 1) * t.f1 / (n * N))


def even(t: Terms) -> bool:
    statistic = t.sum(lambda i: (i - t.n / t.d) ** 2 / (t.n / t.d))
    # P(chi-square <= statistic) <= 0.975
    return t.d <= 1 or mp.gammainc((t.d - 1) / 2, 0, statistic / 2, regularized=True) <= mpf("0.975")


def hybskew(t: Terms) -> mpf:
    return smoothed_jackknife(t) if even(t) else shlosser(t)


def hybgee(t: Terms) -> mpf:
    return smoothed_jackknife(t) if even(t) else gee(t)


def bootstrap(t: Terms) -> mpf:
    return t.d + t.sum(lambda i: (1 - i / t.n) ** t.n)


def horvitz_thompson(t: Terms) -> mpf:
    return t.sum(lambda i: 1 / (1 - t.h(i * t.N / t.n)))


def mom_infinite(t: Terms) -> mpf:
    return bisected(lambda D: D * (1 - mp.exp(-t.n / D)) - t.d, t.d, t.d * t.n * 1000)


def mom_finite(t: Terms) -> mpf:
    if t.d == t.n:
        return t.N
    return bisected(lambda D: D * (1 - t.h(t.N / D)) - t.d, t.d, t.N)


def goodman(t: Terms) -> mpf:
    rest = t.N - t.n

    def term(i: int) -> mpf:
        logs = mp.loggamma(rest + i) - mp.loggamma(rest) + mp.loggamma(t.n - i + 1) - mp.loggamma(t.n + 1)
        return (-1) ** (i + 1) * mp.exp(logs)

    return t.d + t.sum(term)


def sichel(t: Terms) -> mpf:
    if not 0 < t.f1 < t.n:
        return t.d
    share = mp.log(t.n / t.f1)
    a, b = 2 * t.n / t.d - share, 2 * t.f1 / t.d + share
    found = []
    # every sign change on a fine grid, the trivial zero at f1 / n left out
    grid = [t.f1 / t.n + (1 - t.f1 / t.n) * mpf(k) / 4000 for k in range(1, 4001)]
    left = [(1 + g) * mp.log(g) - a * g + b for g in grid]
    for (g0, l0), (g1, l1) in zip(zip(grid, left, strict=True), list(zip(grid, left, strict=True))[1:], strict=False):
        if l0 > 0 > l1:
            g = bisected(lambda x: -((1 + x) * mp.log(x) - a * x + b), g0, g1)
            found.append(2 / (g * mp.log(t.n * g / t.f1) / (1 - g) * (1 - g**2) / (t.n * g**2)))
    return min(found, default=t.d)


def smoothed_good_toulmin(t: Terms) -> mpf:
    x = (t.N - t.n) / t.n
    if x <= 1:
        return t.d - t.sum(lambda i: (-x) ** i)
    mean = mp.log(t.n * (x + 1) ** 2 / (x - 1)) / (2 * x)
    return t.d - t.sum(lambda i: (-x) ** i * mp.gammainc(i, 0, mean, regularized=True))


def wu_yang(t: Terms, p_min: float | None = None) -> mpf:
    K = t.N if p_min is None else 1 / mpf(p_min)
    L, M = int(mp.floor(mpf("0.45") * mp.log(K))), mp.log(K) / 2
    left, right = 1 / K, M / t.n
    if left >= right:
        return t.d
    # T_L(u(x)) has the derivatives at 0 that its coefficients ask for
    taylor = mp.taylor(lambda x: mp.chebyt(L, (2 * x - right - left) / (right - left)), 0, L)
    return t.sum(lambda i: 1 - taylor[i] / taylor[0] * mp.factorial(i) / t.n**i if i <= L else mpf(1))


FORMULAS: dict[str, Callable[..., mpf]] = {
    each.__name__: each
    for each in (
        gee, ae, chao84, chao, good_turing, chao_lee, shlosser, duj1, duj2, duj2a, sh3, haas_stokes, jackknife1,
        jackknife2, smoothed_jackknife, hybskew, hybgee, bootstrap, horvitz_thompson, mom_infinite, mom_finite,
        goodman, sichel, smoothed_good_toulmin, wu_yang,
    )
}  # fmt: skip


def textbook(method: str, profile: Profile, rows: float) -> float:
    """The value of a formula; ZeroDivisionError where it has none."""
    with mp.workdps(DIGITS):
        return float(FORMULAS[method](Terms(profile, rows)))
