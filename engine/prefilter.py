"""A textual sieve in front of the parser: ordinary SQL passes to DuckDB without sqlglot ever being imported.

It answers "might this text be ours?" and errs towards yes; what the text means is decided by the parser alone.
"""

from __future__ import annotations

import re

# Every statement and call of ours holds one of these words. The second group only counts beside its partner.
_WORDS = re.compile(
    r"\b(?:(ndv(?:_interval|_sketch|_merge|_estimate|_profile|_report)?|models?|trace_simulate)"
    r"|(stages|resources|frontier)|(objective|latency_weight|cluster))\b",
    re.IGNORECASE,
)
_EXPLAIN = re.compile(r"\bexplain\b", re.IGNORECASE)
_SET = re.compile(r"\b(?:set|reset)\b", re.IGNORECASE)


def mentions_ours(sql: str) -> bool:
    """Whether the text may hold a statement or call of ours; a word in a string or comment also counts.

    >>> mentions_ours("SELECT ndv(x) FROM t"), mentions_ours("SELECT count(DISTINCT x) FROM t")
    (True, False)
    """
    for found in _WORDS.finditer(sql):
        if found[1] or (found[2] and _EXPLAIN.search(sql)) or (found[3] and _SET.search(sql)):
            return True
    return False
