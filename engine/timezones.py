"""Time zones for the rows that DuckDB makes.

DuckDB turns TIMESTAMP WITH TIME ZONE into Python values with the package pytz, which it looks for by name. Where pytz
is not installed, Python's own zoneinfo can do the little that DuckDB asks of it; it only has to be found under that
name once, because DuckDB keeps what it has found.
"""

from __future__ import annotations

import datetime
import functools
import importlib.util
import sys
import threading
import types
import zoneinfo

import duckdb

_once = threading.Lock()


class _Zone(datetime.tzinfo):
    """A zone as DuckDB wants it, with `localize`; datetimes made through it carry the plain zone inside."""

    def __init__(self, plain: datetime.tzinfo) -> None:
        self._plain = plain

    def localize(self, naive: datetime.datetime) -> datetime.datetime:
        """A naive datetime as one of this zone."""
        return naive.replace(tzinfo=self._plain)

    def fromutc(self, utc: datetime.datetime) -> datetime.datetime:
        return self._plain.fromutc(utc.replace(tzinfo=self._plain))

    def utcoffset(self, when: datetime.datetime | None) -> datetime.timedelta | None:
        return self._plain.utcoffset(when)

    def dst(self, when: datetime.datetime | None) -> datetime.timedelta | None:
        return self._plain.dst(when)

    def tzname(self, when: datetime.datetime | None) -> str | None:
        return self._plain.tzname(when)


@functools.cache
def plain_zone(name: str) -> datetime.tzinfo:
    """Python's zone of a name; UTC on a machine without a zone database, so that the instant is right all the same."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return datetime.UTC


@functools.cache
def _zone(name: str) -> _Zone:
    return _Zone(plain_zone(name))


@functools.cache
def rows_have_zones() -> bool:
    """Let DuckDB fetch TIMESTAMP WITH TIME ZONE; False when it cannot, and Arrow has to serve instead."""
    if importlib.util.find_spec("pytz") is not None:
        return True
    stand_in = types.ModuleType("pytz")
    stand_in.timezone = _zone  # type: ignore[attr-defined]
    with _once:
        sys.modules["pytz"] = stand_in
        try:
            with duckdb.connect(config={"threads": 1}) as con:
                rows = con.execute("SELECT TIMESTAMPTZ '2020-01-01 00:00:00+00'").fetchall()
        except Exception:  # a DuckDB that asks for more
            return False
        finally:
            del sys.modules["pytz"]
    return rows == [(datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC),)]
