"""The only place that constructs adapters.

What opens a session is loaded when it is first named: Tab and help pages open none.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from underway.wiring.options import Reading, SessionOptions

if TYPE_CHECKING:
    from underway.wiring.sessions import SystemClock, actor, open_session, understand

__all__ = ["Reading", "SessionOptions", "SystemClock", "actor", "open_session", "understand"]


def __getattr__(name: str) -> object:
    """Load what is named for the first time; AttributeError for what is not public."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(f"{__name__}.sessions"), name)
    globals()[name] = found
    return found
