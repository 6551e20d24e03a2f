"""The classic DB-API compliance suite (package dbapi-compliance), run against paretosql.

35 of its 36 tests are run as they are, or in the place the suite leaves for drivers. One is replaced: it wants a
second close() to fail, and closing twice is allowed here.
"""

from __future__ import annotations

import dbapi20

import paretosql


class TestCompliance(dbapi20.DatabaseAPI20Test):
    """Every test has an in-memory database of its own, so table names never meet."""

    driver = paretosql

    def setUp(self) -> None:
        """The suite opens one connection a test; each is a new empty database."""
        self.connect_args = (":memory:",)

    def test_non_idempotent_close(self) -> None:
        """Replaced: a second close() does nothing."""
        con = self._connect()
        con.close()
        con.close()
        self.assertRaises(paretosql.Error, con.commit)

    def test_nextset(self) -> None:
        """The place for drivers: several result sets are optional, and this driver has none."""
        assert not hasattr(self._connect().cursor(), "nextset")

    def test_setoutputsize(self) -> None:
        """The place for drivers: sizes are accepted and long values are never cut."""
        cur = self._connect().cursor()
        cur.setoutputsize(3)
        cur.execute("SELECT repeat('x', 1000)")
        assert cur.fetchone() == ("x" * 1000,)


def test_the_suite_is_complete():
    """36 tests came from the suite, and only the three above differ from it."""
    names = {name for name in dir(dbapi20.DatabaseAPI20Test) if name.startswith("test_")}
    replaced = {name for name in names if name in vars(TestCompliance)}
    assert len(names) == 36
    assert replaced == {"test_non_idempotent_close", "test_nextset", "test_setoutputsize"}
