"""The choice that a policy had for one stage: its frontier, the point it chose, and where every policy really ended."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from paretosql.optimizer.frontier import Floats
from paretosql.optimizer.svg import (
    Box,
    Scale,
    bottom_axis,
    colour,
    document,
    escaped,
    label,
    left_axis,
    scale_of,
    seconds,
    shortened,
    tag,
    text_width,
)

WIDTH, HEIGHT = 760, 440
FRAME = Box(64, 40, WIDTH - 24, HEIGHT - 52)
SIZE, LINE = 12.0, 15.0  # of labels, pixels
MARK = 7.0  # half of the side of the square that a mark takes
STEP = 5.0  # labels are tried at every so many pixels
DOTS = 100  # a frontier of more points is drawn as a line only
AIR = 14.0  # pixels between a label and marks that it does not name
CROSSED = 8.0  # pixels that a label may be farther away to cover one point of a curve less


@dataclass(frozen=True)
class Happened:
    """What a stage took under a policy: latency in s from its release, cost in resource units."""

    policy: str
    latency_s: float
    cost: float


def frontier_chart(
    stage: str,
    policy: str,
    frontier: Floats,
    chosen: int,
    happened: Sequence[Happened],
    *,
    bound: Floats | None = None,
    lower_bound_s: float = float("nan"),
) -> str:
    """A picture of one decision.

    Args:
        stage: the name of the stage.
        policy: whose frontier it is.
        frontier: shape (p, 2), predicted latency_s and cost of the plans it chose from; may be empty.
        chosen: the row of `frontier` that was chosen.
        happened: what came true under each policy, that of `policy` among them.
        bound: shape (b, 2), no plan is below in both; None when not known.
        lower_bound_s: no plan is faster; NaN when not known.
    Returns:
        SVG. Labels do not overlap; one that finds no room is left out and stands in the description.
    """
    title = f"Latency and cost of {stage}"
    happened = [each for each in happened if np.isfinite((each.latency_s, each.cost)).all()]
    ends = np.array([(each.latency_s, each.cost) for each in happened]).reshape(-1, 2)
    points = np.concatenate([frontier, ends, np.empty((0, 2)) if bound is None else bound])
    across = scale_of(np.append(points[:, 0], lower_bound_s), FRAME.x0, FRAME.x1)
    up = scale_of(points[:, 1], FRAME.y1, FRAME.y0)
    draw = _Drawing(across, up)
    parts = [bottom_axis(across, "latency of the stage, s", FRAME), left_axis(up, "cost, resource units", FRAME)]
    if bound is not None and len(bound):
        parts.append(draw.curve(bound, "lower bound", "currentColor", "5 4"))
    if np.isfinite(lower_bound_s):
        low = np.array([(lower_bound_s, up.high), (lower_bound_s, up.low)])
        parts.append(draw.curve(low, "no plan is faster", "currentColor", "2 4"))
    if len(frontier):
        parts.append(draw.curve(frontier, "plans to choose from, as predicted", colour(policy), ""))
    for each in sorted(happened, key=lambda each: each.policy == policy):
        parts.append(draw.end(each, strong=each.policy == policy))
    if len(frontier):
        parts.append(draw.choice(frontier[chosen], policy))
    parts.append(draw.labels())
    return document(
        "frontier", (WIDTH, HEIGHT), title, _description(policy, frontier, chosen, happened), "".join(parts)
    )


def _description(policy: str, frontier: Floats, chosen: int, happened: Sequence[Happened]) -> str:
    words = [f"{each.policy} ended after {seconds(each.latency_s)} at a cost of {each.cost:,.1f}." for each in happened]
    if len(frontier):
        latency, cost = frontier[chosen]
        few = f"{policy} chose one of {len(frontier)} plans, predicted {seconds(latency)} at a cost of {cost:,.1f}."
        words.insert(0, few)
    return " ".join(words)


class _Drawing:
    """Marks and curves drawn so far, and the labels that are still to be placed among them."""

    def __init__(self, across: Scale, up: Scale) -> None:
        self._across, self._up = across, up
        self._wanted: list[tuple[float, float, str, bool]] = []
        self._marks: list[Box] = []
        self._curves: list[Floats] = []

    def _at(self, point: Sequence[float] | Floats) -> tuple[float, float]:
        return self._across.at(float(point[0])), self._up.at(float(point[1]))

    def curve(self, points: Floats, name: str, stroke: str, dashes: str) -> str:
        """Stairs through points by rising latency: what a latency costs at least."""
        found = [self._at(each) for each in points]
        corners = [found[0]]
        for before, after in itertools.pairwise(found):
            corners += [(after[0], before[1]), after]
        self._curves.append(_along(np.array(corners)))
        middle = self._curves[-1][len(self._curves[-1]) // 2]
        self._wanted.append((float(middle[0]), float(middle[1]), name, False))
        path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in corners)
        parts = [tag("path", d=path, fill="none", stroke=stroke, stroke_width=1.5, stroke_dasharray=dashes or "none")]
        if not dashes and len(found) <= DOTS:
            parts += [tag("circle", cx=x, cy=y, r=2, fill=stroke) for x, y in found]
        return "".join(parts)

    def end(self, what: Happened, *, strong: bool) -> str:
        """The mark of what happened under a policy."""
        x, y = self._mark((what.latency_s, what.cost), shortened(what.policy), strong)
        words = escaped(f"{what.policy}: {seconds(what.latency_s)}, cost {what.cost:,.1f}")
        ring = {"stroke": "currentColor", "stroke_width": 1.5} if strong else {}
        return tag("circle", tag("title", words), cx=x, cy=y, r=6.5 if strong else 5, fill=colour(what.policy), **ring)

    def choice(self, point: Floats, policy: str) -> str:
        """The mark of the plan that was chosen, a diamond."""
        x, y = self._mark(point, "chosen, as predicted", True)
        words = escaped(f"chosen by {policy}: predicted {seconds(float(point[0]))}, cost {point[1]:,.1f}")
        path = f"M{x - 7:.1f} {y:.1f}L{x:.1f} {y - 7:.1f}L{x + 7:.1f} {y:.1f}L{x:.1f} {y + 7:.1f}Z"
        return tag("path", tag("title", words), d=path, fill="none", stroke="currentColor", stroke_width=2)

    def _mark(self, point: Sequence[float] | Floats, text: str, strong: bool) -> tuple[float, float]:
        x, y = self._at(point)
        self._marks.append(Box(x - MARK, y - MARK, x + MARK, y + MARK))
        self._wanted.append((x, y, text, strong))
        return x, y

    def labels(self) -> str:
        """All labels, marks that matter most first, each as near to what it names as there is room."""
        taken = list(self._marks)
        curves = np.concatenate([*self._curves, np.empty((0, 2))])
        parts = []
        for x, y, text, strong in sorted(self._wanted, key=lambda each: not each[3]):
            box = nearest_room(x, y, text_width(text, SIZE), taken, curves)
            if box is None:
                continue
            taken.append(box)
            near = min(max(x, box.x0), box.x1), min(max(y, box.y0), box.y1)
            if np.hypot(near[0] - x, near[1] - y) > 2 * MARK:
                thin = {"stroke": "currentColor", "stroke_opacity": 0.6}
                parts.append(tag("line", x1=x, y1=y, x2=near[0], y2=near[1], **thin))
            parts.append(label(text, box.x0, box.y1 - 4, SIZE, font_weight="bold" if strong else "normal"))
        return "".join(parts)


def _along(corners: Floats) -> Floats:
    """Points on a line at most 4 pixels apart, shape (n, 2)."""
    parts = [corners[:1]]
    for before, after in itertools.pairwise(corners):
        many = max(int(np.abs(after - before).max() // 4), 1)
        parts.append(before + np.linspace(0, 1, many + 1)[1:, None] * (after - before))
    return np.concatenate(parts)


def nearest_room(x: float, y: float, width: float, taken: Sequence[Box], curves: Floats) -> Box | None:
    """Where in the frame a label of a width can stand: near (x, y), over no box, and clear of what else is drawn.

    Args:
        taken: marks and labels; they are not touched, and those that are not at (x, y) are kept AIR away if possible.
        curves: shape (n, 2), points that are better left uncovered.
    Returns:
        None when there is no room at all. O(places * (boxes + n)), about 10,000 places.
    """
    left = np.append(np.arange(FRAME.x0 + 3, FRAME.x1 - width, STEP), x + MARK + 2)
    top = np.append(np.arange(FRAME.y0, FRAME.y1 - LINE - 2, STEP), y - LINE / 2)
    x0, y0 = (each.ravel() for each in np.meshgrid(left, top))
    x1, y1 = x0 + width, y0 + LINE
    free: npt.NDArray[np.bool_] = (x0 > FRAME.x0) & (x1 < FRAME.x1) & (y0 >= FRAME.y0) & (y1 < FRAME.y1)
    price = np.hypot(*_gaps(x0, y0, x1, y1, Box(x, y, x, y))) + np.where(x0 > x, 0.0, 2.0)
    for box in taken:
        across, down = _gaps(x0, y0, x1, y1, box)
        free &= (across > 0) | (down > 0)
        if (box.x0 + box.x1, box.y0 + box.y1) != (2 * x, 2 * y):
            price += np.maximum(AIR - np.hypot(across, down), 0.0)
    order = np.argsort(np.where(free, price, np.inf), kind="stable")[: min(int(free.sum()), 1500)]
    if not len(order):
        return None
    x0, y0, x1, y1, price = (each[order] for each in (x0, y0, x1, y1, price))
    for on_x, on_y in curves:
        across, down = _gaps(x0, y0, x1, y1, Box(on_x, on_y, on_x, on_y))
        price = price + CROSSED * ((across < 4) & (down < 2))
    best = int(np.argmin(price))
    return Box(float(x0[best]), float(y0[best]), float(x1[best]), float(y1[best]))


def _gaps(x0: Floats, y0: Floats, x1: Floats, y1: Floats, box: Box) -> tuple[Floats, Floats]:
    """Pixels between rectangles and a box across and down, 0 where they overlap in that direction."""
    return np.maximum(np.maximum(x0 - box.x1, box.x0 - x1), 0.0), np.maximum(np.maximum(y0 - box.y1, box.y0 - y1), 0.0)
