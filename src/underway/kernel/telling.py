"""The voice of one run: puts each event into its envelope and hands it on."""

import threading
from dataclasses import dataclass, field

from underway.model.event import Body, Event, Level, Note
from underway.model.names import HostName
from underway.ports import Clock, EventSink


@dataclass(slots=True)
class Voice:
    """Numbers and stamps the events of one run; safe to use from several threads."""

    run: str
    actor: str
    sink: EventSink
    clock: Clock
    _count: int = 0
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def say(self, body: Body, host: HostName | None = None) -> None:
        """Tell one thing that happened."""
        with self._guard:
            self._count += 1
            event = Event(self.run, self._count, self.clock.now(), self.actor, body, host)
            self.sink(event)

    def note(self, level: Level, code: str, text: str) -> None:
        """Say something worth knowing."""
        self.say(Note(level, code, text))
