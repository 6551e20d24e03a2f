"""Pictures of docs/optimizer.md: one stage's frontier with the point of every policy, and its Gantt charts.

`python -m benchmarks.optimizer_pictures` simulates ten jobs of workload B under nine policies (two minutes) and writes
the two charts of the report of `paretosql simulate --html` into docs/plots, as files that stand alone.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from benchmarks.environment import ROOT
from paretosql.optimizer.page import page
from paretosql.optimizer.study import Question, run_study
from paretosql.optimizer.units import PRICES

FOLDER = ROOT / "docs" / "plots"
POLICIES = ("fuxi", "least_loaded", "ipa", "ipa_raa_path", "weighted_sum", "progressive_frontier", "nsga2", "pareto",
            "oracle")  # fmt: skip
NAMES = ("stage_frontier", "stage_gantt")
ALONE = '<svg style="background:#ffffff;color:#1c1f24" '


def main(folder: Path = FOLDER) -> int:
    """Write the pictures; exit status 0."""
    study = run_study(Question(policies=POLICIES, workload="B", seeds=(1,), jobs=10))
    whole = page("B", study.facts, {"B/1": study.summaries[1]}, study.runs, PRICES)
    folder.mkdir(parents=True, exist_ok=True)
    for name, svg in zip(NAMES, re.findall(r"<svg.*?</svg>", whole, re.DOTALL), strict=True):
        path = folder / f"{name}.svg"
        path.write_text(svg.replace("<svg ", ALONE, 1) + "\n", encoding="utf-8")
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
