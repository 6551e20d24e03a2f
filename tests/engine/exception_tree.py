"""The exception classes of PEP 249, by name: those below `Error` and those below `DatabaseError`."""

from __future__ import annotations

FAMILY = ["InterfaceError", "DatabaseError"]
DATABASE_FAMILY = [
    "DataError",
    "OperationalError",
    "IntegrityError",
    "InternalError",
    "ProgrammingError",
    "NotSupportedError",
]
