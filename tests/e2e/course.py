"""What tests of replacing share: one wish after another under load, and who may answer when.

`Course` tells the load from which moment on an answer is stale: with blue-green no retiring
replica gets a new request from the drain on, which begins when the cutover was read back on every
edge; at the end of each deploy nothing that was replaced may ever answer again.
"""

import re
from dataclasses import dataclass
from typing import Final

from lab.load import Kind, Load, Mix, Outcome, Result
from tests.e2e.client import Done, eventually
from tests.e2e.project import Project, Wish
from tests.e2e.sight import Container

FULL: Final = Mix(upload_per_s=0.15)
"""About 200 requests/s of every kind."""
WARM: Final = 300
"""Requests that went well before the first change, and after each."""
_DRAIN: Final = re.compile(r"^stage \d+ Drain", re.MULTILINE)
_SHORT: Final = 12
"""Digits of a container's id that make its host name, by which replicas answer."""


@dataclass
class Course:
    """A project under load."""

    project: Project
    load: Load

    def begin(self) -> None:
        """Wait until every kind of traffic flows."""
        self.load.wait_until(
            lambda seen: seen.requests > WARM and seen.count(Outcome.OK, Kind.MESSAGE) > 0,
            timeout_s=60,
            what="traffic of every kind",
        )

    def to(self, wish: Wish, *options: str) -> Done:
        """Deploy `wish` while nobody may notice."""
        self.project.write(wish)
        return self.run("deploy", *options)

    def run(self, *arguments: str) -> Done:
        """One command that replaces; what it replaced must never be asked again."""
        before = self.project.sight.replicas()
        self.load.expect()
        with self.project.client.running(*arguments) as client:
            if self.project.wish.strategy == "blue-green":
                eventually(
                    lambda: client.is_over or _DRAIN.search(client.err), "drains or ends", 120
                )
                self._retire(_outdated(before, self.project.sight.replicas()))
            done = client.wait().expect(0)
        after = self.project.sight.replicas()
        self._retire({one.id for one in before} - {one.id for one in after})
        self.load.expect(*{one.version for one in after})
        seen = self.load.snapshot().requests
        self.load.wait_until(
            lambda now: now.requests > seen + WARM, timeout_s=60, what="load after the change"
        )
        return done

    def _retire(self, ids: set[str]) -> None:
        self.load.retire(*(one[:_SHORT] for one in ids))

    def finish(self) -> Result:
        """End the load: nothing lost, nothing stale, and every kind was there."""
        result = self.load.stop()
        result.check()
        for kind in Kind:
            assert result.count(Outcome.OK, kind), f"no {kind} went well:\n{result.table()}"
        return result


def _outdated(before: list[Container], now: list[Container]) -> set[str]:
    """Replicas of another generation than the newest, by id; none where none is new."""
    known = {one.id for one in before}
    fresh = {one.labels["underway.generation"] for one in now if one.id not in known}
    old = {one.id for one in before if one.labels["underway.generation"] not in fresh}
    return old if fresh else set()
