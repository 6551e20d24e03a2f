"""The options of our aggregates and of `ndv_report`: read, checked, and explained when they are wrong."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlglot import exp

from paretosql.engine.catalog import Catalog
from paretosql.engine.nodes import NdvCall, call_name, option_node, options_of, spot_of
from paretosql.engine.plan import (
    BERNOULLI,
    BLOCK_SAMPLING,
    DEFAULT_CONFIDENCE,
    DEFAULT_SAMPLED,
    DEFAULT_SKETCH,
    Sampling,
)
from paretosql.engine.signatures import AGGREGATES, REPORT_OPTIONS
from paretosql.errors import ProgrammingError, Spot, closest, compose
from paretosql.sketches.arguments import MAX_CAPACITY
from paretosql.sketches.estimators import estimators
from paretosql.sketches.profile import CAPACITY

SAMPLINGS = (BERNOULLI, BLOCK_SAMPLING)
LARGEST_SEED = 2**63 - 1


@dataclass(frozen=True)
class CountOptions:
    """How one distinct count is made; `exact` is a rate of 1. `confidence` is of its interval."""

    method: str
    sampling: Sampling
    exact: bool = False
    confidence: float = DEFAULT_CONFIDENCE
    capacity: int = CAPACITY
    spot: Spot | None = field(default=None, compare=False)  # where `sampling` is written


def read_options(node: exp.Expr, catalog: Catalog) -> CountOptions:
    """The options written in a call.

    Raises:
        ProgrammingError: an unknown option or method, a value of the wrong type or out of its range, a sampling method
            without a rate.
    """
    function = call_name(node) if isinstance(node, NdvCall) else "ndv_report"
    check_known(node, function, AGGREGATES[function].options if isinstance(node, NdvCall) else REPORT_OPTIONS, catalog)
    values = {name: constant(node, name, each, catalog) for name, each in options_of(node).items()}
    rate = _rate(node, values["rate"], catalog) if "rate" in values else None
    seed = _seed(node, values["seed"], catalog) if "seed" in values else 0
    if "method" in values:
        method = _method(node, values["method"], rate, catalog)
    else:
        method = DEFAULT_SKETCH if rate is None else DEFAULT_SAMPLED
    kind = _sampling(node, values["sampling"], rate, catalog) if "sampling" in values else BERNOULLI
    confidence = _confidence(node, values["confidence"], catalog) if "confidence" in values else DEFAULT_CONFIDENCE
    capacity = _capacity(node, values["capacity"], catalog) if "capacity" in values else CAPACITY
    sampling = Sampling(None, seed) if rate == 1 else Sampling(rate, seed, kind)
    option = option_node(node, "sampling")
    spot = None if option is None else spot_of(option, catalog.text)
    return CountOptions(method, sampling, rate == 1, confidence, capacity, spot)


def check_known(node: exp.Expr, function: str, known: Collection[str], catalog: Catalog) -> None:
    """ProgrammingError when a call has an option that its function does not know."""
    for name in options_of(node):
        if name not in known:
            near = closest(name, known)
            hint = f"did you mean {near}? " if near else ""
            listed = f"The options are {', '.join(known)}." if known else "It has none."
            raise wrong_option(node, name, catalog, f"{function} has no option {name!r}", hint + listed)


def constant(node: exp.Expr, name: str, value: exp.Expr, catalog: Catalog, *, boolean: bool = False) -> Any:
    """The value of an option that is written out or a parameter; ProgrammingError for any other expression.

    Args:
        boolean: whether true and false are values, too.
    """
    if boolean and isinstance(value, exp.Boolean):
        return bool(value.this)
    if isinstance(value, exp.Placeholder):
        return catalog.parameters[str(value.this)]
    negative = isinstance(value, exp.Neg)
    inner = value.this if negative else value
    if isinstance(inner, exp.Literal):
        if inner.is_string:
            return str(inner.this)
        number = float(inner.this)
        number = int(inner.this) if str(inner.this).isdigit() else number
        return -number if negative else number
    if isinstance(inner, exp.Null):
        return None
    raise wrong_option(
        node, name, catalog, f"{name} is a constant or a parameter", f"write {name} => value, or {name} => ?"
    )


def read_rate(node: exp.Expr, value: exp.Expr, catalog: Catalog) -> float:
    """The rate after WITH SAMPLE; ProgrammingError when it is none."""
    hint = "WITH SAMPLE 0.01 reads one row in a hundred, WITH SAMPLE 1 all of them (exact)"
    spot = spot_of(value, catalog.text) or spot_of(node, catalog.text)
    if not isinstance(value, (exp.Placeholder, exp.Literal, exp.Neg)):
        raise ProgrammingError(compose("the rate after WITH SAMPLE is a constant or a parameter", spot, hint))
    given = constant(node, "rate", value, catalog)
    if not _is_rate(given):
        problem = f"the rate after WITH SAMPLE is above 0 and at most 1, not {given!r}"
        raise ProgrammingError(compose(problem, spot, hint))
    return float(given)


def _is_rate(value: Any) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool) and 0 < value <= 1


def _rate(node: exp.Expr, value: Any, catalog: Catalog) -> float:
    if not _is_rate(value):
        hint = "rate => 0.01 reads one row in a hundred, rate => 1 all of them (exact)"
        raise wrong_option(node, "rate", catalog, f"rate is a number above 0 and at most 1, not {value!r}", hint)
    return float(value)


def _seed(node: exp.Expr, value: Any, catalog: Catalog) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LARGEST_SEED:
        hint = "the same seed gives the same sample again, for example seed => 42"
        raise wrong_option(
            node, "seed", catalog, f"seed is a whole number from 0 to {LARGEST_SEED}, not {value!r}", hint
        )
    return value


def _sampling(node: exp.Expr, value: Any, rate: float | None, catalog: Catalog) -> str:
    name = str(value).lower()
    if not isinstance(value, str) or name not in SAMPLINGS:
        hint = f"sampling => {' or '.join(map(repr, SAMPLINGS))}"
        raise wrong_option(node, "sampling", catalog, f"no way of sampling named {value!r}", hint)
    if rate is None:
        hint = f"add a rate: ndv(x, rate => 0.01, sampling => '{name}')"
        raise wrong_option(node, "sampling", catalog, "without a rate every row is read", hint)
    return name


def _confidence(node: exp.Expr, value: Any, catalog: Catalog) -> float:
    ok = isinstance(value, (int, float, Decimal)) and not isinstance(value, bool) and 0 < value < 1
    if not ok:
        hint = "confidence => 0.95 asks for a range that holds the truth in 95 of 100 cases"
        raise wrong_option(node, "confidence", catalog, f"confidence is a number between 0 and 1, not {value!r}", hint)
    return float(value)


def _capacity(node: exp.Expr, value: Any, catalog: Catalog) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_CAPACITY:
        hint = f"capacity => {CAPACITY}, the default, keeps so many values, for a standard error of 0.4 %"
        problem = f"capacity is a whole number from 1 to {MAX_CAPACITY}, not {value!r}"
        raise wrong_option(node, "capacity", catalog, problem, hint)
    return value


def check_method(node: exp.Expr, value: Any, catalog: Catalog) -> str:
    """The name of a method in lower case; ProgrammingError when there is none of that name."""
    known = (DEFAULT_SKETCH, *estimators)
    name = str(value).lower()
    if not isinstance(value, str) or name not in known:
        raise wrong_option(node, "method", catalog, f"no method named {value!r}", _method_hint(str(value), known))
    return name


def _method(node: exp.Expr, value: Any, rate: float | None, catalog: Catalog) -> str:
    name = check_method(node, value, catalog)
    if name == DEFAULT_SKETCH and rate is not None and rate < 1:
        raise wrong_option(node, "method", catalog, "the method 'sketch' reads every row", "leave out rate, or method")
    if name != DEFAULT_SKETCH and rate is None:
        call = call_name(node) if isinstance(node, NdvCall) else "ndv"
        hint = f"add a rate: {call}(x, method => '{name}', rate => 0.01)"
        raise wrong_option(node, "method", catalog, f"the method {name!r} estimates from a sample", hint)
    return name


def _method_hint(value: str, known: Collection[str]) -> str:
    near = closest(value, known)
    return (f"did you mean {near!r}? " if near else "") + f"Known: {', '.join(known)}."


def wrong_option(node: exp.Expr, name: str, catalog: Catalog, problem: str, hint: str) -> ProgrammingError:
    """An error that points at an option of a call."""
    option = option_node(node, name)
    spot = spot_of(option if option is not None else node, catalog.text)
    return ProgrammingError(compose(problem, spot or spot_of(node, catalog.text), hint))
