"""`python -m benchmarks.plots [NAME ..] [--results FILE]`: the pictures of docs/plots.

| name | picture |
| --- | --- |
| errors | ratio error against the sampling rate, every estimator, one panel per standard population |
| bytes | bytes sent against the error of f1, every protocol at 8, 64 and 512 sites |
| rows | time of a distinct count against the rows |

`errors` is measured anew. The others show benchmarks: those in FILE, which `python -m benchmarks all --full --json
FILE` writes, or else run now. `--quick` uses few seeds and small data.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

import benchmarks.growth
import benchmarks.protocols
from benchmarks import growth, protocols  # noqa: F401 - importing them registers them
from benchmarks.environment import ROOT, environment
from benchmarks.estimators import SKIPPED, answers, parallel
from benchmarks.harness import FULL, QUICK, Setting, benchmarks
from benchmarks.populations import standard
from paretosql.sketches.estimators import estimators

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FOLDER: Final = ROOT / "docs" / "plots"
RATES: Final = (0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
COLOURS: Final = {"auto": "#c1272d", "profile_nnls": "#0000a7", "gee": "#008176", "duj1": "#eecc16"}
LARGEST_ERROR: Final = 100.0
LABELS: Final = {"xytext": (3, 4), "textcoords": "offset points", "rotation": 50, "rotation_mode": "anchor"}
SMALLEST_ERROR: Final = 1e-4  # where an exact protocol is drawn
TIMED: Final = {"ndv": "#c1272d", "approx": "0.4", "exact": "0.7"}


@dataclass(frozen=True)
class Source:
    """Where rows come from: a file of results, or the benchmarks themselves under a setting."""

    setting: Setting
    results: Path | None

    def rows(self, name: str) -> list[dict[str, Any]]:
        """The rows of one benchmark."""
        if self.results is None:
            return [dict(row) for row in benchmarks[name].function(self.setting)]
        stored = json.loads(self.results.read_text(encoding="utf-8"))["benchmarks"]
        if name not in stored:
            raise SystemExit(f"{self.results} has no results of {name}; run python -m benchmarks {name} --json FILE")
        found: list[dict[str, Any]] = stored[name]["rows"]
        return found


Draw = Callable[[Source], "Figure"]
pictures: dict[str, Draw] = {}


def picture(name: str) -> Callable[[Draw], Draw]:
    """Register a picture under its name, which is also that of its file."""

    def add(draw: Draw) -> Draw:
        pictures[name] = draw
        return draw

    return add


@picture("errors")
def errors(source: Source) -> Figure:
    """Geometric mean ratio error over seeds."""
    import matplotlib.pyplot as plt

    setting = source.setting
    methods = tuple(name for name in estimators if name not in (*SKIPPED, "profile_lp", "learned"))
    seeds = 5 if setting is FULL else 1
    populations = standard()
    jobs = [(each, rate, setting.seed + s, methods) for each in populations for rate in RATES for s in range(seeds)]
    found = parallel(answers, jobs)
    figure, panels = plt.subplots(3, 5, figsize=(15, 9), sharex=True, sharey=True)
    for panel, population in zip(panels.flat, populations, strict=False):
        for method in methods:
            means = []
            for rate in RATES:
                mine = zip(jobs, found, strict=True)
                logs = [abs(each[method]) for job, each in mine if job[0] is population and job[1] == rate and each]
                means.append(min(float(np.exp(np.mean(logs))), LARGEST_ERROR))
            colour = COLOURS.get(method)
            style = {"color": colour, "lw": 2, "zorder": 3, "label": method} if colour else {"color": "0.8", "lw": 1}
            panel.plot(RATES, means, **style)
        panel.set(xscale="log", yscale="log", title=population.name, ylim=(0.95, LARGEST_ERROR))
        panel.invert_xaxis()
    for panel in panels.flat[len(populations) :]:
        panel.axis("off")
    handles, labels = panels.flat[0].get_legend_handles_labels()
    figure.legend(handles, [*labels], loc="lower right", bbox_to_anchor=(0.97, 0.12), title="grey: the others")
    figure.supxlabel("sampling rate")
    figure.supylabel("max(estimate / truth, truth / estimate)")
    return figure


@picture("bytes")
def bytes_sent(source: Source) -> Figure:
    """A point per protocol: total bytes, root mean square error of f1."""
    import matplotlib.pyplot as plt

    rows = [row for row in source.rows("protocols/bytes") if row["population"] == "poisson 50"]
    sites = sorted({row["sites"] for row in rows})
    figure, panels = plt.subplots(1, len(sites), figsize=(15, 6), sharex=True, sharey=True)
    for panel, number in zip(panels, sites, strict=True):
        for row in (each for each in rows if each["sites"] == number):
            error = max(row["f1_error"], SMALLEST_ERROR)
            ours = not row["protocol"].startswith(("loo_hll", "ship"))
            panel.scatter(row["bytes"], error, color="#c1272d" if ours else "0.4")
            panel.annotate(row["protocol"], (row["bytes"], error), fontsize=7, **LABELS)
        panel.set(xscale="log", yscale="log", title=f"{number} sites", ylim=(SMALLEST_ERROR / 2, 0.3))
        panel.grid(alpha=0.3)
    figure.supxlabel("bytes in both directions (red: ours; grey: the published method, and shipping all entries)")
    figure.supylabel("error of f1")
    return figure


@picture("rows")
def rows(source: Source) -> Figure:
    """Seconds of one count, three ways, over tables of n rows and n / 10 values."""
    import matplotlib.pyplot as plt

    found = source.rows("ndv/rows")
    figure, panel = plt.subplots(figsize=(7, 4.5))
    names = {"ndv": "ndv(x)", "approx": "approx_count_distinct(x)", "exact": "count(DISTINCT x)"}
    for name, colour in TIMED.items():
        panel.plot([row["rows"] for row in found], [row[f"{name}_s"] for row in found], "o-", color=colour,
                   label=names[name])  # fmt: skip
    panel.set(xscale="log", yscale="log", xlabel="rows", ylabel="seconds")
    panel.legend()
    panel.grid(alpha=0.3)
    return figure


def main(argv: Sequence[str] | None = None) -> int:
    """Draw the pictures named, or all; exit status 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plots", description=__doc__.partition("\n\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which pictures: {', '.join(pictures)}")
    parser.add_argument("--quick", action="store_true", help="few seeds and small data")
    parser.add_argument("--results", type=Path, metavar="FILE", help="rows of benchmarks from this JSON file")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where to (docs/plots)")
    options = parser.parse_args(argv)
    unknown = [name for name in options.names if name not in pictures]
    if unknown:
        parser.error(f"no picture named {unknown[0]!r}; known: {', '.join(pictures)}")
    options.folder.mkdir(parents=True, exist_ok=True)
    source = Source(QUICK if options.quick else FULL, options.results)
    for name in options.names or pictures:
        _save(pictures[name](source), options.folder / f"{name}.svg")
    return 0


def _save(figure: Figure, path: Path) -> None:
    import matplotlib as mpl

    where = environment()
    figure.text(0.005, 0.005, f"{where['machine']}; {where['versions']}", fontsize=6, color="0.5")
    with mpl.rc_context({"svg.hashsalt": "paretosql", "svg.fonttype": "none"}):
        figure.savefig(path, bbox_inches="tight", metadata={"Date": None})
    print(path)


if __name__ == "__main__":
    sys.exit(main())
