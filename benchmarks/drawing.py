"""Tables for people: boxes and colours on a terminal, plain aligned text in a pipe."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TextIO

RED, GREEN, YELLOW, BOLD, DIM = "31", "32", "33", "1", "2"


class Screen:
    """Where a demonstration is drawn. NO_COLOR and a pipe turn colours off; a pipe turns boxes off too."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self.out = out
        terminal = out.isatty()
        encoding = (getattr(out, "encoding", None) or "ascii").lower()
        self.boxes = terminal and "utf" in encoding
        self.colours = terminal and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"

    def paint(self, text: str, *codes: str) -> str:
        """The text in a colour, where there are colours."""
        return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if self.colours and codes else text

    def say(self, text: str = "", *codes: str) -> None:
        """One line, shown at once."""
        encoding = getattr(self.out, "encoding", None) or "utf-8"
        text = text.encode(encoding, "replace").decode(encoding)
        print(self.paint(text, *codes) if text else "", file=self.out, flush=True)

    def title(self, text: str, about: str = "") -> None:
        """A heading with a sentence under it."""
        self.say()
        self.say(text, BOLD)
        if about:
            self.say(about)

    def sql(self, text: str) -> None:
        """A statement that is about to run."""
        for line in text.strip().splitlines():
            self.say(f"  {line}", DIM)

    def table(self, names: Sequence[str], rows: Sequence[Sequence[str]], colours: Sequence[Sequence[str]] = ()) -> None:
        """Rows of texts; texts that look like numbers stand on the right.

        Args:
            colours: for each row the colour of each cell, "" for none; empty for no colours at all.
        """
        rows = [[_one_line(text) for text in row] for row in rows]
        widths = [max(len(row[at]) for row in [names, *rows]) for at in range(len(names))]
        right = [all(_numeric(row[at]) for row in rows) for at in range(len(names))]
        bar, cross, left_end, right_end = ("│", "┼", "│ ", " │") if self.boxes else (" ", " ", "", "")
        line = "─" if self.boxes else "-"
        pad = 2 if self.boxes else 0

        def draw(cells: Sequence[str], codes: Sequence[str]) -> str:
            parts = []
            for text, width, r, code in zip(cells, widths, right, codes, strict=True):
                fitted = text.rjust(width) if r else text.ljust(width)
                parts.append(self.paint(fitted, code) if code else fitted)
            return (left_end + f" {bar} ".join(parts) + right_end).rstrip()

        def rule(first: str, middle: str, last: str) -> str:
            return first + middle.join(line * (width + pad) for width in widths) + last

        out = [rule("┌", "┬", "┐")] if self.boxes else []
        out.append(draw(names, [BOLD] * len(names)))
        out.append(rule("├", cross, "┤") if self.boxes else rule("", "   ", ""))
        none = [""] * len(names)
        out += [draw(row, colours[at] if colours else none) for at, row in enumerate(rows)]
        out += [rule("└", "┴", "┘")] if self.boxes else []
        for each in out:
            encoding = getattr(self.out, "encoding", None) or "utf-8"
            print(each.encode(encoding, "replace").decode(encoding), file=self.out)
        self.out.flush()


def _one_line(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 48 else text[:45] + "..."


def _numeric(text: str) -> bool:
    return not text or text.strip("+-")[:1].isdigit() or text in ("exact", "NULL")
