"""Random queries with ndv: a small grammar over two tables, every query whole and different.

`query(seed)` is a pure function of its seed. The grammar covers where ndv may stand (SELECT, HAVING, ORDER BY, window
orders, expressions, correlated subqueries) and what it may stand over (joins, filters, CTEs, subqueries, set
operations, grouping sets).
"""

from __future__ import annotations

import random

SETUP = [
    "CREATE TABLE a AS SELECT range AS id, range % 7 AS g, CASE WHEN range % 5 = 0 THEN NULL ELSE range % 11 END AS x, "
    "'s' || range % 6 AS s, (range % 4) / 2.0 AS d, DATE '2024-01-01' + (range % 9)::INTEGER AS day FROM range(90)",
    "CREATE TABLE b AS SELECT range % 13 AS id, CASE WHEN range % 4 = 0 THEN NULL ELSE range % 3 END AS g, "
    "range * 3 % 17 AS x, 's' || range % 4 AS s, range * 0.25 AS d, DATE '2024-01-03' + (range % 20)::INTEGER AS day "
    "FROM range(60)",
    "CREATE TABLE empty AS SELECT * FROM a WHERE false",
]
COLUMNS = ("id", "g", "x", "s", "d", "day")
KEYS = ("g", "s", "x % 3", "id % 2", "day", "d > 0.5", "upper(s)", "x IS NULL", "month(day)", "coalesce(g, -1)")
VALUES = (
    *COLUMNS,
    *(
        "x + 1",
        "x % 4",
        "s || g",
        "lower(s)",
        "NULLIF(x, 3)",
        "d * 2",
        "(g, s)",
        "[x, g]",
        "{'k': s}",
        "day + 1",
        "x IS NULL",
    ),
    *(
        "CASE WHEN x > 5 THEN s END",
        "x::VARCHAR",
        "1",
        "NULL::INTEGER",
        "d::FLOAT",
        "-x",
        "id // 10",
        "substr(s, 2)",
        "hash(s)",
    ),
)
PATTERNS = (
    *("{0} + {1}", "{0} * 2", "coalesce({0}, 0)", "{0} > {1}", "CASE WHEN {0} > 2 THEN {1} END", "greatest({0}, {1})"),
    *("{0}::VARCHAR", "({0} - {1}) / 2", "{0} = count(*)"),
)
CONDITIONS = (
    *(
        "x > 3",
        "s = 's1'",
        "g IS NOT NULL",
        "d BETWEEN 0 AND 1",
        "day < DATE '2024-01-06'",
        "x IN (1, 2, NULL)",
        "NOT (g = 2)",
    ),
    *(
        "s LIKE 's%'",
        "x > 3 OR g = 1",
        "id % 2 = 0 AND x IS NOT NULL",
        "false",
        "NULL",
        "x = (SELECT max(x) FROM b)",
        "true",
    ),
    *("g IN (SELECT g FROM b)", "EXISTS (SELECT 1 FROM b WHERE b.x > 14)", "x < (SELECT ndv(x) FROM b)"),
)


class _Writer:
    """Writes one query; every choice comes from one seeded source."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)

    def chance(self, share: float) -> bool:
        return self.draw.random() < share

    def ndv(self, prefix: str = "") -> str:
        value = prefix + self.draw.choice(COLUMNS) if prefix else self.draw.choice(VALUES)
        keep = f" FILTER (WHERE {prefix}x > {self.draw.randrange(8)})" if self.chance(0.2) else ""
        return f"ndv({value}){keep}"

    def measure(self, prefix: str = "") -> str:
        kind = self.draw.random()
        if kind < 0.6:
            return self.ndv(prefix)
        if kind < 0.75:
            return self.draw.choice(
                ("count(*)", f"sum({prefix}x)", f"min({prefix}s)", f"count(DISTINCT {prefix}g)", f"max({prefix}day)")
            )
        pattern = self.draw.choice(PATTERNS)
        return pattern.format(self.ndv(prefix), self.ndv(prefix))

    def source(self) -> tuple[str, str]:
        """A FROM clause, and the prefix that its columns need."""
        kind = self.draw.random()
        table = self.draw.choice(("a", "a", "b", "b", "empty"))
        if kind < 0.45:
            return table, ""
        if kind < 0.6:
            return f"(SELECT * FROM {table} WHERE {self.draw.choice(CONDITIONS)}) AS q", ""
        if kind < 0.7:
            sign = self.draw.choice(("UNION ALL", "UNION", "EXCEPT", "INTERSECT"))
            return f"(SELECT * FROM a {sign} SELECT * FROM b) AS q", ""
        if kind < 0.8:
            return f"(SELECT DISTINCT g, s, x, id, d, day FROM {table}) AS q", ""
        join = self.draw.choice(("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"))
        condition = self.draw.choice(
            ("a.id = b.id", "a.g = b.g", "a.x = b.x AND a.s = b.s", "a.id < b.id", "a.day = b.day")
        )
        return self.draw.choice(
            (
                (f"a {join} b ON {condition}", self.draw.choice(("a.", "b."))),
                (f"a {join} b ON {condition}", self.draw.choice(("a.", "b."))),
                (f"a {join} b USING (g, s)", self.draw.choice(("a.", "b."))),
                ("a, b WHERE a.x = b.x", "b."),
                ("a SEMI JOIN b ON a.x = b.x", ""),
                ("a ANTI JOIN b ON a.x = b.x", ""),
                ("a JOIN b ON a.g = b.g LEFT JOIN b AS c ON b.x = c.x", self.draw.choice(("a.", "b.", "c."))),
                ("a, LATERAL (SELECT max(b.id) AS x, a.g AS g, 'z' AS s, 1 AS id, 0.5 AS d, a.day AS day FROM b "
                 "WHERE b.g = a.g) AS q", self.draw.choice(("a.", "q."))),
            )
        )  # fmt: skip

    def select(self) -> str:
        """A SELECT whose columns are k0.. (keys) and m0.. (measures), in no particular order of rows."""
        source, prefix = self.source()
        keys = [] if self.chance(0.25) else self.draw.sample(KEYS, self.draw.choice((1, 1, 2)))
        if prefix:
            keys = [prefix + self.draw.choice(COLUMNS) for _ in keys]
            keys = list(dict.fromkeys(keys))
        measures = [self.measure(prefix) for _ in range(self.draw.choice((1, 1, 2, 3)))]
        columns = [f"{key} AS k{i}" for i, key in enumerate(keys)] + [
            f"{each} AS m{i}" for i, each in enumerate(measures)
        ]
        text = f"SELECT {', '.join(columns)} FROM {source}"
        if not prefix and " JOIN " not in source and self.chance(0.4):
            text += f" WHERE {self.draw.choice(CONDITIONS)}"
        if keys:
            text += self.grouping(keys)
        if self.chance(0.25):
            text += f" HAVING {self.ndv(prefix)} {self.draw.choice(('>', '=', '<>', '<='))} {self.draw.randrange(6)}"
        return text

    def grouping(self, keys: list[str]) -> str:
        names = ", ".join(keys)
        numbers = ", ".join(str(i + 1) for i in range(len(keys)))
        sets = (f"ROLLUP ({names})", f"CUBE ({names})", f"GROUPING SETS (({names}), ())")
        return " GROUP BY " + self.draw.choice((names, names, names, "ALL", numbers, *sets))

    def correlated(self) -> str:
        """A query with an ndv whose rows depend on the row around it."""
        link = self.draw.choice(("b.id = a.id", "b.g = a.g", "b.x = a.x AND b.s = a.s", "b.id = a.id AND b.x > 4"))
        inner = f"SELECT ndv(b.{self.draw.choice(COLUMNS)}) FROM b WHERE {link}"
        condition = self.draw.choice(CONDITIONS[:6])
        return self.draw.choice(
            (
                f"SELECT id, ({inner}) AS n FROM a WHERE {condition}",
                f"SELECT id FROM a WHERE ({inner}) > {self.draw.randrange(4)} AND ({condition})",
                f"SELECT g, ndv(x) AS m, max(({inner})) AS n FROM a GROUP BY g",
                f"SELECT id, CASE WHEN ({inner}) > 1 THEN 'many' ELSE 'few' END AS n FROM a",
                f"SELECT ndv(n) AS m FROM (SELECT ({inner}) AS n FROM a) AS q",
            )
        )

    def ordered(self) -> str:
        """Groups in the order of a count, their rank, or the first few of them."""
        key, first, second = self.draw.choice(KEYS), self.ndv(), self.ndv()
        return self.draw.choice(
            (
                f"SELECT {key} AS k, {first} AS n FROM a GROUP BY {key} ORDER BY {second} DESC, {key} LIMIT 3",
                f"SELECT {key} AS k, {first} AS n FROM a GROUP BY k ORDER BY n, k NULLS FIRST LIMIT 4 OFFSET 1",
                f"SELECT {key} AS k, rank() OVER (ORDER BY {first}) AS r, {second} AS n FROM b GROUP BY {key}",
                f"SELECT {key} AS k, sum({first}) OVER () AS r FROM b GROUP BY {key}",
                f"SELECT {key} AS k, {first} AS n FROM b GROUP BY k QUALIFY rank() OVER (ORDER BY {second}) <= 2",
                f"SELECT DISTINCT {first} AS n FROM a GROUP BY {key}",
            )
        )

    def query(self) -> str:
        kind = self.draw.random()
        inner = self.select()
        if kind < 0.4:
            return f"{inner} ORDER BY ALL" if self.chance(0.5) else inner
        if kind < 0.5:
            return f"WITH c AS ({inner}) SELECT * FROM c WHERE m0 IS NOT NULL"
        if kind < 0.6:
            return f"SELECT ndv(m0) AS n, count(*) AS c FROM ({inner}) AS o"
        if kind < 0.7:
            return f"SELECT * FROM ({inner}) AS o UNION ALL SELECT * FROM ({inner}) AS p"
        if kind < 0.8:
            return self.correlated()
        if kind < 0.9:
            return self.ordered()
        rest = "SELECT (SELECT count(*) FROM c) AS p, (SELECT count(*) FROM e) AS q"
        return f"WITH c AS ({inner}), e AS ({self.select()}) {rest}"


def query(seed: int) -> str:
    """The query of a seed."""
    return _Writer(seed).query()
