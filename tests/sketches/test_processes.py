"""Sites as real processes: the same bytes as in one process, every fault noticed, nothing left behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from paretosql.sketches import ProfileSketch, collect, run_processes
from paretosql.sketches.collect import Collected
from paretosql.sketches.racks import Rack
from paretosql.sketches.site import Site
from tests.sketches.misbehaving import Misbehaving, Once, announced

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = [np.arange(0, 9_000), np.arange(5_000, 12_000), np.arange(100), np.array([], np.int64)]


def is_running(pid: int | None) -> bool:
    assert pid is not None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_processes_give_what_one_process_gives():
    """Sketch and ledger are the same, byte for byte, for all protocols one after the other; then nobody is left."""
    with run_processes([partial(Site, column) for column in COLUMNS]) as sites:
        pids = sites.pids
        assert len(set(pids)) == 4
        for protocol, options in {
            "two_rounds": {"capacity": 500},
            "one_round": {"capacity": 50},
            "fixed_threshold": {"capacity": 500, "rows": 20_000},
            "dictionary": {},
        }.items():
            there, here = (collect(each, protocol, seed=3, **options) for each in (sites, COLUMNS))
            assert there.sketch.to_bytes() == here.sketch.to_bytes()
            columns = there.ledger.table().select(["round", "direction", "purpose"]).to_pylist()
            assert sorted(map(str, columns)) == sorted(
                map(str, here.ledger.table().select(["round", "direction", "purpose"]).to_pylist())
            )
            assert (there.ledger.total, there.ledger.by_site()) == (here.ledger.total, here.ledger.by_site())
            assert (there.covered, there.missing, there.noticed) == (here.covered, (), ())
        assert all(is_running(pid) for pid in pids)
    assert not any(is_running(pid) for pid in pids)


FAULTS = {
    1: ("dies", 1),
    2: ("hangs", 1),
    3: ("talks_nonsense", 1),
    4: ("answers_twice", 1),
    5: ("answers_another_round", 1),
    6: ("stops_in_the_middle", 1),
    7: ("announces_too_much", 1),
    8: ("exits", 2),
}
GOOD = (0, 4, 9)


@pytest.fixture(scope="module")
def troubled(tmp_path_factory) -> Collected:
    """Ten processes, two of them in order, eight not."""
    sources = [partial(Site, np.arange(100))]
    sources += [partial(Misbehaving, number, *FAULTS[number]) for number in range(1, 9)]
    sources.append(partial(Once, 9, "talks_nonsense", 1))
    folder = tmp_path_factory.mktemp("ready")
    with run_processes([partial(announced, folder, *each) for each in enumerate(sources)]) as sites:
        pids = sites.pids
        while len(list(folder.iterdir())) < len(sources):  # the start of an interpreter is no answer that is late
            time.sleep(0.05)
        found = collect(sites, timeout_s=4, attempts=2)
    assert not any(is_running(pid) for pid in pids)
    return found


def test_the_result_says_what_it_covers(troubled):
    """Only sites that answered every round are covered, and the sketch is exactly that of their rows."""
    assert troubled.covered.sites == GOOD
    assert troubled.covered.rows == troubled.sketch.rows == 300
    assert not troubled.complete
    alone = ProfileSketch()
    for number in GOOD:
        alone.update(np.arange(1000 * number, 1000 * number + 100))
    assert troubled.sketch.to_bytes() == alone.to_bytes()


REASONS = {
    1: ("killed by SIGKILL", None),
    2: ("no answer within 4 s", None),
    3: ("unreadable", None),
    5: ("no answer within 4 s .*round 9", None),
    6: ("no answer within 4 s", None),
    7: (f"announced a message of {2**31} bytes", None),
    8: ("ended with status 7", 100),
}


@pytest.mark.parametrize("site", REASONS)
def test_every_missing_site_has_a_reason(troubled, site):
    """Dead, hanging, babbling and late sites are told apart; rows they had named before are known."""
    missing = {each.site: each for each in troubled.missing}
    assert set(missing) == set(REASONS)
    words, rows = REASONS[site]
    assert missing[site].rows == rows
    assert re.search(words, missing[site].reason), missing[site].reason


def test_ignored_answers_are_noticed_and_counted(troubled):
    """A second answer does not count twice, but its bytes do; so do unreadable answers and repeated requests."""
    assert any(said.startswith("site 4 answered") for said in troubled.noticed)
    assert any("site 3 gave an unreadable answer" in said for said in troubled.noticed)
    purposes = {(row["site"], row["direction"], row["purpose"]) for row in troubled.ledger.table().to_pylist()}
    assert (4, "from site", "survey ignored") in purposes
    assert (3, "to site", "survey repeated") in purposes
    assert (9, "to site", "survey repeated") in purposes


def test_a_killed_site_is_noticed_at_once():
    """A process that is killed from outside between two collections is missing in the next two, without a timeout."""
    with run_processes([partial(Site, column) for column in COLUMNS[:2]]) as sites:
        assert collect(sites).complete
        os.kill(sites.pids[1], signal.SIGKILL)
        found, again = collect(sites, timeout_s=250), collect(sites, timeout_s=250)
    for each in (found, again):
        assert each.covered.sites == (0,)
        assert [lost.site for lost in each.missing] == [1]
    assert "SIGKILL" in found.missing[0].reason


def broken_source() -> Site:
    raise OSError("no such file")


def test_a_site_that_cannot_begin_is_missing():
    """A source that raises ends its process, and the others go on."""
    with run_processes([broken_source, partial(Rack.of, [Site(np.arange(5)), Site(np.arange(9))])]) as sites:
        found = collect(sites)
    assert (found.covered.sites, found.covered.leaves, found.sketch.distinct()) == ((1,), 2, 9)
    assert "status 1" in found.missing[0].reason


def test_an_error_in_the_block_leaves_no_process():
    """Whatever ends the block, the processes end with it, also those that hang."""
    pids = []
    with pytest.raises(KeyError), run_processes([partial(Misbehaving, 1, "hangs"), partial(Site, COLUMNS[0])]) as sites:
        pids += sites.pids
        collect(sites, timeout_s=0.2, attempts=1)
        raise KeyError
    assert not any(is_running(pid) for pid in pids)


PROGRAM = """
import sys
from functools import partial
from paretosql.sketches import collect, run_processes
from tests.sketches.misbehaving import Misbehaving
if __name__ == "__main__":
    try:
        with run_processes([partial(Misbehaving, each, "hangs") for each in range(2)]) as sites:
            print(*sites.pids, flush=True)
            collect(sites, timeout_s=600)
    except KeyboardInterrupt:
        print("stopped", flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_the_coordinator(number, tmp_path):
    """After Ctrl-C to the whole group, or a kill of the coordinator alone, its processes are gone and said nothing."""
    file = tmp_path / "program.py"
    file.write_text(PROGRAM)
    child = subprocess.Popen(
        [sys.executable, str(file)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert child.stdout is not None
    pids = [int(word) for word in child.stdout.readline().split()]
    assert len(pids) == 2
    time.sleep(0.2)  # while the processes are still starting
    if number == signal.SIGINT:
        os.killpg(child.pid, number)
    else:
        child.kill()
    said, complained = child.communicate(timeout=60)
    until = time.monotonic() + 30
    while any(is_running(pid) for pid in pids) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(is_running(pid) for pid in pids)
    if number == signal.SIGINT:
        assert (said, complained) == ("stopped\n", "")
