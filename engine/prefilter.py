"""A textual sieve in front of the parser: ordinary SQL passes to DuckDB without sqlglot ever being imported.

It answers "might this text be ours?" and errs towards yes; what the text means is decided by the parser alone.
"""

from __future__ import annotations

import re

# Every statement and call of ours holds one of these words; the later ones count only beside their partner.
_ALONE = ("ndv", "model", "trace_simulate")
_EXPLAINED = ("stages", "resources", "frontier")
_SETTINGS = ("objective", "latency_weight", "cluster")
_WORDS = re.compile(
    r"\b(?:(ndv(?:_(?:interval|sketch|merge|sum|estimate|profile|report))?|models?|trace_simulate)"
    r"|(stages|resources|frontier)|(objective|latency_weight|cluster))\b"
)
_ANALYZE = re.compile(r"\banalyze\b.*\bsample\b", re.DOTALL)


def mentions_ours(sql: str) -> bool:
    """Whether the text may hold a statement or call of ours; a word in a string or comment also counts.

    O(n) in the length of the text, some microseconds a kilobyte.

    >>> mentions_ours("SELECT ndv(x) FROM t"), mentions_ours("SELECT count(DISTINCT x) FROM t")
    (True, False)
    """
    text = sql.lower()
    explained = "explain" in text and any(word in text for word in _EXPLAINED)
    settings = "set" in text and any(word in text for word in _SETTINGS)
    analyzed = "analyze" in text and "sample" in text
    if not (explained or settings or analyzed or any(word in text for word in _ALONE)):
        return False
    if analyzed and _ANALYZE.search(text) is not None:
        return True
    return any(found[1] or (found[2] and explained) or (found[3] and settings) for found in _WORDS.finditer(text))
