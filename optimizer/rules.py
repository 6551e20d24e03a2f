"""What must hold in a trace, as SQL over its tables.

A rule names the rows of one table that break it. Rules about single rows follow from the schema: numbers are finite
and not negative, utilisations are at most 1, words are known ones. The others compare rows of different tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from paretosql.optimizer.schema import EXCHANGES, KEYS, STATUSES, TABLES, WARMTHS

SLACK_MS = 1  # clocks are read to the millisecond, rounded up or down
# Milliseconds since 1970 from the year 1973 to the year 5138. Seconds are below, microseconds above.
EPOCH_MS = (10**11, 10**14)
WORDS = {"status": STATUSES, "exchange_in": EXCHANGES, "exchange_out": EXCHANGES, "kind": EXCHANGES, "warmth": WARMTHS}
MOMENTS = ("submit_ms", "release_ms", "start_ms", "finish_ms", "ts_ms")
REFERENCES = (  # table, its columns, the table that must have them, its columns
    ("stages", ("job_id",), "jobs", ("job_id",)),
    ("stage_edges", ("job_id", "src_stage"), "stages", ("job_id", "stage_id")),
    ("stage_edges", ("job_id", "dst_stage"), "stages", ("job_id", "stage_id")),
    ("operators", ("job_id", "stage_id"), "stages", ("job_id", "stage_id")),
    ("operator_edges", ("job_id", "stage_id", "src_op"), "operators", ("job_id", "stage_id", "op_id")),
    ("operator_edges", ("job_id", "stage_id", "dst_op"), "operators", ("job_id", "stage_id", "op_id")),
    ("instances", ("job_id", "stage_id"), "stages", ("job_id", "stage_id")),
    ("instances", ("machine_id",), "machines", ("machine_id",)),
    ("machine_states", ("machine_id",), "machines", ("machine_id",)),
)


@dataclass(frozen=True)
class Rule:
    """Rows of `table` for which the SQL condition `bad` is true are wrong.

    Attributes:
        column: the column to look at.
        text: SQL that says what is wrong with a row.
        hint: what would be right.
        source: SQL of a FROM clause; `{rows}` is the table. Rules of equal source are checked in one pass.
    """

    table: str
    column: str
    bad: str
    text: str
    hint: str
    source: str = "{rows}"


def rules_of(table: str, time_base: str) -> Iterator[Rule]:
    """All rules about one table, those about single rows first."""
    for field in TABLES[table]:
        yield from _column_rules(table, field)
        if field.name in MOMENTS:
            yield from _moment_rules(table, field.name, time_base)
    if {"start_ms", "finish_ms"} <= set(TABLES[table].names):
        yield Rule(
            table,
            "finish_ms",
            "finish_ms < start_ms",
            "format('finish_ms {} is before start_ms {}', finish_ms, start_ms)",
            "clocks of different machines may differ: take both times from one of them.",
        )
    if {"start_ms", "finish_ms", "latency_ms"} <= set(TABLES[table].names):
        yield from _latency_rules(table)
    yield _unique(table)
    yield from (_reference(*each) for each in REFERENCES if each[0] == table)
    if table == "stages":
        yield from _stage_rules()


def _column_rules(table: str, field: pa.Field) -> Iterator[Rule]:
    name = field.name
    if not field.nullable:
        yield Rule(table, name, f"{name} IS NULL", f"'{name} is null'", "this column is never null.")
    if pa.types.is_floating(field.type):
        yield Rule(
            table,
            name,
            f"NOT isfinite({name})",
            f"format('{name} is {{}}', {name})",
            "unknown is null, not NaN and not infinity.",
        )
    if not pa.types.is_string(field.type):
        yield Rule(
            table,
            name,
            f"{name} < 0",
            f"format('{name} is {{}}', {name})",
            "numbers are from 0; unknown is null, never -1.",
        )
    if field.metadata[b"unit"] == b"share":
        yield Rule(
            table,
            name,
            f"{name} > 1 AND isfinite({name})",
            f"format('{name} is {{}}', {name})",
            "a share from 0 to 1; these look like per cent.",
        )
    if name in WORDS:
        allowed = ", ".join(f"'{word}'" for word in WORDS[name])
        yield Rule(
            table,
            name,
            f"{name} NOT IN ({allowed})",
            f"format('{name} is ''{{}}''', {name})",
            f"one of {', '.join(WORDS[name])}; unknown is null.",
        )


def _moment_rules(table: str, name: str, time_base: str) -> Iterator[Rule]:
    low, high = EPOCH_MS
    text = f"format('{name} is {{}}', {name})"
    if time_base == "start":
        yield Rule(
            table, name, f"{name} >= {low}", text, "these look like times since 1970: time_base 'epoch', not 'start'."
        )
        return
    yield Rule(
        table,
        name,
        f"{name} BETWEEN 0 AND {low - 1}",
        text,
        "milliseconds since 1970; these look like seconds, or like times since the start of the trace.",
    )
    yield Rule(table, name, f"{name} >= {high}", text, "milliseconds since 1970; these look like microseconds.")


def _latency_rules(table: str) -> Iterator[Rule]:
    text = "format('latency_ms is {}, but finish_ms - start_ms is {}', latency_ms, finish_ms - start_ms)"
    span = "(finish_ms - start_ms)"
    wrong = f"abs(latency_ms - {span}) > {SLACK_MS}"
    for scale, hint in (
        (1000.0, "the latency is 1000 times the difference: the times look like seconds."),
        (0.001, "the latency is a thousandth of the difference: the latencies look like seconds."),
    ):
        scaled = f"abs(latency_ms - {span} * {scale}) <= {SLACK_MS} * {max(scale, 1.0)} AND {span} > 0"
        yield Rule(table, "latency_ms", f"{wrong} AND {scaled}", text, hint)
        wrong += f" AND NOT ({scaled})"
    yield Rule(table, "latency_ms", wrong, text, f"they may differ by {SLACK_MS} ms; an unknown one is null.")
    yield Rule(
        table,
        "latency_ms",
        f"latency_ms = 0 AND {span} IS DISTINCT FROM 0",
        "'latency_ms is 0'",
        "nothing takes no time: null is unknown; 0 is right only where start_ms and finish_ms are equal.",
    )


def _unique(table: str) -> Rule:
    keys = ", ".join(KEYS[table])
    twice = f"SELECT {keys} FROM {table} GROUP BY ALL HAVING count(*) > 1"
    return Rule(
        table,
        KEYS[table][-1],
        "true",
        f"'another row has the same {keys}'",
        "each key stands for one row.",
        f"{{rows}} JOIN ({twice}) USING ({keys})",
    )


def _reference(table: str, columns: tuple[str, ...], other: str, keys: tuple[str, ...]) -> Rule:
    match = " AND ".join(f"other.{key} = child.{column}" for key, column in zip(keys, columns, strict=True))
    known = " AND ".join(f"child.{column} IS NOT NULL" for column in columns)
    values = ", ' ', ".join(f"'{key} ', child.{column}" for key, column in zip(keys, columns, strict=True))
    # a trace may do without a list of machines
    needed = f" AND EXISTS (FROM {other})" if other == "machines" else ""
    return Rule(
        table,
        columns[-1],
        f"{known}{needed}",
        f"concat('{other} has no row with ', {values})",
        f"add it to {other}, or leave this row out.",
        f"{{rows}} AS child ANTI JOIN {other} AS other ON {match}",
    )


def _stage_rules() -> Iterator[Rule]:
    source = """{rows} JOIN (
        SELECT job_id, stage_id, count(*) AS seen, CASE WHEN count(*) = count(last) THEN max(last) END AS last FROM (
            SELECT job_id, stage_id, instance_id, CASE WHEN count(*) = count(finish_ms) THEN max(finish_ms) END AS last
            FROM instances GROUP BY ALL
        ) GROUP BY ALL
    ) USING (job_id, stage_id)"""
    yield Rule(
        "stages",
        "n_instances",
        "seen > n_instances",
        "format('n_instances is {}, but there are {} instances', n_instances, seen)",
        "count every instance once, whatever its attempts.",
        source,
    )
    # where instances are missing, one of them may have been the last
    yield Rule(
        "stages",
        "finish_ms",
        f"finish_ms < last - {SLACK_MS} OR (seen = n_instances AND finish_ms > last + {SLACK_MS})",
        "format('finish_ms is {}, but its last instance ended at {}', finish_ms, last)",
        "a stage ends with its last instance, whatever the scheduler noted.",
        source,
    )
