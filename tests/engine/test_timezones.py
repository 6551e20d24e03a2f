"""TIMESTAMP WITH TIME ZONE as Python rows, where pytz is not installed."""

import datetime
import subprocess
import sys
import zoneinfo

import pytest

import paretosql
from paretosql.engine.timezones import _zone, rows_have_zones

ZONES = ["UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Etc/GMT+5"]
# either side of the hours that summer time skips and repeats, in the north and in the south
INSTANTS = [
    "2021-03-14 06:59:59",
    "2021-03-14 07:00:00",
    "2021-11-07 05:30:00",
    "2021-11-07 06:30:00",
    "1900-01-01 00:00:00",
]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("arrow", [False, True])
def test_rows_carry_the_zone_of_the_session(con, zone, arrow):
    """A fetched instant is the same instant, written in the session's zone as zoneinfo writes it."""
    con.execute(f"SET TimeZone = '{zone}'")
    for text in INSTANTS:
        utc = datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)
        expected = utc.astimezone(zoneinfo.ZoneInfo(zone))
        got, listed = con.execute(f"SELECT x, [x] FROM (SELECT '{text}+00'::TIMESTAMPTZ AS x)", arrow=arrow).fetchone()
        assert (got, got.utcoffset(), listed) == (expected, expected.utcoffset(), [expected])
        assert got.tzinfo == zoneinfo.ZoneInfo(zone)


def test_nothing_is_left_in_the_interpreter():
    """The stand-in is gone at once, and other libraries find pytz only where it is installed."""
    code = (
        "import importlib.util, sys, paretosql\n"
        "real = importlib.util.find_spec('pytz') is not None\n"
        "paretosql.connect().execute('SELECT now()').fetchall()\n"
        "assert real or 'pytz' not in sys.modules\n"
        "assert (importlib.util.find_spec('pytz') is not None) == real\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_zones_are_learnt_once():
    """Asking again is free, and a zone answers as the plain one inside."""
    assert rows_have_zones() and rows_have_zones()
    noon = datetime.datetime(2021, 7, 1, 12)
    plain = zoneinfo.ZoneInfo("America/New_York")
    made = noon.replace(tzinfo=_zone("America/New_York"))
    assert made.utcoffset() == noon.replace(tzinfo=plain).utcoffset()
    assert (made.tzname(), made.dst()) == ("EDT", datetime.timedelta(hours=1))


def test_a_long_result_with_zones_streams(con):
    """Rows of a large result arrive without the whole of it in memory first."""
    cursor = con.execute(
        "SELECT TIMESTAMPTZ '2020-01-01 00:00:00+00' + INTERVAL 1 SECOND * range FROM range(50_000_000)"
    )
    assert cursor.fetchmany(2)[1][0] == datetime.datetime(2020, 1, 1, 0, 0, 1, tzinfo=datetime.UTC)
    cursor.close()
    assert isinstance(paretosql.connect().execute("SELECT now()").fetchone()[0], datetime.datetime)
