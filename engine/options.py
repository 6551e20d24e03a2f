"""The options of `ndv` and `ndv_report`: read, checked, and explained when they are wrong."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlglot import exp

from paretosql.engine.catalog import Catalog
from paretosql.engine.nodes import option_node, options_of, spot_of
from paretosql.engine.plan import BERNOULLI, BLOCK_SAMPLING, DEFAULT_SAMPLED, DEFAULT_SKETCH, Sampling
from paretosql.errors import ProgrammingError, Spot, closest, compose
from paretosql.sketches.estimators import estimators

KNOWN = ("method", "rate", "sampling", "seed")
SAMPLINGS = (BERNOULLI, BLOCK_SAMPLING)
LARGEST_SEED = 2**63 - 1


@dataclass(frozen=True)
class CountOptions:
    """How one distinct count is made; `exact` is a rate of 1."""

    method: str
    sampling: Sampling
    exact: bool = False
    spot: Spot | None = field(default=None, compare=False)  # where `sampling` is written


def read_options(node: exp.Expr, catalog: Catalog) -> CountOptions:
    """The options written in a call.

    Raises:
        ProgrammingError: an unknown option or method, a value of the wrong type or out of its range, a sampling method
            without a rate.
    """
    values = {name: _value(node, name, each, catalog) for name, each in options_of(node).items()}
    for name in values:
        if name not in KNOWN:
            near = closest(name, KNOWN)
            hint = f"did you mean {near}? " if near else ""
            raise _wrong(
                node, name, catalog, f"ndv has no option {name!r}", f"{hint}The options are {', '.join(KNOWN)}."
            )
    rate = _rate(node, values["rate"], catalog) if "rate" in values else None
    seed = _seed(node, values["seed"], catalog) if "seed" in values else 0
    if "method" in values:
        method = _method(node, values["method"], rate, catalog)
    else:
        method = DEFAULT_SKETCH if rate is None else DEFAULT_SAMPLED
    kind = _sampling(node, values["sampling"], rate, catalog) if "sampling" in values else BERNOULLI
    if rate == 1:
        return CountOptions(method, Sampling(None, seed), exact=True)
    option = option_node(node, "sampling")
    spot = None if option is None else spot_of(option, catalog.text)
    return CountOptions(method, Sampling(rate, seed, kind), spot=spot)


def _value(node: exp.Expr, name: str, value: exp.Expr, catalog: Catalog) -> Any:
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
    raise _wrong(node, name, catalog, f"{name} is a constant or a parameter", f"write {name} => value, or {name} => ?")


def _rate(node: exp.Expr, value: Any, catalog: Catalog) -> float:
    ok = isinstance(value, (int, float, Decimal)) and not isinstance(value, bool) and 0 < value <= 1
    if not ok:
        hint = "rate => 0.01 reads one row in a hundred, rate => 1 all of them (exact)"
        raise _wrong(node, "rate", catalog, f"rate is a number above 0 and at most 1, not {value!r}", hint)
    return float(value)


def _seed(node: exp.Expr, value: Any, catalog: Catalog) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LARGEST_SEED:
        hint = "the same seed gives the same sample again, for example seed => 42"
        raise _wrong(node, "seed", catalog, f"seed is a whole number from 0 to {LARGEST_SEED}, not {value!r}", hint)
    return value


def _sampling(node: exp.Expr, value: Any, rate: float | None, catalog: Catalog) -> str:
    name = str(value).lower()
    if not isinstance(value, str) or name not in SAMPLINGS:
        hint = f"sampling => {' or '.join(map(repr, SAMPLINGS))}"
        raise _wrong(node, "sampling", catalog, f"no way of sampling named {value!r}", hint)
    if rate is None:
        hint = f"add a rate: ndv(x, rate => 0.01, sampling => '{name}')"
        raise _wrong(node, "sampling", catalog, "without a rate every row is read", hint)
    return name


def _method(node: exp.Expr, value: Any, rate: float | None, catalog: Catalog) -> str:
    known = (DEFAULT_SKETCH, *estimators)
    name = str(value).lower()
    if not isinstance(value, str) or name not in known:
        raise _wrong(node, "method", catalog, f"no method named {value!r}", _method_hint(str(value), known))
    if name == DEFAULT_SKETCH and rate is not None and rate < 1:
        raise _wrong(node, "method", catalog, "the method 'sketch' reads every row", "leave out rate, or method")
    if name != DEFAULT_SKETCH and rate is None:
        hint = f"add a rate: ndv(x, method => '{name}', rate => 0.01)"
        raise _wrong(node, "method", catalog, f"the method {name!r} estimates from a sample", hint)
    return name


def _method_hint(value: str, known: Collection[str]) -> str:
    near = closest(value, known)
    return (f"did you mean {near!r}? " if near else "") + f"Known: {', '.join(known)}."


def _wrong(node: exp.Expr, name: str, catalog: Catalog, problem: str, hint: str) -> ProgrammingError:
    option = option_node(node, name)
    spot = spot_of(option if option is not None else node, catalog.text)
    return ProgrammingError(compose(problem, spot or spot_of(node, catalog.text), hint))
