"""ParetoSQL: an embeddable SQL engine on Arrow and DuckDB that counts distinct values from sketches and samples,
and asks models that it has trained.

>>> import paretosql
>>> con = paretosql.connect()
>>> con.execute("SELECT ndv(range % 7) FROM range(1000)").fetchone()
(7,)
"""

from paretosql.engine.dbapi import Connection, Cursor, connect
from paretosql.engine.result import Result
from paretosql.engine.types import (
    BINARY,
    DATETIME,
    NUMBER,
    ROWID,
    STRING,
    Binary,
    Date,
    DateFromTicks,
    Time,
    TimeFromTicks,
    Timestamp,
    TimestampFromTicks,
)
from paretosql.errors import (
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    Warning,
)
from paretosql.udfs.choices import hparam_candidates, hparam_range

__version__ = "0.1.0"

apilevel = "2.0"
threadsafety = 1
paramstyle = "qmark"

__all__ = [
    "BINARY",
    "DATETIME",
    "NUMBER",
    "ROWID",
    "STRING",
    "Binary",
    "Connection",
    "Cursor",
    "DataError",
    "DatabaseError",
    "Date",
    "DateFromTicks",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "NotSupportedError",
    "OperationalError",
    "ProgrammingError",
    "Result",
    "Time",
    "TimeFromTicks",
    "Timestamp",
    "TimestampFromTicks",
    "Warning",
    "apilevel",
    "connect",
    "hparam_candidates",
    "hparam_range",
    "paramstyle",
    "threadsafety",
]
