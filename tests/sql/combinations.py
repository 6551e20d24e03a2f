"""Statements made by combining: every type with every cast, aggregate, join, window, date part and so on.

Each function yields complete statements; `everything()` chains them. No statement repeats and none depends on another:
those that need tables bring them as VALUES, or use the two small tables of `SETUP`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product


def _words(text: str, separator: str) -> list[str]:
    """A table of short things written as one text."""
    return text.split(separator)


SETUP = [
    "CREATE TABLE l AS SELECT * FROM (VALUES (1, 'a', 1.5), (2, 'b', NULL), (2, 'c', 2.5), (NULL, 'd', 0.0)) "
    "AS v(k, s, x)",
    "CREATE TABLE r AS SELECT * FROM (VALUES (2, 'a', 10), (3, 'c', 20), (NULL, NULL, 30), (1, 'z', NULL)) "
    "AS v(k, s, y)",
]

# a type, and three literals of it that tell something: ordinary, extreme, NULL
TYPES: dict[str, tuple[str, ...]] = {
    "BOOLEAN": ("true", "false", "NULL"),
    "TINYINT": ("1", "-128", "NULL"),
    "SMALLINT": ("300", "-32768", "NULL"),
    "INTEGER": ("70000", "-2147483648", "NULL"),
    "BIGINT": ("5000000000", "-9223372036854775808", "NULL"),
    "HUGEINT": ("170141183460469231731687303715884105727", "0", "NULL"),
    "UTINYINT": ("255", "0", "NULL"),
    "UBIGINT": ("18446744073709551615", "1", "NULL"),
    "FLOAT": ("1.5", "-3.4e38", "NULL"),
    "DOUBLE": ("2.25", "'nan'", "NULL"),
    "DECIMAL(9,2)": ("1234567.89", "-0.01", "NULL"),
    "DECIMAL(30,10)": ("12345678901234567890.0123456789", "1", "NULL"),
    "VARCHAR": ("'42'", "'2024-02-29'", "NULL"),
    "BLOB": ("'\\x01\\xFFa'", "''", "NULL"),
    "DATE": ("'2024-02-29'", "'0001-01-01'", "NULL"),
    "TIME": ("'23:59:59.999999'", "'00:00:00'", "NULL"),
    "TIMESTAMP": ("'2024-02-29 12:34:56.789'", "'1969-12-31 23:59:59.999999'", "NULL"),
    "TIMESTAMP_S": ("'2024-02-29 12:34:56'", "'1970-01-01'", "NULL"),
    "TIMESTAMP_NS": ("'2024-02-29 12:34:56.123456789'", "'1970-01-01'", "NULL"),
    "TIMESTAMPTZ": ("'2024-02-29 12:34:56+00'", "'1969-12-31 23:59:59+00'", "NULL"),
    "INTERVAL": ("'1 month 2 days'", "'-3 hours'", "NULL"),
    "UUID": ("'12345678-1234-5678-1234-567812345678'", "'00000000-0000-0000-0000-000000000000'", "NULL"),
    "BIT": ("'10110'", "'0'", "NULL"),
    "JSON": ("'{\"a\": [1]}'", "'5'", "NULL"),
    "INTEGER[]": ("[1, 2]", "[]", "NULL"),
    "INTEGER[2]": ("[1, 2]", "[3, NULL]", "NULL"),
    "STRUCT(a INTEGER, b VARCHAR)": ("{'a': 1, 'b': 'x'}", "{'a': NULL, 'b': ''}", "NULL"),
    "MAP(VARCHAR, INTEGER)": ("MAP {'a': 1}", "MAP {}", "NULL"),
}

AGGREGATES = _words(
    "count(v)|min(v)|max(v)|sum(v)|avg(v)|any_value(v)|list(v)|mode(v) FILTER (WHERE i < 1)|count(DISTINCT v)|"
    "string_agg(v, ',')|bool_and(v)|bit_or(v)|median(v)|stddev(v)|first(v)|arg_max(v, i)|histogram(v)|product(v)|"
    "min(v, 2)|entropy(v)",
    "|",
)

BINARY = _words("+ - * / // % ** = <> < >= || & << IN LIKE", " ")

WINDOWS = _words(
    "row_number()|rank()|dense_rank()|percent_rank()|cume_dist()|ntile(3)|lag(v)|lead(v, 2, 0)|first_value(v)|"
    "last_value(v)|nth_value(v, 2)|sum(v)|avg(v)|count(*)|min(v)|list(v)|string_agg(v::VARCHAR, '-')",
    "|",
)

FRAMES = _words(
    "|ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING|ROWS UNBOUNDED PRECEDING|RANGE BETWEEN 1 PRECEDING AND CURRENT ROW|"
    "GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING|ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING EXCLUDE CURRENT ROW",
    "|",
)

PARTS = _words(
    "year quarter month week day hour minute second millisecond microsecond decade century millennium dayofweek isodow "
    "dayofyear weekday yearweek epoch era julian isoyear",
    " ",
)

TEXTS = ("'Hello World'", "''", "'naïve 漢字 🦆'", "'  pad  '", "NULL", "'a,b,c'", "'%_x'", "'12.5'")

TEXT_CALLS = _words(
    "length({0})|upper({0})|lower({0})|reverse({0})|trim({0})|ltrim({0})|strlen({0})|ascii({0})|md5({0})|left({0}, 3)|"
    "right({0}, 3)|substring({0}, 2, 3)|replace({0}, 'l', 'L')|split({0}, ',')|split_part({0}, ',', 2)|repeat({0}, 2)|"
    "lpad({0}, 6, '*')|rpad({0}, 6, '*')|strpos({0}, 'o')|contains({0}, 'a')|starts_with({0}, 'H')|suffix({0}, 'd')|"
    "regexp_replace({0}, '[aeiou]', '#', 'g')|regexp_extract({0}, '(\\w+)')|concat({0}, 1, NULL)|"
    "concat_ws('-', {0}, 'x')|levenshtein({0}, 'hello')|hex({0})|to_base64({0}::BLOB)|translate({0}, 'abc', 'xyz')|"
    "{0} LIKE '%o%'|{0} ILIKE 'H%'|string_split({0}, ' ')|unicode({0})|"
    "soundex_like({0})|jaccard({0}, 'abc')|url_encode({0})|format('[{{}}]', {0})|"
    "printf('%s!', {0})|nullif({0}, '')|hash({0})|instr({0}, 'l')|list_sort(split({0}, ''))|try_cast({0} AS DOUBLE)",
    "|",
)

NUMBERS = ("0", "1", "-7", "2.5", "1e10::DOUBLE", "'nan'::DOUBLE", "NULL::INTEGER", "123456789.987::DECIMAL(15, 3)")

NUMBER_CALLS = _words(
    "abs({0})|ceil({0})|floor({0})|round({0}, 1)|trunc({0})|sign({0})|sqrt(abs({0}))|cbrt({0})|exp({0} / 1e10)|"
    "sin({0})|atan({0})|degrees({0})|{0} % 3|{0} // 2|power({0}, 2)|isnan({0})|even({0})|bit_count({0})|"
    "to_base({0}, 2)|format('{{:.2f}}', {0})|greatest({0}, 1)|least({0}, 1)|coalesce({0}, 5)|{0} BETWEEN 0 AND 10|"
    "typeof({0})|{0}::VARCHAR|-({0})|gcd({0}, 6)|bar({0}, 0, 10)|nextafter({0}::DOUBLE, 1)",
    "|",
)


def _typed(literal: str, kind: str) -> str:
    """The literal as a value of the type; a minus sign binds weaker than `::`."""
    return f"CAST({literal} AS {kind})"


def casts() -> Iterator[str]:
    """Every type to every type: a value, an error, or NULL."""
    for source, target in product(TYPES, TYPES):
        if source != target:
            yield f"SELECT CAST({_typed(TYPES[source][0], source)} AS {target}) AS v"


def values() -> Iterator[str]:
    """Every literal alone, in a list, in a struct, as a map value, and all of a type in one column."""
    for kind, literals in TYPES.items():
        for literal in literals:
            value = _typed(literal, kind)
            yield f"SELECT {value} AS v, [{value}] AS l, {{'f': {value}}} AS s"
        rows = ", ".join(f"({_typed(literal, kind)}, {i})" for i, literal in enumerate(literals))
        yield f"SELECT v, i FROM (VALUES {rows}) AS t(v, i) ORDER BY v NULLS FIRST, i"
        yield f"SELECT v, count(*) FROM (VALUES {rows}, {rows}) AS t(v, i) GROUP BY v"
        both = f"(VALUES {rows}) AS a(v, i) JOIN (VALUES {rows}) AS b(v, i)"
        yield f"SELECT a.i, b.i FROM {both} ON a.v = b.v ORDER BY ALL"
        first = _typed(literals[0], kind)
        yield f"SELECT MAP {{'k': {first}}} AS m, typeof({first})"


def aggregates() -> Iterator[str]:
    """Every aggregate over every type, with and without groups."""
    for kind, call in product(TYPES, AGGREGATES):
        rows = ", ".join(f"({_typed(literal, kind)}, {i})" for i, literal in enumerate(TYPES[kind]))
        yield f"SELECT {call} AS a FROM (SELECT * FROM (VALUES {rows}) AS t(v, i) ORDER BY i)"


def operators() -> Iterator[str]:
    """Binary operators over pairs of types that may or may not fit."""
    some = ("INTEGER", "DOUBLE", "DECIMAL(9,2)", "VARCHAR", "DATE", "TIMESTAMP", "INTERVAL", "INTEGER[]", "BIT")
    for left, right, sign in product(some, some, BINARY):
        yield f"SELECT {_typed(TYPES[left][0], left)} {sign} {_typed(TYPES[right][0], right)} AS v"


def joins() -> Iterator[str]:
    """Every kind of join with every kind of condition."""
    kinds = ("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "SEMI JOIN", "ANTI JOIN")
    conditions = _words(
        "ON l.k = r.k|ON l.k < r.k|ON l.k = r.k AND l.s = r.s|ON l.k IS NOT DISTINCT FROM r.k|ON true|ON false|"
        "USING (k)|USING (k, s)|ON l.k = r.k AND r.y > 5|ON l.k + 1 = r.k OR l.s = r.s|"
        "ON l.k BETWEEN r.k - 1 AND r.k|ON NULL",
        "|",
    )
    for kind, condition in product(kinds, conditions):
        yield f"SELECT * FROM l {kind} r {condition}"
        yield f"SELECT count(*), count(l.k), min(l.s) FROM l {kind} r {condition} WHERE l.s IS NULL OR l.s < 'd'"


def windows() -> Iterator[str]:
    """Every window function with every frame, over one order with ties."""
    rows = "(1, 1, 10), (1, 2, NULL), (1, 2, 30), (2, 1, 5), (2, 4, 7), (NULL, 1, 1)"
    for call, frame in product(WINDOWS, FRAMES):
        over = f"PARTITION BY g ORDER BY t {frame}".strip()
        yield f"SELECT g, t, {call} OVER ({over}) AS w FROM (VALUES {rows}) AS x(g, t, v) ORDER BY ALL"


def dates() -> Iterator[str]:
    """Every date part with every function that takes one."""
    for part in PARTS:
        for moment in (
            "DATE '2024-02-29'",
            "TIMESTAMP '1999-12-31 23:59:59.123456'",
            "INTERVAL '14 months 3 days 5 hours'",
        ):
            yield f"SELECT date_part('{part}', {moment}) AS p, extract({part} FROM {moment}) AS e"
            yield f"SELECT date_trunc('{part}', {moment}) AS t"
        span = f"'{part}', DATE '2020-01-15', DATE '2024-02-29'"
        yield f"SELECT date_diff({span}) AS d, date_sub({span}) AS s"
        yield f"SELECT DATE '2024-01-31' + INTERVAL 1 {part} AS d"


def texts() -> Iterator[str]:
    """Every text function over every text."""
    for call, text in product(TEXT_CALLS, TEXTS):
        yield f"SELECT {call.format(text)} AS v"


def numbers() -> Iterator[str]:
    """Every number function over every number."""
    for call, number in product(NUMBER_CALLS, NUMBERS):
        yield f"SELECT {call.format(number)} AS v"


def set_operations() -> Iterator[str]:
    """Every set operation over pairs of column types that combine, or do not."""
    for sign, left, right in product(
        ("UNION", "UNION ALL", "EXCEPT", "INTERSECT", "EXCEPT ALL", "UNION ALL BY NAME"),
        ("1", "1.5", "NULL", "'a'", "DATE '2024-01-01'"),
        ("1", "2::DOUBLE", "'a'", "NULL", "[1]"),
    ):
        yield f"SELECT {left} AS v {sign} SELECT {right} AS v"


def everything() -> list[str]:
    """All of them, each once."""
    makers = (casts, values, aggregates, operators, joins, windows, dates, texts, numbers, set_operations)
    return list(dict.fromkeys(statement for maker in makers for statement in maker()))
