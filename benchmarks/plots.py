"""`python -m benchmarks.plots [NAME ..]`: the pictures of docs/plots, measured anew each time.

| name | picture |
| --- | --- |
| errors | ratio error against the sampling rate, every estimator, one panel per standard population |
| bytes | bytes sent against the error of f1, every protocol at 8, 64 and 512 sites |
| rows | time of a distinct count against the rows |

`--quick` uses few seeds and small data. Colours: ours stand out, what they are compared with stays grey.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from benchmarks.environment import ROOT, environment
from benchmarks.estimators import SKIPPED, answers, parallel
from benchmarks.harness import FULL, QUICK, Setting
from benchmarks.populations import standard
from paretosql.sketches.estimators import estimators

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FOLDER: Final = ROOT / "docs" / "plots"
RATES: Final = (0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
COLOURS: Final = {"auto": "#c1272d", "profile_nnls": "#0000a7", "gee": "#008176", "duj1": "#eecc16"}
LARGEST_ERROR: Final = 100.0
pictures: dict[str, Callable[[Setting], Figure]] = {}


def picture(name: str) -> Callable[[Callable[[Setting], Figure]], Callable[[Setting], Figure]]:
    """Register a picture under its name, which is also that of its file."""

    def add(draw: Callable[[Setting], Figure]) -> Callable[[Setting], Figure]:
        pictures[name] = draw
        return draw

    return add


@picture("errors")
def errors(setting: Setting) -> Figure:
    """Geometric mean ratio error over seeds."""
    import matplotlib.pyplot as plt

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


def main(argv: Sequence[str] | None = None) -> int:
    """Draw the pictures named, or all; exit status 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plots", description=__doc__.partition("\n\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which pictures: {', '.join(pictures)}")
    parser.add_argument("--quick", action="store_true", help="few seeds and small data")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where to (docs/plots)")
    options = parser.parse_args(argv)
    unknown = [name for name in options.names if name not in pictures]
    if unknown:
        parser.error(f"no picture named {unknown[0]!r}; known: {', '.join(pictures)}")
    options.folder.mkdir(parents=True, exist_ok=True)
    for name in options.names or pictures:
        _save(pictures[name](QUICK if options.quick else FULL), options.folder / f"{name}.svg")
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
