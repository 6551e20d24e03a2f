"""When the instances of one stage ran under two policies, one above the other on the same time axis.

Shows the skew (the longest bar is named) and what the second policy saved (a bracket between the two ends).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from paretosql.optimizer.fleet import Fleet
from paretosql.optimizer.frontier import Floats, Ints
from paretosql.optimizer.simulate import StageRun
from paretosql.optimizer.svg import (
    Box,
    Scale,
    bottom_axis,
    byte_size,
    colour,
    document,
    escaped,
    label,
    of_cores,
    seconds,
    shortened,
    tag,
    text_width,
)

WIDTH = 860
LEFT, RIGHT = 20.0, WIDTH - 20.0
MOST = 40  # bars; of a larger stage the heaviest instances are drawn
PITCH, FEW_PITCH = 12.0, 18.0  # pixels from bar to bar, of many and of up to 12
HEADER, REST, BRACKET, AXIS, LEGEND = 42.0, 34.0, 34.0, 44.0, 30.0  # heights in pixels


@dataclass(frozen=True)
class Lane:
    """One policy's part of the picture: bars for `rows` of the stage, between the pixels `top` and `bottom`."""

    policy: str
    run: StageRun
    fleet: Fleet
    rows: Ints
    top: float
    bottom: float
    pitch: float

    @property
    def start_s(self) -> Floats:
        """Of each instance since the stage's release, shape (m,)."""
        return self.run.start_s - self.run.release_s

    @property
    def finish_s(self) -> Floats:
        """Of each instance since the stage's release, shape (m,)."""
        return self.run.finish_s - self.run.release_s

    @property
    def longest(self) -> int:
        """The instance that ran longest."""
        return int(np.argmax(self.run.finish_s - self.run.start_s))

    def machine(self, row: int) -> tuple[str, str]:
        """Name and hardware type of the machine of an instance."""
        at, machines = int(self.run.machine[row]), self.fleet.machines
        return machines.ids[at], machines.hw_types[at]

    def story(self, row: int, most: int = 1000) -> str:
        """An instance in words."""
        name, kind = (shortened(each, most) for each in self.machine(row))
        cores, memory = self.run.decision.containers[row]
        took = seconds(float(self.finish_s[row] - self.start_s[row]))
        size = f"{cores:g} core{'' if cores == 1 else 's'}, {memory:g} GiB"
        return f"instance {row}, {_input(self.run, row)}, on {name} ({kind}): {took} with {size}"


def gantt_chart(above: StageRun, below: StageRun, policies: tuple[str, str], fleet: Fleet) -> str:
    """A picture of one stage under two policies.

    Args:
        above, below: runs of the same stage.
        policies: the names of the two.
    Returns:
        SVG. Of more than MOST instances the heaviest are drawn, with the longest of both, and one band for the rest.
    """
    stage = above.stage
    title = f"Stage {stage.stage_id} of job {stage.job_id} under {policies[0]} and {policies[1]}"
    if not len(stage):
        nothing = "This stage has no instances."
        return document("gantt", (WIDTH, 60), title, nothing, label(nothing, LEFT, 34))
    rows = heaviest(above, below)
    rest = REST if len(rows) < len(stage) else 0.0
    pitch = FEW_PITCH if len(rows) <= 12 else PITCH
    lanes, top = [], LEGEND
    for name, run in zip(policies, (above, below), strict=True):
        bottom = top + HEADER + pitch * len(rows) + rest
        lanes.append(Lane(name, run, fleet, _ordered(run, rows), top + HEADER, bottom, pitch))
        top = bottom + 10.0
    end = max(above.latency_s, below.latency_s)
    scale = Scale(0.0, end if end > 0 else 1.0, LEFT, RIGHT - 12.0)
    frame = Box(LEFT, LEGEND, RIGHT, lanes[1].bottom + BRACKET)
    parts = [_legend(lanes), bottom_axis(scale, "time since the release of the stage, s", frame)]
    parts += [_lane(each, scale) for each in lanes]
    parts.append(_saving(lanes[0], lanes[1], scale))
    words = " ".join(
        f"{each.policy} ended after {seconds(each.run.latency_s)}; {each.story(each.longest)}." for each in lanes
    )
    return document(
        "gantt", (WIDTH, frame.y1 + AXIS), title, f"{policies[1]} {saving(above, below)[0]}. {words}", "".join(parts)
    )


def heaviest(above: StageRun, below: StageRun) -> Ints:
    """All instances, or of many the MOST heaviest by input, with the longest and the last of both runs among them."""
    size = len(above.stage)
    if size <= MOST:
        return np.arange(size)
    must: list[int] = []
    for run in (above, below):
        must += [int(np.argmax(run.finish_s - run.start_s)), int(np.argmax(run.finish_s))]
    order = np.argsort(-_weight(above), kind="stable").tolist()
    return np.array(sorted(list(dict.fromkeys([*must, *order]))[:MOST]), dtype=np.int64)


def saving(above: StageRun, below: StageRun) -> tuple[str, float]:
    """What the second run saved, in words and in seconds."""
    saved = above.latency_s - below.latency_s
    share = abs(saved) / above.latency_s if above.latency_s > 0 else 0.0
    if abs(saved) <= 1e-9:
        return "took equally long", 0.0
    if saved > 0:
        return f"saved {seconds(saved)} ({share:.1%})", saved
    return f"took {seconds(-saved)} longer ({share:.1%})", saved


def _count(instances: int) -> str:
    return f"{instances:,} instance{'' if instances == 1 else 's'}"


def _weight(run: StageRun) -> Floats:
    stage = run.stage
    return np.nan_to_num(np.where(np.isnan(stage.in_bytes), stage.in_rows, stage.in_bytes))


def _input(run: StageRun, row: int) -> str:
    size, rows = float(run.stage.in_bytes[row]), float(run.stage.in_rows[row])
    if np.isnan(size):
        return "input unknown" if np.isnan(rows) else f"{rows:,.0f} rows"
    return byte_size(size)


def _ordered(run: StageRun, rows: Ints) -> Ints:
    """By start, of equal starts the longest first."""
    found: Ints = rows[np.lexsort((run.start_s[rows] - run.finish_s[rows], run.start_s[rows]))]
    return found


def _legend(lanes: list[Lane]) -> str:
    """Which colour means how many cores; of more than eight sizes the least, the largest and some between."""
    sizes = np.unique(np.concatenate([each.run.decision.containers[each.rows, 0] for each in lanes]))
    shown = sizes[np.unique(np.linspace(0, len(sizes) - 1, min(len(sizes), 8)).round().astype(int))]
    words, x = "cores of the container:", LEFT
    parts = [label(words, x, 16, 12)]
    x += text_width(words, 12) + 6
    for cores in shown.tolist():
        parts.append(tag("rect", x=x, y=6, width=12, height=12, fill=of_cores(cores)[0], stroke="currentColor"))
        parts.append(label(f"{cores:g}", x + 16, 16, 12))
        x += 30 + text_width(f"{cores:g}", 12)
    return "".join(parts)


def _lane(lane: Lane, scale: Scale) -> str:
    waited = int((lane.start_s > 1e-9).sum())
    words = f"{shortened(lane.policy)}: {_count(len(lane.run.stage))}, end after {seconds(lane.run.latency_s)}"
    words += f", {waited:,} waited for room" if waited else ""
    named = f"▸ longest: {lane.story(lane.longest, 16)}"
    parts = [tag("rect", x=LEFT, y=lane.top - 33, width=10, height=10, fill=colour(lane.policy))]
    parts += [label(words, LEFT + 16, lane.top - 24, 13, font_weight="bold"), label(named, LEFT, lane.top - 8, 11)]
    parts += [_bar(lane, row, at, scale) for at, row in enumerate(lane.rows.tolist())]
    return "".join(parts) + _rest(lane, scale)


def _bar(lane: Lane, row: int, at: int, scale: Scale) -> str:
    x0, x1 = scale.at(float(lane.start_s[row])), scale.at(float(lane.finish_s[row]))
    y, height = lane.top + at * lane.pitch, lane.pitch - 1.5
    fill, ink = of_cores(float(lane.run.decision.containers[row, 0]))
    longest = row == lane.longest
    bar = tag(
        "rect", x=x0, y=y, width=max(x1 - x0, 1.0), height=height, fill=fill, stroke="currentColor",
        stroke_width=2.0 if longest else 0.5,
    )  # fmt: skip
    kind, size = lane.machine(row)[1], min(height - 1.5, 11.0)
    if x1 - x0 >= text_width(kind, size) + 8:
        bar += label(kind, x0 + 4, y + height / 2 + size * 0.36, size, fill=ink)
    if longest:
        bar += label("▸", x0 - 11, y + height / 2 + 4, 11)
    return tag("g", tag("title", escaped(lane.story(row))) + bar)


def _rest(lane: Lane, scale: Scale) -> str:
    """A grey band from the first start to the last end of the instances that have no bar."""
    others = np.setdiff1d(np.arange(len(lane.run.stage)), lane.rows)
    if not len(others):
        return ""
    start, finish = lane.start_s[others], lane.finish_s[others]
    y, x0, x1 = lane.bottom - REST + 4, scale.at(float(start.min())), scale.at(float(finish.max()))
    words = (
        f"grey: the other {len(others):,} instances; half of them ended by {seconds(float(np.median(finish)))},"
        f" all by {seconds(float(finish.max()))}"
    )
    band = {"y": y, "height": 9, "fill": "#868e96"}
    return (
        tag("rect", x=x0, width=max(x1 - x0, 1.0), fill_opacity=0.45, **band)
        + tag("rect", x=x0, width=max(scale.at(float(np.median(finish))) - x0, 0.5), fill_opacity=0.55, **band)
        + label(words, LEFT, y + 22, 11)
    )


def _saving(above: Lane, below: Lane, scale: Scale) -> str:
    """Lines at both ends, through the lower part, and a bracket between them with what was saved."""
    words, saved = saving(above.run, below.run)
    x0, x1 = scale.at(above.run.latency_s), scale.at(below.run.latency_s)
    y = below.bottom + 10
    thin = {"stroke": "currentColor", "stroke_dasharray": "4 3"}
    parts = [tag("line", x1=x0, x2=x0, y1=each.top, y2=each.bottom, **thin) for each in (above, below)]
    parts += [tag("line", x1=x, x2=x, y1=below.bottom, y2=y + 5, stroke="currentColor") for x in (x0, x1)]
    parts.append(tag("line", x1=x1, x2=x1, y1=below.top, y2=below.bottom, **thin))
    parts.append(tag("line", x1=x0, x2=x1, y1=y, y2=y, stroke=colour(below.policy), stroke_width=3))
    room = text_width(words, 13) / 2
    middle = min(max((x0 + x1) / 2, LEFT + room), RIGHT - room)
    weight = "bold" if saved > 0 else "normal"
    parts.append(label(words, middle, y + 19, 13, text_anchor="middle", font_weight=weight))
    return "".join(parts)
