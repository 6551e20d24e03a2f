"""The report: well-formed, true to the summaries, safe against names from traces, and legible."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paretosql.optimizer.decide import Decision
from paretosql.optimizer.experiment import Conditions, Summary, compare
from paretosql.optimizer.fleet import Fleet, HardwareType, mixed_fleet
from paretosql.optimizer.frontier_chart import Happened, frontier_chart
from paretosql.optimizer.gantt_chart import MOST, gantt_chart, heaviest
from paretosql.optimizer.generator import generate
from paretosql.optimizer.history import History
from paretosql.optimizer.jobs import Job, Workload
from paretosql.optimizer.page import cautions, headline, page
from paretosql.optimizer.simulate import Run, StageRun
from paretosql.optimizer.stage import Stage
from paretosql.optimizer.svg import OURS, QUIET, STRONG, Box, linear_ticks, log_ticks, scale_of, text_width
from paretosql.optimizer.table import COLUMNS, spread
from paretosql.optimizer.truth import Synthetic
from paretosql.optimizer.truth_model import Oracle
from tests.optimizer.test_table import BASE, NAN, two_seeds
from tests.optimizer.test_table import OURS as SAVED

SVG = "{http://www.w3.org/2000/svg}"
PRICES = (1.0, 0.25)
FLEET = mixed_fleet(30, seed=1)
HOSTILE = '</title></svg><script>alert("1")</script><img src=x onerror=alert(1)>\x00\u202e&amp;'
FRONTIER = np.array([(5.0, 90.0), (7.0, 60.0), (12.0, 40.0)])


def stage_run(
    instances: int,
    longest_s: float = 100.0,
    *,
    seed: int = 0,
    job_id: str = "j1",
    waits: int = 0,
    release_s: float = 7.0,
) -> StageRun:
    """A stage that was run: inputs by Zipf's law, latency like input, some instances start later."""
    rng = np.random.default_rng(seed)
    share = 1.0 / np.arange(1, instances + 1)
    start = np.full(instances, release_s)
    start[:waits] += longest_s / 3
    containers = np.column_stack((rng.choice([0.5, 1.0, 2.0, 8.0], instances), rng.choice([1.0, 4.0], instances)))
    machine = rng.integers(len(FLEET), size=instances)
    decision = Decision(
        machine, containers, share * longest_s, longest_s, 60.0, FRONTIER, 1, 4.0, 0.1, {"model": 0.1}, OURS
    )  # fmt: skip
    stage = Stage(job_id, 3, np.ceil(share * 1e6), share * 2e9)
    return StageRun(stage, release_s, decision, 0.01, np.ones(instances), machine, start, start + share * longest_s, 0)


def run_of(*stages: StageRun, fleet: Fleet = FLEET) -> Run:
    """A simulation of some stages, each a job of its own."""
    jobs = tuple(Job(each.stage.job_id, "", 0.0, (each.stage,)) for each in stages)
    return Run(Workload("B", jobs, fleet), stages, {each.job_id: 1.0 for each in jobs}, ())


def two_runs(instances: int = 20, job_id: str = "j1") -> dict[str, Run]:
    """The baseline, and ours that took half as long."""
    return {
        "fuxi": run_of(stage_run(instances, 100.0, job_id=job_id)),
        "pareto": run_of(stage_run(instances, 50.0, seed=1, job_id=job_id)),
    }


def made(instances: int = 20, **changes: object) -> str:
    """A page of small data."""
    given = {"title": "Report", "facts": {"truth": "synthetic"}, "summaries": two_seeds(), "runs": two_runs(instances)}
    return page(**{**given, "prices": PRICES, **changes})  # type: ignore[arg-type]


class Reader(HTMLParser):
    """Refuses what is not closed in order; collects the names of elements, their attributes, and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.names.append(tag)
        self.attributes += attrs

    def handle_startendtag(self, tag, attrs):
        assert tag == "meta", f"<{tag}/> does not close in HTML"
        self.names.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def root(text: str) -> ElementTree.Element:
    """The page as XML, which is stricter than HTML."""
    return ElementTree.fromstring(text.split("\n", 1)[1])


def cells(text: str) -> list[list[str]]:
    """The rows of all tables of results."""
    tables = [each for each in root(text).iter("table") if each.get("class") == "results"]
    return [["".join(cell.itertext()) for cell in row] for table in tables for row in table.iter("tr")]


def boxes(picture: ElementTree.Element) -> Iterator[tuple[str, Box]]:
    """Where text stands, by the widest of common fonts; ascenders 0.75 and descenders 0.2 of the size."""
    for each in picture.iter(f"{SVG}text"):
        words, size, x, y = each.text or "", float(each.get("font-size")), float(each.get("x")), float(each.get("y"))
        width = text_width(words, size)
        x -= {"middle": width / 2, "end": width}.get(each.get("text-anchor", ""), 0.0)
        yield words, Box(x, y - 0.75 * size, x + width, y + 0.2 * size)


def check_layout(picture: str) -> list[str]:
    """All text is inside the picture and none covers other text; the texts."""
    tree = ElementTree.fromstring(picture)
    _, _, width, height = (float(each) for each in tree.get("viewBox").split())
    found = list(boxes(tree))
    for words, box in found:
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height, (words, box)
    for (one, a), (two, b) in itertools.combinations(found, 2):
        assert a.x1 <= b.x0 or b.x1 <= a.x0 or a.y1 <= b.y0 or b.y1 <= a.y0, (one, two)
    for shape in tree.iter(f"{SVG}rect"):
        x, y, w, h = (float(shape.get(name)) for name in ("x", "y", "width", "height"))
        assert min(x, y, width - x - w, height - y - h) >= 0
    return [words for words, _ in found]


def luminance(colour: str) -> float:
    """Relative luminance of "#rrggbb", as WCAG 2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, two: str) -> float:
    """Contrast of two colours, 1 to 21."""
    low, high = sorted((luminance(one), luminance(two)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("instances", [0, 1, 2, 13, MOST, MOST + 1, 3000])
def test_pages_are_well_formed(instances):
    """A page of any stage closes what it opens, as HTML and as XML, and has both pictures."""
    text = made(instances)
    assert Reader(text).names.count("svg") == 2
    assert len(list(root(text).iter(f"{SVG}svg"))) == 2


def test_numbers_are_those_of_the_summaries():
    """Every cell of the tables is the cell of its column for its row, and the savings are those of the summaries."""
    rows = spread(two_seeds())
    found = [row for row in cells(made()) if row[0] != "Policy"]
    assert found == [[each.cell(row) for each in COLUMNS] for row in rows]
    ours = next(row for row in found if row[0] == "pareto")
    assert ours[2:4] == ["30.0% (20.0 to 40.0)", "5.0% (-10.0 to 20.0)"]


def test_names_of_a_trace_are_only_text():
    """Names with tags, quotes, control characters and turned writing add no element and no attribute."""
    fleet = replace(FLEET, types=tuple(replace(each, name=HOSTILE) for each in FLEET.types))
    own = {HOSTILE: run_of(stage_run(20, job_id=HOSTILE, waits=2), fleet=fleet)}
    text = made(
        title=HOSTILE,
        facts={HOSTILE: HOSTILE, "truth": HOSTILE},
        summaries={f"{HOSTILE}/0": [replace(BASE, policy="fuxi"), replace(SAVED, policy=HOSTILE)]},
        runs={"fuxi": run_of(stage_run(20, 150.0, job_id=HOSTILE), fleet=fleet), **own},
    )
    reader = Reader(text)
    root(text)
    assert not {"script", "img"} & set(reader.names)
    assert not [name for name, _ in reader.attributes if name.startswith("on")]
    assert HOSTILE[:20] in "".join(reader.text)
    assert "\x00" not in text
    assert "\u202e" not in text


def test_nothing_is_fetched():
    """The page refers to nothing outside of itself and has no script; the only address is the name of SVG."""
    text = made()
    reader = Reader(text)
    assert not {"script", "link", "img", "iframe", "object"} & set(reader.names)
    assert not {"src", "href", "xlink:href"} & {name for name, _ in reader.attributes}
    assert set(re.findall(r"https?://[^\"' )]*", text)) == {"http://www.w3.org/2000/svg"}
    assert "url(" not in text and "@import" not in text
    assert "default-src 'none'" in text


def test_dark_mode_and_print():
    """The page follows the reader's mode and prints on white; pictures take the colour of text from the page."""
    text = made()
    assert "@media (prefers-color-scheme: dark)" in text
    assert "@media print" in text
    assert "color-scheme: light dark" in text
    assert 'fill="#000' not in text and 'fill="black' not in text


def test_contrast_of_colours():
    """Text has a contrast of 4.5 or more to its paper, marks of policies 3 or more, in light and in dark mode."""
    text = made()
    modes = re.findall(r"--ink: (#\w{6}); --paper: (#\w{6}); --quiet: (#\w{6}); --line: #\w{6}; --own: (#\w{6})", text)
    assert len(modes) == 3
    for ink, paper, quiet, own in modes:
        for under in (paper, own):
            assert min(contrast(ink, under), contrast(quiet, under)) >= 4.5
        assert min(contrast(each, paper) for each in (STRONG, *QUIET)) >= 3.0
    assert len(set(QUIET)) == len(QUIET)


def test_pictures_are_described():
    """Every picture has a title and a description that its label refers to, and ids are unique."""
    tree = root(made())
    ids = [each.get("id") for each in tree.iter() if each.get("id")]
    assert len(set(ids)) == len(ids)
    for picture in tree.iter(f"{SVG}svg"):
        assert picture.get("role") == "img"
        assert set(picture.get("aria-labelledby").split()) <= set(ids)
        assert len(picture.find(f"{SVG}desc").text) > 20
    assert all(table.find("caption") is not None for table in tree.iter("table"))


def test_the_stage_that_differs_most_is_shown():
    """Of all stages the one whose latency differs most is drawn, also where ours is the slower one."""
    runs = {
        "fuxi": run_of(stage_run(5, 100.0, job_id="a"), stage_run(5, 20.0, job_id="b")),
        "pareto": run_of(stage_run(5, 90.0, job_id="a"), stage_run(5, 50.0, job_id="b")),
    }
    words = "".join(Reader(made(runs=runs)).text)
    assert "This is stage 3 of job b with 5 instances" in words
    assert "took 30.0 s longer (150.0%)" in words


@pytest.mark.parametrize(
    "runs",
    [{}, {"fuxi": run_of(stage_run(3))}, {"pareto": run_of(stage_run(3))}, {"fuxi": run_of(), "pareto": run_of()}],
)
def test_nothing_to_compare(runs):
    """Without a stage under two policies there are no pictures, and the page says so."""
    text = made(runs=runs)
    assert "There is no stage that ran under fuxi" in text
    assert "svg" not in Reader(text).names


def test_no_summaries():
    """A page without any simulation says that there was none."""
    assert "Nothing was simulated." in made(summaries={}, runs={})


def test_baseline_answered_instead():
    """Where the baseline had to decide there is no frontier, and the page says so with the warning."""
    runs = two_runs()
    (ours,) = runs["pareto"].stages
    ours.decision = replace(
        ours.decision,
        frontier=np.empty((0, 2)),
        method="fuxi",
        lower_bound_s=NAN,
        warnings=("fuxi placement: late <1>",),
    )
    words = "".join(Reader(made(runs=runs)).text)
    assert "No frontier is shown, because fuxi decided without a model." in words
    assert "fuxi placement: late <1>" in words


def said(**changes: float) -> str:
    """The headline of one seed with other figures of ours."""
    return headline(spread({"B/0": [BASE, replace(SAVED, **changes)]}))


def test_headline_says_what_was_saved():
    """The best policy with its spread over seeds."""
    assert headline([row for row in spread(two_seeds()) if row.workload == "B"]) == (
        "On B, pareto saved 30.0% of latency (20.0% to 40.0%) and 5.0% of cost (-10.0% to 20.0%) compared to fuxi, over"
        " 2 seeds. It did not save on every seed. It decided 62.5% of the stages itself, fuxi the others."
    )


@pytest.mark.parametrize(
    ("latency", "cost", "words"),
    [
        (0.4, 0.2, "On B, pareto saved 40.0% of latency and 20.0% of cost compared to fuxi, on one seed"),
        (0.4, -0.1, "On B, pareto saved 40.0% of latency, but took 10.0% more cost compared"),
        (
            -0.1,
            -0.2,
            "On B, no policy saved anything: the best of them, pareto, took 10.0% more latency and 20.0% more cost",
        ),
        (0.0, 0.0, "On B, no policy saved anything: the best of them, pareto, took no less latency and no less cost"),
        (-0.0001, 0.2, "On B, pareto took no less latency, but saved 20.0% of cost"),
        (NAN, 0.2, "On B, pareto has an unknown latency, but saved 20.0% of cost"),
    ],
)
def test_headline_is_honest(latency, cost, words):
    """Losses and nothing are called so."""
    assert said(latency_saving=latency, cost_saving=cost).startswith(words)


def test_headline_names_ours_too():
    """Where another policy was best the sentence about ours still stands; the oracle is never the best."""
    others = [replace(SAVED, policy="ipa", latency_saving=0.9), replace(SAVED, policy="oracle", latency_saving=0.99)]
    words = headline(spread({"B/0": [BASE, SAVED, *others]}))
    assert words.startswith("On B, ipa saved 90.0%")
    assert words.endswith("Ours, pareto, saved 40.0% of latency and 20.0% of cost.")
    assert headline(spread({"B/0": [BASE]})) == "On B, no policy was compared to fuxi."


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"truth": "noise_free"}, "The same model decides and judges here"),
        ({"truth": "synthetic", "model": "oracle"}, "The same model decides and judges here"),
        ({"truth": "synthetic (CPU exponent 0.8)", "policies": "oracle"}, "is told by a formula"),
        ({"Truth": "oracle", "model": "boosted"}, "by a second model"),
        ({"truth": "replay"}, "is what was recorded of them"),
        ({"truth": "weather"}, "is told by this truth: weather."),
        ({}, "is told by something that the conditions do not name."),
    ],
)
def test_cautions_depend_on_the_truth(facts, words):
    """A truth that is the model itself is called so."""
    assert words in cautions(facts)[0]
    assert "There is no noise" not in cautions(facts)[0]
    assert "There is no noise" in cautions({**facts, "noise": "none"})[0]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e6)), min_size=1, max_size=13),
    st.integers(0, 6),
    st.sampled_from([NAN, 0.0, 3.0, 1e4]),
)
def test_labels_of_the_frontier_do_not_overlap(points, plans, bound_s):
    """Whatever happened, labels are inside the picture, apart from each other, and every policy has one."""
    happened = [Happened(f"policy_{at}", *point) for at, point in enumerate(points)]
    frontier = np.array([(2.0**at, 100.0 / (at + 1)) for at in range(plans)]).reshape(-1, 2)
    picture = frontier_chart("stage", "policy_0", frontier, max(plans - 1, 0), happened, lower_bound_s=bound_s)
    assert {each.policy for each in happened} <= set(check_layout(picture))


def test_equal_points_have_labels_apart():
    """Policies that did exactly the same are all named."""
    happened = [Happened(name, 10.0, 50.0) for name in ("pareto", "fuxi", "ipa", "raa_only", "fixed", "milp")]
    words = check_layout(frontier_chart("s", "pareto", np.array([(10.0, 50.0)]), 0, happened))
    assert {"pareto", "fuxi", "ipa", "raa_only", "fixed", "milp", "chosen, as predicted"} <= set(words)


def test_frontier_draws_the_bounds_it_is_given():
    """A bound of both and a bound of latency are drawn and named; what is unknown is not."""
    bound = np.array([(4.0, 80.0), (6.0, 50.0), (11.0, 35.0)])
    happened = [Happened("pareto", 8.0, 65.0), Happened("lost", NAN, NAN)]
    words = check_layout(frontier_chart("s", "pareto", FRONTIER, 1, happened, bound=bound, lower_bound_s=4.0))
    assert {"lower bound", "no plan is faster", "plans to choose from, as predicted"} <= set(words)
    assert "lost" not in words
    assert "lower bound" not in check_layout(frontier_chart("s", "pareto", FRONTIER, 1, happened))


def test_frontier_without_anything():
    """A stage of no latency and no cost, or without any point, is drawn all the same."""
    check_layout(frontier_chart("s", "pareto", np.zeros((1, 2)), 0, [Happened("pareto", 0.0, 0.0)]))
    check_layout(frontier_chart("s", "pareto", np.empty((0, 2)), 0, []))


@pytest.mark.parametrize("instances", [1, 2, 12, 13, MOST, MOST + 1, 3000])
@pytest.mark.parametrize(("above_s", "below_s"), [(100.0, 50.0), (50.0, 100.0), (1e-3, 99.0), (30.0, 30.0), (0.0, 0.0)])
def test_text_of_the_gantt_chart_does_not_overlap(instances, above_s, below_s):
    """Headers, bar labels, ticks and the bracket keep apart, whichever policy is slower and however many wait."""
    above, below = stage_run(instances, above_s, waits=instances // 3), stage_run(instances, below_s, seed=1)
    check_layout(gantt_chart(above, below, ("fuxi", "pareto"), FLEET))


def test_gantt_names_the_longest_and_the_saving():
    """The longest bar is named with its input and machine, and the bracket says seconds and percent."""
    above, below = stage_run(9, 100.0), stage_run(9, 40.0, seed=1)
    words = check_layout(gantt_chart(above, below, ("fuxi", "pareto"), FLEET))
    assert "saved 60.0 s (60.0%)" in words
    at = int(above.machine[0])
    where = f"{FLEET.machines.ids[at]} ({FLEET.machines.hw_types[at]})"
    assert any(f"longest: instance 0, 1.9 GiB, on {where}: 100.0 s with" in each for each in words)


def test_gantt_of_many_instances():
    """The heaviest have bars, with the longest and the last of both runs among them; a band stands for the others."""
    above, below = stage_run(3000, 100.0), stage_run(3000, 50.0, seed=1)
    below.finish_s[2999] = below.release_s + 70.0
    drawn = heaviest(above, below)
    assert len(drawn) == MOST
    assert set(range(MOST - 1)) | {2999} == set(drawn.tolist())
    words = check_layout(gantt_chart(above, below, ("fuxi", "pareto"), FLEET))
    assert sum("the other 2,960 instances" in each for each in words) == 2


def test_gantt_says_who_waited():
    """Instances that found no room at first are counted."""
    words = check_layout(gantt_chart(stage_run(9, waits=4), stage_run(9, seed=1), ("fuxi", "pareto"), FLEET))
    assert any("4 waited for room" in each for each in words)


def test_gantt_with_unknown_inputs():
    """Where bytes are unknown rows are named, and where both are that is said."""

    def unknown(run: StageRun, rows: npt.NDArray[np.float64]) -> StageRun:
        run.stage = Stage("j", 1, rows, np.full(len(rows), np.nan))
        return run

    for rows, words in ((np.full(4, 1500.0), "1,500 rows"), (np.full(4, np.nan), "input unknown")):
        picture = gantt_chart(unknown(stage_run(4), rows), unknown(stage_run(4, 9.0), rows), ("fuxi", "pareto"), FLEET)
        assert any(words in each for each in check_layout(picture))


def test_gantt_with_long_names():
    """Names of machines and policies that are too long are shortened."""
    kind = replace(FLEET, types=(HardwareType("W" * 300, 8, 8, 1, 1, 1),) * len(FLEET.types))
    words = check_layout(gantt_chart(stage_run(9), stage_run(9, 9.0), ("m" * 200, "pareto"), kind))
    assert any("…" in each for each in words)


@given(st.floats(1e-6, 1e9), st.floats(1.001, 1e9))
def test_ticks_are_few_and_inside(low, factor):
    """Two to eight round ticks between the ends, on a linear and on a logarithmic axis."""
    high = low * factor
    for ticks in (linear_ticks(low, high), log_ticks(low, high)):
        assert 1 <= len(ticks) <= 8
        assert ticks == sorted(set(ticks))
        assert low * (1 - 1e-6) <= ticks[0] and ticks[-1] <= high * (1 + 1e-6)


def test_scales_are_logarithmic_for_large_ranges_only():
    """Values from 1 to 1,000 are drawn on a logarithmic scale, values from 10 to 20 or from 0 are not."""
    assert scale_of(np.array([1.0, 1000.0, np.nan]), 0, 1).logarithmic
    assert not scale_of(np.array([10.0, 20.0]), 0, 1).logarithmic
    assert not scale_of(np.array([0.0, 1e6]), 0, 1).logarithmic
    assert scale_of(np.array([3.0]), 0, 1).at(3.0) == pytest.approx(0.5)


def test_report_of_a_real_simulation():
    """Three small jobs under three policies end in a page whose table has their savings."""
    workload, truth = generate("A", 3, 5), Synthetic(seed=5)
    found, runs = compare(
        workload, ["pareto", "ipa"], model=Oracle(truth, workload.fleet), truth=truth, conditions=Conditions(),
        history=History(),
    )  # fmt: skip
    text = page("Trial", {"truth": "synthetic", "model": "oracle"}, {"A/5": found}, runs, PRICES)
    by_name: dict[str, Summary] = {each.policy: each for each in found}
    rows = {row[0]: row for row in cells(text)}
    for name, each in by_name.items():
        assert rows[name][2] == f"{100 * each.latency_saving:.1f}%"
        assert rows[name][6] == f"{each.job_latency_s:,.{0 if each.job_latency_s >= 100 else 2}f}"
    for picture in root(text).iter(f"{SVG}svg"):
        check_layout(ElementTree.tostring(picture, encoding="unicode"))
