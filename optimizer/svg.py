"""Pieces of SVG charts: escaped text, elements, colours, scales with their ticks, and axes.

Charts inherit `color` from the page for text and lines and state no background, so that they are readable in light
and dark mode. All coordinates are in pixels, y grows downwards.
"""

from __future__ import annotations

import html
import re
import unicodedata
import zlib
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from paretosql.optimizer.frontier import Floats

NAMESPACE: Final = "http://www.w3.org/2000/svg"  # a name that is never fetched
OURS: Final = "pareto"
# our choices: all differ from white and from the page's dark paper by 3:1 or more
STRONG: Final = "#d9480f"
QUIET: Final = (
    "#5c7cba", "#7a828c", "#2f7f9e", "#8a8fb5", "#4f6d8f", "#6b8fd6", "#5f7a80", "#8792a2", "#3b6fb6", "#7f86c8",
)  # fmt: skip
# the most usual policies have colours of their own, others share them
USUAL: Final = (
    "ipa_raa_path", "fuxi", "ipa", "raa_only", "least_loaded", "nsga2", "round_robin", "fixed", "uniform_raa", "milp",
)  # fmt: skip
STOPS: Final = np.array(
    [(222, 232, 150), (92, 184, 132), (46, 124, 150), (62, 66, 140), (60, 14, 84)], dtype=np.float64
)
LOG_FROM: Final = 8.0  # values that differ by this factor are drawn on a logarithmic scale; our choice
LEAST: Final = 1e-9  # smaller values are drawn as 0; our choice
HOSTILE: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def escaped(text: object) -> str:
    """Text for HTML and XML; what XML cannot hold, and marks that turn the direction of writing, become a box."""
    return html.escape(HOSTILE.sub("\ufffd", str(text)), quote=True)


def shortened(text: str, most: int = 24) -> str:
    """At most `most` characters.

    >>> shortened("abcdef", 4)
    'abc…'
    """
    return text if len(text) <= most else f"{text[: most - 1]}…"


def text_width(text: str, size: float) -> float:
    """Pixels that a line of text takes at most in common sans-serif fonts of `size` pixels."""
    return size * sum(_em(letter) for letter in text)


def _em(letter: str) -> float:
    if unicodedata.east_asian_width(letter) in "WF" or ord(letter) > 0x2FFF:
        return 1.05
    if letter in "il.,:;'|!()[] jtfrI-/":
        return 0.43
    return 1.0 if letter in "mwMW%@…_&\ufffd" else (0.66 if letter.islower() or letter.isdigit() else 0.85)


def tag(name: str, body: str = "", /, **attributes: object) -> str:
    """An element for XML and HTML alike; `body` is markup, attributes are escaped, their numbers rounded.

    In names of attributes `_` stands for `-`.

    >>> tag("line", x1=0.123456, stroke_width=2)
    '<line x1="0.12" stroke-width="2"></line>'
    """
    parts = [name, *(f'{key.replace("_", "-")}="{_value(value)}"' for key, value in attributes.items())]
    return f"<{' '.join(parts)}>{body}</{name}>"


def _value(value: object) -> str:
    if isinstance(value, float | np.floating):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return escaped(value)


def label(text: str, x: float, y: float, size: float = 12, **attributes: object) -> str:
    """A line of text that starts (or ends, by text_anchor) at x, on the base line y."""
    return tag("text", escaped(text), x=x, y=y, font_size=size, **{"fill": "currentColor", **attributes})


def document(kind: str, size: tuple[float, float], title: str, description: str, body: str) -> str:
    """A picture of a width and height, with a title and a description for readers who cannot see it.

    `kind` makes ids: one picture of a kind on a page.
    """
    named = tag("title", escaped(title), id=f"{kind}-title") + tag("desc", escaped(description), id=f"{kind}-desc")
    return tag(
        "svg",
        f"{named}\n{body}\n",
        xmlns=NAMESPACE,
        viewBox=f"0 0 {size[0]:g} {size[1]:g}",
        role="img",
        aria_labelledby=f"{kind}-title {kind}-desc",
        font_family="system-ui, sans-serif",
    )


def colour(policy: str) -> str:
    """The colour of a policy, always the same for its name: strong for ours, grey or blue for the others."""
    if policy == OURS:
        return STRONG
    at = USUAL.index(policy) if policy in USUAL else zlib.crc32(policy.encode("utf-8", "replace")) % len(QUIET)
    return QUIET[at]


def of_cores(cores: float) -> tuple[str, str]:
    """The colour of a container with so many cores, light for few and dark for many; and of text on it."""
    at = float(np.clip(np.log2(max(cores, 0.25) / 0.25) / 6.0, 0.0, 1.0)) * (len(STOPS) - 1)
    red, green, blue = (round(np.interp(at, np.arange(len(STOPS)), STOPS[:, each])) for each in range(3))
    dark = 0.299 * red + 0.587 * green + 0.114 * blue < 128
    return f"#{red:02x}{green:02x}{blue:02x}", "#ffffff" if dark else "#111111"


def seconds(value: float) -> str:
    """A time that is read at once.

    >>> [seconds(each) for each in (0.0042, 0.35, 12.34, 12345.6)]
    ['4.2 ms', '350 ms', '12.3 s', '12,346 s']
    """
    if not np.isfinite(value):
        return "–"
    if 0 < abs(value) < 1:
        return f"{value * 1e3:.{0 if abs(value) >= 0.01 else 1}f} ms"
    return f"{value:,.{1 if abs(value) < 1000 else 0}f} s"


def byte_size(value: float) -> str:
    """Bytes in the unit that fits.

    >>> byte_size(3.4 * 2**30), byte_size(10)
    ('3.4 GiB', '10 bytes')
    """
    for unit, name in ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if value >= unit:
            return f"{value / unit:,.1f} {name}"
    return f"{value:,.0f} bytes"


def brief(value: float) -> str:
    """A number at a tick.

    >>> [brief(each) for each in (0, 0.05, 2500, 20000.0, 3e6, 2e-7)]
    ['0', '0.05', '2,500', '20k', '3M', '2e-07']
    """
    for unit, name in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= max(unit, 1e4):
            return f"{value / unit:,.10g}{name}"
    return f"{value:.0e}" if 0 < abs(value) < 1e-4 else f"{value:,.10g}"


def linear_ticks(low: float, high: float, most: int = 7) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten from low to high, at most `most`.

    >>> linear_ticks(0, 23)
    [0.0, 5.0, 10.0, 15.0, 20.0]
    """
    if not high > low:
        return [low]
    power = 10.0 ** np.floor(np.log10((high - low) / most))
    for step in (power * each for each in (1, 2, 5, 10, 20)):
        first, last = int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9))
        if last - first < most:
            return [float(f"{at * step:.10g}") for at in range(first, last + 1)]
    return [low, high]


def log_ticks(low: float, high: float, most: int = 8) -> list[float]:
    """1, 2 and 5 times powers of ten from low to high, or powers alone, or every so many of them; at most `most`.

    >>> log_ticks(0.7, 40), log_ticks(1, 1e6)
    ([1.0, 2.0, 5.0, 10.0, 20.0], [1.0, 10.0, 100.0, 1000.0, 10000.0, 100000.0, 1000000.0])
    """
    first, last = int(np.floor(np.log10(low))), int(np.ceil(np.log10(high)))
    ways: list[tuple[tuple[int, ...], int]] = [((1, 2, 5), 1), ((1,), 1)]
    for factors, step in ways + [((1,), step) for step in range(2, 700)]:
        powers = range(first, last + 1, step)
        found = [float(f"{factor}e{power}") for power in powers for factor in factors]
        inside = [each for each in found if low * (1 - 1e-9) <= each <= high * (1 + 1e-9)]
        if len(inside) <= most:
            break
    return inside if len(inside) > 1 else linear_ticks(low, high)


class Box(NamedTuple):
    """A rectangle from its upper left to its lower right corner."""

    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True)
class Scale:
    """From values between low and high to pixels between start and end, which may run backwards."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def at(self, value: float) -> float:
        """The pixel of a value; values outside are drawn at the edge."""
        low, high, value = self.low, self.high, min(max(value, self.low), self.high)
        if self.logarithmic:
            low, high, value = float(np.log(low)), float(np.log(high)), float(np.log(value))
        return self.start + (value - low) / (high - low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Round values between low and high."""
        return log_ticks(self.low, self.high) if self.logarithmic else linear_ticks(self.low, self.high)


def scale_of(values: Floats, start: float, end: float) -> Scale:
    """A scale with some air around finite values from 0: logarithmic where they differ by LOG_FROM, else linear, from 0
    unless all are far above it. Values that hardly differ stay close together.
    """
    known = values[np.isfinite(values)]
    known = np.where(known < LEAST, 0.0, known)
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    if low > 0 and high / low >= LOG_FROM:
        air = (high / low) ** 0.06
        return Scale(low / air, high * air, start, end, True)
    air = max(0.08 * (high - low), 0.02 * high)
    return Scale(low - air if low > 0.3 * high else 0.0, high + air if high > 0 else 1.0, start, end)


def bottom_axis(scale: Scale, title: str, frame: Box) -> str:
    """Ticks below a frame with lines up through it, and the title below them; 44 pixels high."""
    parts = []
    for value in scale.ticks():
        x = scale.at(value)
        parts.append(tag("line", x1=x, x2=x, y1=frame.y0, y2=frame.y1 + 5, stroke="currentColor", stroke_opacity=0.15))
        parts.append(label(brief(value), x, frame.y1 + 18, 11, text_anchor="middle"))
    parts.append(tag("line", x1=frame.x0, x2=frame.x1, y1=frame.y1, y2=frame.y1, stroke="currentColor"))
    parts.append(label(title, (frame.x0 + frame.x1) / 2, frame.y1 + 36, 12, text_anchor="middle"))
    return "".join(parts)


def left_axis(scale: Scale, title: str, frame: Box) -> str:
    """Ticks left of a frame with lines across it, and the title above it, 10 pixels higher."""
    parts = []
    for value in scale.ticks():
        y = scale.at(value)
        parts.append(tag("line", x1=frame.x0 - 5, x2=frame.x1, y1=y, y2=y, stroke="currentColor", stroke_opacity=0.15))
        parts.append(label(brief(value), frame.x0 - 8, y + 4, 11, text_anchor="end"))
    parts.append(tag("line", x1=frame.x0, x2=frame.x0, y1=frame.y0, y2=frame.y1, stroke="currentColor"))
    parts.append(label(title, 4, frame.y0 - 12, 12))
    return "".join(parts)
