"""Ctrl-C in the middle of a query over a trace."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from paretosql.optimizer.trace_sql import Queries, sql_over
from tests.optimizer.traces import right

ENDLESS = "SELECT sum(a.range ^ b.range) FROM range(10_000_000) a, range(10_000_000) b"
# signals are let through even if whoever started the tests ignores them
COMMAND = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from paretosql.optimizer.trace_sql import sql_over
from paretosql.optimizer.workload import Header, Trace
with sql_over(Trace(Header(), {})) as queries:
    print("ready", flush=True)
    getattr(queries, sys.argv[1])(sys.argv[2])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent by POSIX means")
@pytest.mark.parametrize("how", ["run", "rows", "arrow"])
@pytest.mark.parametrize("delay_s", [0.0, 1.0])
def test_ctrl_c_stops_a_query(tmp_path, how, delay_s):
    """A query that would take days ends at once, and its temporary folder is gone."""
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, how, ENDLESS],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        start_new_session=True,
    )
    assert process.stdout.readline() == b"ready\n"
    time.sleep(delay_s)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode in {130, -signal.SIGINT}
    assert errors.rstrip().endswith(b"KeyboardInterrupt")
    assert list(tmp_path.iterdir()) == []


def test_a_connection_goes_on_after_ctrl_c():
    """What was interrupted is the query, not the connection."""
    with sql_over(right()) as queries:
        timer = threading.Timer(0.5, signal.raise_signal, [signal.SIGINT])
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            queries.rows(ENDLESS)
        timer.join()
        assert queries.rows("SELECT count(*) FROM jobs") == [(right().count("jobs"),)]


def test_queries_of_other_threads():
    """A query runs where no signal comes, too."""
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: Queries().rows("SELECT 42")).result() == [(42,)]
