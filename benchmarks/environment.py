"""What a number depends on: machine, versions, commit, day."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSIONED = ("paretosql", "duckdb", "pyarrow", "numpy")


def environment() -> dict[str, str]:
    """Machine, versions, commit and day, as texts for a heading."""
    return {
        "machine": f"{_processor()}, {_cores()} cores, {_memory_gib():.0f} GiB, {platform.system()}",
        "versions": ", ".join([f"Python {platform.python_version()}", *map(_version, VERSIONED)]),
        "commit": _commit(),
        "day": datetime.date.today().isoformat(),
    }


def _version(package: str) -> str:
    try:
        return f"{package} {importlib.metadata.version(package)}"
    except importlib.metadata.PackageNotFoundError:
        return f"{package} not installed"


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _memory_gib() -> float:
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")) / 2**30
    except (ValueError, OSError):
        return 0.0


def _commit() -> str:
    """The commit of this checkout, marked when files differ from it."""
    try:
        commit = _git("rev-parse", "--short", "HEAD")
        # the results themselves are written by this program
        changed = _git("status", "--porcelain", "--", ".", ":!docs/results.md")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{commit} with changes" if changed else commit


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
