"""Parameters given to a statement, matched with the ones it names."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from paretosql.errors import ProgrammingError, Spot, compose

Parameters = Sequence[Any] | Mapping[str, Any] | None

_HINT = "give one value for each ? (a sequence), or one entry for each $name (a mapping)"


def match(wanted: Collection[str], given: Parameters, spot: Spot) -> dict[str, Any]:
    """The value of every parameter.

    Args:
        wanted: names in the statement; `?` and `$1` are "1", "2", ..
        given: what the user passed.
        spot: the statement, to point at.
    Raises:
        ProgrammingError: too few, too many, or the wrong names; something that is no sequence, such as a str.
    """
    values = _by_name(given, spot)
    named = [name for name in wanted if not name.isdigit()]
    if isinstance(given, Mapping) or given is None:
        missing, extra = sorted(set(wanted) - values.keys()), sorted(values.keys() - set(wanted))
        if extra:
            raise _wrong(f"the statement has no parameter ${extra[0]}", spot)
        if missing:
            names = ", ".join("?" if name.isdigit() else "$" + name for name in missing)
            raise _wrong(f"no value for {len(missing)} parameter{'s' * (len(missing) > 1)}: {names}", spot)
    elif named:
        raise _wrong(f"the statement names its parameters: {', '.join('$' + name for name in sorted(named))}", spot)
    elif values.keys() != set(wanted):
        raise _wrong(f"the statement has {len(wanted)} parameters, {len(values)} given", spot)
    return values


def _by_name(given: Parameters, spot: Spot) -> dict[str, Any]:
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return {str(name): value for name, value in given.items()}
    if isinstance(given, (str, bytes)) or not isinstance(given, Sequence):
        raise _wrong(f"parameters are a sequence or a mapping, not {type(given).__name__}", spot)
    return {str(at): value for at, value in enumerate(given, 1)}


def _wrong(problem: str, spot: Spot) -> ProgrammingError:
    return ProgrammingError(compose(problem, spot, _HINT))
