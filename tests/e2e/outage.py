"""Hosts that are lost under load: which requests may be lost with them, and which never.

What docs/adr/0005 allows is an *answer of a lost host*: a request that had been sent before the
host was gone and may have been seen there, so that nobody can send it again. That is a POST, an
upload, or a WebSocket; a GET is asked again elsewhere, unless the cut came between its bytes and
their acknowledgement: one for each cut. Whatever is sent later must be answered, by every edge that
is not itself lost.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from lab.load import Kind, Load, Result
from lab.load.result import Incident
from lab.network_faults import Direction
from tests.e2e.client import Client, Running, eventually
from tests.e2e.project import Project

ROOT: Final = Path(__file__).parents[2]
NEVER_TWICE: Final = {Kind.POST, Kind.UPLOAD, Kind.WEBSOCKET}
REACHED_S: Final = 90.0


@dataclass
class Outage:
    """A host that was lost, in seconds of the load: surely there until, surely gone from."""

    host: str
    began_s: float
    gone_s: float

    def explains(self, lost: Incident) -> bool:
        """Whether the request was on its way when the host went, and may not be sent twice."""
        is_before = lost.at_s <= self.gone_s and lost.at_s + lost.took_s >= self.began_s
        return is_before and lost.kind in NEVER_TWICE

    def may_have_swallowed(self, lost: Incident) -> bool:
        """Whether a GET was written in the very moment of the cut: no probe finds that out."""
        return self.began_s <= lost.at_s <= self.gone_s and lost.kind not in NEVER_TWICE


@dataclass
class Weather:
    """A project under load, and what was done to its hosts."""

    project: Project
    load: Load
    outages: list[Outage] = field(default_factory=list)

    @contextmanager
    def lost(self, host: str, direction: Direction = Direction.BOTH) -> Iterator[Outage]:
        """Cut a host off while the block runs; afterwards it is there again, and so is its edge."""
        faults = self.project.fleet.faults
        with self.gone(host, lambda name: faults.cut(name, direction), faults.mend_network) as one:
            yield one

    @contextmanager
    def gone(
        self, host: str, fault: Callable[[str], None], mend: Callable[[str], None]
    ) -> Iterator[Outage]:
        """Take a host away while the block runs, and mend it; an edge's target is cut meanwhile."""
        with ExitStack() as stack:
            if host in self.project.edges:
                stack.enter_context(self.load.cut_expected(host))
            began_s = self.now_s
            fault(host)
            outage = Outage(host, began_s, self.now_s)
            self.outages.append(outage)
            try:
                yield outage
            finally:
                mend(host)
                if host in self.project.edges:
                    eventually(lambda: self._answers(host), f"edge {host} answers again")

    @property
    def now_s(self) -> float:
        """Seconds of the load."""
        return self.load.snapshot().elapsed_s

    def _answers(self, edge: str) -> bool:
        try:
            return self.project.sight.get("/version", edge).status == 200
        except OSError:
            return False

    def expect_no_loss(self, what: str = "") -> Result:
        """Every request was answered but for answers of a lost host."""
        found = self.load.snapshot()
        self.judge(found, what)
        return found

    def judge(self, found: Result, what: str = "") -> None:
        """Raise AssertionError with all that no outage explains."""
        lost = [one for one in found.incidents if not self._explained(one)]
        for outage in self.outages:
            swallowed = next(filter(outage.may_have_swallowed, lost), None)
            lost = [one for one in lost if one is not swallowed]
        shown = "\n".join(map(str, lost[:40]))
        times = ", ".join(
            f"{o.host} from {o.began_s:.1f} to {o.gone_s:.1f} s" for o in self.outages
        )
        assert not lost, f"{what}\n{len(lost)} lost; outages: {times}\n{shown}\n{found.table()}"
        assert len(found.incidents) < 1000, "more incidents than are kept: nothing is proved"

    def _explained(self, lost: Incident) -> bool:
        return any(outage.explains(lost) for outage in self.outages)


@contextmanager
def paused(
    client: Client, where: str, side: str, *command: str, directory: Path
) -> Iterator["Held"]:
    """A client that waits before or after the first step that `where` finds."""
    directory.mkdir(parents=True)
    program = (
        "env",
        f"PYTHONPATH={ROOT}",
        sys.executable,
        "-m",
        "tests.e2e.pausing_client",
        str(directory),
        side,
        where,
    )
    with client.running(*command, program=program) as running:
        held = Held(running, directory)
        eventually(lambda: held.is_reached or running.is_over, f"comes to {where}", REACHED_S)
        assert held.is_reached, f"it ended before {where}\n{running.wait()}"
        yield held


@dataclass(frozen=True)
class Held:
    """A client that waits at a step."""

    running: Running
    directory: Path

    @property
    def is_reached(self) -> bool:
        return (self.directory / "reached").exists()

    @property
    def step(self) -> str:
        """The step at which it waits."""
        return (self.directory / "reached").read_text()

    def go(self) -> None:
        """Let it go on."""
        (self.directory / "go").touch()
