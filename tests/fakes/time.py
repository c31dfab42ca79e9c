"""A clock that tests own: sleeping moves it, and lets what is due happen."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class FakeClock:
    """Time that passes only in `sleep`; `due` are (time, what happens then), in order."""

    time: float = 1_000.0
    due: list[tuple[float, Callable[[], None]]] = field(default_factory=list)

    def after(self, seconds: float, happens: Callable[[], None]) -> None:
        """Let something happen so many seconds from now."""
        self.due.append((self.time + seconds, happens))
        self.due.sort(key=lambda entry: entry[0])

    def now(self) -> float:
        """See `ports.Clock`."""
        return self.time

    def monotonic(self) -> float:
        """See `ports.Clock`."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """See `ports.Clock`."""
        self.time += seconds
        while self.due and self.due[0][0] <= self.time:
            self.due.pop(0)[1]()
