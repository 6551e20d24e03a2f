"""How actual latencies differ from predicted ones, as a distribution that can be drawn from.

The logarithm of actual over predicted has a mean and a spread that depend on the prediction: a Gaussian process gives
the mean, an isotonic fit over bins the spread.
Source: arXiv:2207.02026 simulates latencies by a Gaussian process from predicted to actual, cut at three standard
deviations; bins, the isotonic spread and the other modes are our choice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from paretosql.errors import DataError
from paretosql.optimizer.frontier import Floats, Ints
from paretosql.optimizer.units import LEAST_S
from paretosql.registry import Registry

MEAN_BINS, SPREAD_BINS = 200, 20  # section 4.4: at most 200 points; spread needs more rows per bin, our choice
ROWS_PER_BIN = 10  # at least; our choice
CLIP = 3.0  # standard deviations, section 4.4
KEPT = 2_000  # residuals, for bootstrap and stragglers; our choice
STRAGGLER_SHARE = 0.02  # of instances; our choice
TAIL = 0.01  # of the residuals, from which stragglers are drawn; section 4.4
CURVE_POINTS = 512


@dataclass(frozen=True)
class ErrorModel:
    """The distribution of log(actual / predicted).

    Attributes:
        centre, weight: shape (b,), log predictions of the bins, and what the Gaussian process gives each of them.
        process: the process's mean, length, signal and noise.
        spread_at, spread: shape (s,), the standard deviation at some log predictions; linear between them.
        kept_at, kept: shape (q,), log predictions, rising, and residuals of some rows.
    """

    centre: Floats
    weight: Floats
    process: tuple[float, float, float, float]
    spread_at: Floats
    spread: Floats
    kept_at: Floats
    kept: Floats

    def mean(self, predicted_s: npt.ArrayLike) -> Floats:
        """The expected log(actual / predicted), shape of `predicted_s`."""
        found: Floats = np.interp(_log(predicted_s), *self._curve)
        return found

    @cached_property
    def _curve(self) -> tuple[Floats, Floats]:
        """The process at points close to each other; beyond them it stays what it is at the ends."""
        level, length, signal, _ = self.process
        at = np.linspace(self.centre.min(), self.centre.max(), CURVE_POINTS)
        return at, level + _covariance(at, self.centre, length, signal) @ self.weight

    def deviation(self, predicted_s: npt.ArrayLike) -> Floats:
        """The standard deviation of log(actual / predicted)."""
        found: Floats = np.interp(_log(predicted_s), self.spread_at, self.spread)
        return found

    def sample(
        self,
        predicted_s: npt.ArrayLike,
        mode: str = "gaussian",
        seed: int = 0,
        straggler_share: float = STRAGGLER_SHARE,
    ) -> Floats:
        """Actual seconds that might follow predictions, shape (p,). The same seed gives the same ones.

        Args:
            mode: `none`, `gaussian`, `bootstrap` (residuals of similar predictions, heavy tails and all) or
                `straggler` (gaussian, and a share of instances is slower by one of the largest 1 % of residuals).
        Raises:
            ProgrammingError: no mode has this name.
        """
        predicted = np.maximum(np.asarray(predicted_s, dtype=np.float64), 0.0)
        rng = np.random.default_rng(seed)
        drawn = modes[mode](self, predicted, rng, straggler_share)
        return predicted * np.exp(drawn)

    @cached_property
    def tail(self) -> Floats:
        """The largest residuals."""
        return np.sort(self.kept)[-max(1, round(TAIL * len(self.kept))) :]


Draw = Callable[[ErrorModel, Floats, np.random.Generator, float], Floats]
modes: Registry[Draw] = Registry("mode of errors")


@modes.register("none")
def _none(model: ErrorModel, predicted: Floats, rng: np.random.Generator, share: float) -> Floats:
    return np.zeros(len(predicted))


@modes.register("gaussian")
def _gaussian(model: ErrorModel, predicted: Floats, rng: np.random.Generator, share: float) -> Floats:
    normal = np.clip(rng.standard_normal(len(predicted)), -CLIP, CLIP)
    return model.mean(predicted) + model.deviation(predicted) * normal


@modes.register("bootstrap")
def _bootstrap(model: ErrorModel, predicted: Floats, rng: np.random.Generator, share: float) -> Floats:
    """One of the residuals whose predictions are nearest by rank."""
    size = len(model.kept)
    near = max(1, size // SPREAD_BINS)
    middle = np.searchsorted(model.kept_at, _log(predicted))
    first = np.clip(middle - near // 2, 0, size - near)
    found: Floats = model.kept[first + rng.integers(0, near, len(predicted))]
    return found


@modes.register("straggler")
def _straggler(model: ErrorModel, predicted: Floats, rng: np.random.Generator, share: float) -> Floats:
    drawn = _gaussian(model, predicted, rng, share)
    late = rng.random(len(predicted)) < share
    return np.where(late, drawn + rng.choice(model.tail, len(predicted)), drawn)


def learn_errors(predicted_s: npt.ArrayLike, actual_s: npt.ArrayLike) -> ErrorModel:
    """Learn from predictions of rows that the model was not trained on. O(N log N + bins ** 3).

    Raises:
        DataError: no rows, shapes that differ, or latencies that are not numbers.
    """
    predicted, actual = _log(predicted_s), _log(actual_s)
    if predicted.shape != actual.shape or not len(predicted) or not np.isfinite(predicted + actual).all():
        raise DataError(f"{predicted.shape} predictions and {actual.shape} latencies give no errors to learn from")
    order = np.argsort(predicted, kind="stable")
    at, residual = predicted[order], (actual - predicted)[order]
    centre, mean, count = _binned(at, residual, MEAN_BINS)
    process, weight = _process(centre, mean, count)
    drawn = np.unique(np.linspace(0, len(at) - 1, min(KEPT, len(at))).round().astype(np.int64))
    rough = ErrorModel(centre, weight, process, np.zeros(1), np.zeros(1), at[drawn], residual[drawn])
    spread_at, spread = _spread(at, residual - rough.mean(np.exp(at)))
    return ErrorModel(centre, weight, process, spread_at, spread, at[drawn], residual[drawn])


def _log(seconds: npt.ArrayLike) -> Floats:
    found: Floats = np.log(np.maximum(np.asarray(seconds, dtype=np.float64), LEAST_S))
    return found


def _starts(size: int, most: int) -> Ints:
    """First rows of bins of equal numbers of rows."""
    bins = int(np.clip(size // ROWS_PER_BIN, 1, most))
    return np.unique(np.linspace(0, size, bins, endpoint=False).astype(np.int64))


def _binned(at: Floats, values: Floats, most: int) -> tuple[Floats, Floats, Floats]:
    starts = _starts(len(at), most)
    count = np.diff([*starts, len(at)]).astype(np.float64)
    return np.add.reduceat(at, starts) / count, np.add.reduceat(values, starts) / count, count


def _covariance(left: Floats, right: Floats, length: float, signal: float) -> Floats:
    found: Floats = signal**2 * np.exp(-0.5 * ((left[..., None] - right) / length) ** 2)
    return found


def _process(centre: Floats, mean: Floats, count: Floats) -> tuple[tuple[float, float, float, float], Floats]:
    """Hyper-parameters of the largest marginal likelihood, and the weights of the bins."""
    from scipy.linalg import LinAlgError, cho_factor, cho_solve
    from scipy.optimize import minimize

    level = float(np.average(mean, weights=count))
    values = mean - level
    width = max(float(np.ptp(centre)), 1.0)

    def factor(logs: Floats) -> tuple[Floats, bool]:
        length, signal, noise = np.exp(logs)
        kernel = _covariance(centre, centre, length, signal) + np.diag(noise**2 / count + 1e-10)
        solved: tuple[Floats, bool] = cho_factor(kernel, lower=True)
        return solved

    def cost(logs: Floats) -> float:
        try:
            chol = factor(logs)
        except LinAlgError:
            return 1e12
        return float(0.5 * values @ cho_solve(chol, values) + np.log(np.diag(chol[0])).sum())

    noise = max(float(np.sqrt((values**2 * count).mean())), 1e-3)
    start = np.log([width / 2, max(float(values.std()), 1e-3), noise])
    bounds = [(np.log(width / 20), np.log(width * 2)), (np.log(1e-4), np.log(3.0)), (np.log(1e-4), np.log(10.0))]
    least, most = np.array(bounds).T
    best = minimize(cost, np.clip(start, least, most), method="L-BFGS-B", bounds=bounds).x
    length, signal, white = (float(each) for each in np.exp(best))
    return (level, length, signal, white), cho_solve(factor(best), values)


def _spread(at: Floats, residual: Floats) -> tuple[Floats, Floats]:
    """Standard deviations over bins, made to rise or to fall, whichever fits better."""
    from scipy.optimize import isotonic_regression

    centre, square, count = _binned(at, residual**2, SPREAD_BINS)
    deviation = np.sqrt(square)
    fits = [isotonic_regression(deviation, weights=count, increasing=up).x for up in (True, False)]
    off = [float(count @ (fit - deviation) ** 2) for fit in fits]
    return centre, np.maximum(fits[int(np.argmin(off))], 0.0)
