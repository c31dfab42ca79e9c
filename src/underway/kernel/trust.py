"""Whether the history on a host is the one this client knows, judged once per host and run.

A host is judged when it is first seen: what the run itself changes then (a host that leaves loses
its ledger) is followed, not doubted. The heads are recalled before the hosts are looked at, so that
a record which another client of this machine writes meanwhile is never missed in an older look.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from underway.kernel.doubts import refusal
from underway.kernel.telling import Voice
from underway.kernel.world import World
from underway.model.event import Level
from underway.model.history import Doubt, DoubtKind, Stance
from underway.model.names import AppName, HostName
from underway.model.snapshot import HostState, Snapshot
from underway.ports.heads import Heads


class NoHeads:
    """A client that remembers nothing. Implements `ports.heads.Heads`."""

    def recall(self, app: AppName) -> Mapping[str, str]:
        """Nothing."""
        del app
        return {}

    def remember(self, app: AppName, engine: str, head: str) -> None:
        """Forgotten at once."""

    def forget(self, app: AppName, engine: str) -> None:
        """Nothing was remembered."""


@dataclass(slots=True)
class Trust:
    """The judge of one run. `stance` says what becomes of doubts."""

    heads: Heads = field(default_factory=NoHeads)
    stance: Stance = Stance.REFUSE
    _met: set[HostName] = field(default_factory=set)
    _doubted: set[HostName] = field(default_factory=set)
    _recorded: set[HostName] = field(default_factory=set)

    def judged(self, world: World, voice: Voice, look: Callable[[], Snapshot]) -> Snapshot:
        """What `look` sees; IntegrityError where a host's history is doubted, if that is refused.

        An accepted history is signed where there is a team key, and looked at again.
        """
        known = self.heads.recall(world.app)
        snapshot = look()
        if self._meet(world, voice, snapshot, known):
            snapshot = look()
        self._follow(world, snapshot)
        return snapshot

    def _meet(
        self, world: World, voice: Voice, snapshot: Snapshot, known: Mapping[str, str]
    ) -> bool:
        """Judge the hosts that are new; whether a ledger was written because of it."""
        has_written = False
        for host in snapshot.reachable:
            if host.name in self._met:
                continue
            doubts = tuple(_doubts(host, known))
            if doubts and self.stance is Stance.ACCEPT:
                has_written |= self._accept(world, voice, host, doubts)
            elif doubts:
                self._doubt(voice, host, doubts)
            self._met.add(host.name)
        return has_written

    def _doubt(self, voice: Voice, host: HostState, doubts: tuple[Doubt, ...]) -> None:
        error = refusal(host.name, doubts)
        if self.stance is Stance.REFUSE:
            raise error
        self._doubted.add(host.name)
        for doubt in doubts:
            told = refusal(host.name, (doubt,))
            voice.note(Level.WARNING, told.code, f"{told.message}: {told.cause}. {told.hint}")

    def _accept(
        self, world: World, voice: Voice, host: HostState, doubts: tuple[Doubt, ...]
    ) -> bool:
        """Sign what is there, if there is a key; whether that wrote a record."""
        has_written = host.ledger is not None and bool(host.ledger.doubts)
        if has_written:
            moment = dt.datetime.fromtimestamp(voice.clock.now(), dt.UTC)
            accepted_at = moment.isoformat(timespec="seconds").replace("+00:00", "Z")
            world.ledger(host.name).accept(voice.actor, accepted_at)
        self.heads.forget(world.app, host.facts.id)
        for doubt in doubts:
            text = refusal(host.name, (doubt,)).message
            voice.note(Level.WARNING, "history-accepted", f"{text}: accepted")
        return has_written

    def _follow(self, world: World, snapshot: Snapshot) -> None:
        """Remember the heads of ledgers that are believed; forget what this run saw leave."""
        for host in snapshot.reachable:
            if host.name in self._doubted or not host.facts.id:
                continue
            if host.ledger is not None and host.ledger.head and not host.ledger.doubts:
                self._recorded.add(host.name)
                self.heads.remember(world.app, host.facts.id, host.ledger.head)
            elif host.ledger is None and host.name in self._recorded:
                self.heads.forget(world.app, host.facts.id)


def _doubts(host: HostState, known: Mapping[str, str]) -> Iterator[Doubt]:
    head = known.get(host.facts.id, "")
    if head and host.ledger is None:
        yield Doubt(DoubtKind.UNKNOWN, what="the ledger is gone")
    elif head and host.ledger is not None and head not in host.ledger.hashes:
        yield Doubt(DoubtKind.UNKNOWN, what="its ledger does not continue the one")
    if host.ledger is not None:
        yield from host.ledger.doubts
