"""The documentation is true: its Python blocks print what stands under them, its SQL runs or is refused, its links lead
somewhere, and the modules it names exist."""

from __future__ import annotations

import contextlib
import io
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

import paretosql
from paretosql.engine.render import box
from paretosql.sketches.grouped import BUDGET, MIN_CAPACITY
from paretosql.sketches.profile import CAPACITY
from paretosql.udfs.model import families
from paretosql.udfs.options import fields_of, shown
from paretosql.udfs.verbs import VERBS

ROOT = Path(__file__).resolve().parent.parent
FAMILY_PAGES = sorted((ROOT / "docs" / "families").glob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")), *FAMILY_PAGES]
WITH_PYTHON = [ROOT / "README.md", *(ROOT / "docs" / f"{name}.md" for name in ("python", "optimizer", "models"))]
WITH_SQL = [
    ROOT / "README.md",
    ROOT / "docs" / "sql.md",
    ROOT / "docs" / "models.md",
    *(page for page in FAMILY_PAGES if page.stem != "README"),
]
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: the words after the fence, its text, and the block that follows with only blank lines between."""

    kind: str
    text: str
    next_kind: str = ""
    next_text: str = ""


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found = list(FENCE.finditer(text))
    made = []
    for at, match in enumerate(found):
        after = found[at + 1] if at + 1 < len(found) else None
        near = after is not None and not text[match.end() : after.start()].strip()
        made.append(Block(match[1].strip(), match[2], after[1].strip() if near else "", after[2] if near else ""))
    return made


@pytest.mark.parametrize("page", WITH_PYTHON, ids=lambda page: page.name)
def test_python_blocks_print_what_the_page_shows(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The blocks of a page run one after the other in an empty folder, and each prints the text block under it."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    python = [block for block in blocks(page) if block.kind == "python"]
    assert python
    for block in python:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block.text, page.name, "exec"), names)
        expected = block.next_text if block.next_kind == "text" else ""
        assert printed.getvalue() == expected, block.text


@pytest.mark.parametrize("page", WITH_SQL, ids=lambda page: page.name)
def test_sql_blocks_run_or_are_refused(
    page: Path, con: paretosql.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Blocks marked sql run on one connection from top to bottom, and the last query of each gives the text under it;
    each statement marked "sql refused" raises."""
    monkeypatch.chdir(tmp_path)
    seen = 0
    for block in blocks(page):
        if block.kind == "sql":
            cursor = con.execute(block.text, arrow=True)
            seen += 1
            if block.next_kind == "text":
                types = [str(column[1]) for column in cursor.description or []]
                assert box(cursor.reader(), types) + "\n" == block.next_text, block.text
            assert cursor.description is None or cursor.fetchall() is not None
        elif block.kind == "sql refused":
            for each in filter(None, (part.strip() for part in block.text.split(";\n"))):
                with pytest.raises((paretosql.NotSupportedError, paretosql.ProgrammingError)) as caught:
                    con.execute(each).fetchall()
                assert "Hint:" in str(caught.value), each
                seen += 1
    assert seen


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path):
    """Every relative link names a file of the checkout."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    missing = [link for link in links if not (page.parent / link.partition("#")[0]).exists()]
    assert missing == []


def test_the_pictures_name_modules_that_exist():
    """The reading order of the README and of the architecture page names files of engine/ and sketches/."""
    modules = {file.stem for room in ("engine", "sketches") for file in (ROOT / room).glob("*.py")} | {"sketches/"}
    picture = next(block for block in blocks(ROOT / "README.md") if not block.kind and "SQL text" in block.text)
    named = set()
    for line in picture.text.splitlines():
        right = re.search(r"\s{3,}([a-z_/]+(?:, [a-z_/]+)*),?$", line)
        named |= set(right[1].split(", ")) if right else set()
    assert len(named) > 10
    assert named <= modules
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    files = re.findall(r"`((?:engine|sketches|benchmarks)/\w+\.py)`", page)
    assert files and all((ROOT / file).is_file() for file in files)


def test_the_numbers_about_precision_are_those_of_the_sketches():
    """Capacity, entries over all groups, and the two numbers of groups that follow from them."""
    page = " ".join((ROOT / "docs" / "sql.md").read_text(encoding="utf-8").split())
    assert f"keeps the {CAPACITY:,} smallest hashes" in page
    assert f"1/sqrt({CAPACITY:,}), {CAPACITY**-0.5:.1%}".replace("%", " %") in page
    assert f"about {BUDGET / 1e6:.1f} million entries. With up to {BUDGET // CAPACITY} large groups" in page
    assert f"to {MIN_CAPACITY**-0.5:.0%} at {BUDGET // MIN_CAPACITY:,} groups".replace("%", " %") in page
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"Up to {CAPACITY:,} distinct values it is exact" in readme
    assert f"With {BUDGET // MIN_CAPACITY:,} large groups" in readme


def test_the_readme_shows_the_commands_of_the_makefile():
    """Every `make` command that the README shows is a target."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    used = set(re.findall(r"^make ([a-z-]+)", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert {"demo", "test"} <= used <= targets


@pytest.mark.parametrize("name", list(families()))
def test_every_option_of_a_family_is_on_its_page(name: str):
    """With its default, on the page of the family or, where all families have it, on docs/models.md."""
    own = (ROOT / "docs" / "families" / f"{name}.md").read_text(encoding="utf-8")
    common = " ".join((ROOT / "docs" / "models.md").read_text(encoding="utf-8").split())
    for option, (_, default, _) in fields_of(families()[name].options).items():
        written = shown(default)
        assert f"| `{option}` | {written} |" in own or f"`{option}` ({written})" in common, option


def test_every_family_and_verb_is_in_the_documentation():
    """Each family has a page that the index links to; each verb is on docs/models.md."""
    index = (ROOT / "docs" / "families" / "README.md").read_text(encoding="utf-8")
    assert [name for name in families() if f"({name}.md)" not in index] == []
    models = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    assert [verb for verb in VERBS if f"`{verb}" not in models] == []
