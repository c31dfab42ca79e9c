"""The whole error tree: every failure a user can meet, with code, cause, remedy and exit code.

UnderwayError
├── UsageError            2   the command line is wrong
├── ConfigurationError    3   the Compose file or x-underway is wrong
├── RefusedError          4   policy, stale plan, interruption not allowed, unsatisfiable
├── LockedError           5   somebody else works on this app
│   └── LockLostError     5   our own lock was taken or could not be renewed
├── UnreachableError      6   a host, registry or program cannot be reached
├── IntegrityError        7   digest, checksum or record does not match
├── StepFailedError      10   a step or gate of a plan failed (undone by the caller)
│   └── EngineError      10   an engine answered a request with an error
├── NotUndoneError       11   what is left, and what ends it
└── BugError             70   Underway itself is wrong
"""

from underway.errors.codes import CODES, CodeEntry
from underway.errors.tree import (
    BugError,
    ConfigurationError,
    EngineError,
    IntegrityError,
    LockedError,
    LockLostError,
    NotUndoneError,
    RefusedError,
    StepFailedError,
    UnderwayError,
    UnreachableError,
    UsageError,
)

__all__ = [
    "CODES",
    "BugError",
    "CodeEntry",
    "ConfigurationError",
    "EngineError",
    "IntegrityError",
    "LockLostError",
    "LockedError",
    "NotUndoneError",
    "RefusedError",
    "StepFailedError",
    "UnderwayError",
    "UnreachableError",
    "UsageError",
]
