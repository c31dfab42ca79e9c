"""Faults for fakes: a call that fails before its effect, or after it, and a host that is gone."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from underway.errors import UnreachableError
from underway.model.names import HostName


@dataclass(slots=True)
class Faults:
    """`before` and `after` hold the error the next call of a method raises; each is used once.

    `calls` lists every method called, in order. `is_gone` makes every call fail.
    """

    before: dict[str, Exception] = field(default_factory=dict)
    after: dict[str, Exception] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    is_gone: bool = False

    @contextmanager
    def around(
        self, method: str, guard: AbstractContextManager[object], host: HostName
    ) -> Iterator[None]:
        """One call of `method`, under the fake's guard."""
        with guard:
            if self.is_gone:
                raise UnreachableError("host-unreachable", f"{host}: the engine does not answer")
            self.calls.append(method)
            if method in self.before:
                raise self.before.pop(method)
            yield
            if method in self.after:
                raise self.after.pop(method)
