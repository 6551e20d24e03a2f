"""The functions that ParetoSQL adds to SQL expressions: what each takes, and which named options it knows.

`AGGREGATES` stand where an aggregate may; `SCALARS` turn a stored sketch of one row into a value. The parser, the
checks of options and the completion of the shell all read these tables.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Signature:
    """How a function is called.

    values: what its positional arguments are, for messages.
    options: names of its options.
    example: a call, for hints.
    distinct: whether DISTINCT in front of the argument changes nothing, and may be written.
    """

    values: tuple[str, ...]
    options: tuple[str, ...]
    example: str
    distinct: bool = False


_X = "the expression whose distinct values it counts"
_S = "a stored sketch"

AGGREGATES: dict[str, Signature] = {
    "ndv": Signature((_X,), ("method", "rate", "sampling", "seed"), "ndv(column, method => 'gee', rate => 0.01)", True),
    "ndv_interval": Signature(
        (_X,), ("method", "rate", "sampling", "seed", "confidence"), "ndv_interval(column, rate => 0.01)", True
    ),
    "ndv_sketch": Signature(
        ("the expression whose values it sketches",), ("capacity", "seed", "rate"), "ndv_sketch(column, seed => 7)"
    ),
    "ndv_merge": Signature((_S,), (), "ndv_merge(sketches)"),
    "ndv_sum": Signature(
        ("the expression whose distinct values it goes through", "the number that it adds up for each of them"),
        ("seed",),
        "ndv_sum(user_id, revenue)",
    ),
}
SCALARS: dict[str, Signature] = {
    "ndv_estimate": Signature((_S,), ("method", "rows"), "ndv_estimate(sketch, method => 'gee', rows => 1000000)"),
    "ndv_profile": Signature((_S,), (), "ndv_profile(sketch)"),
}
REPORT_OPTIONS = ("method", "rate", "sampling", "seed", "confidence")  # of ndv_report
