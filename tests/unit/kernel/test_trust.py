"""A history is judged before anything changes: refused, told, or accepted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.fakes.time import FakeClock
from underway.errors import IntegrityError
from underway.kernel.telling import Voice
from underway.kernel.trust import Trust
from underway.kernel.world import World
from underway.model.event import Event, Note
from underway.model.history import Doubt, DoubtKind, Stance
from underway.model.names import AppName, HostName
from underway.model.release import LedgerState
from underway.model.snapshot import EngineFacts, HostState, Snapshot

APP, H1, H2 = AppName("libra"), HostName("h1"), HostName("h2")
UNSIGNED = Doubt(DoubtKind.UNSIGNED, 3)


@dataclass
class Memory:
    """Heads in memory."""

    kept: dict[str, str] = field(default_factory=dict)

    def recall(self, app: AppName) -> Mapping[str, str]:
        assert app == APP
        return dict(self.kept)

    def remember(self, app: AppName, engine: str, head: str) -> None:
        assert app == APP
        self.kept[engine] = head

    def forget(self, app: AppName, engine: str) -> None:
        assert app == APP
        self.kept.pop(engine, None)


@dataclass
class Run:
    """One run over hosts that hold `chains`; None is a host without a ledger."""

    memory: Memory
    chains: dict[HostName, tuple[str, ...] | None]
    stance: Stance = Stance.REFUSE
    doubts: tuple[Doubt, ...] = ()
    events: list[Event] = field(default_factory=list)
    accepted: list[tuple[str, str]] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None
    trust: Trust = field(init=False)

    def __post_init__(self) -> None:
        self.trust = Trust(self.memory, self.stance)

    def accept(self, actor: str, accepted_at: str) -> None:
        self.accepted.append((actor, accepted_at))
        self.chains = {
            name: (*chain, "seal") if chain is not None else None
            for name, chain in self.chains.items()
        }
        self.doubts = ()

    def look(self) -> Snapshot:
        hosts = tuple(self._host(name) for name in sorted(self.chains))
        self.meanwhile()
        return Snapshot(APP, hosts, 0.0)

    def _host(self, name: HostName) -> HostState:
        chain = self.chains[name]
        facts = EngineFacts("28", "1.48", id=f"engine-{name}")
        if chain is None:
            return HostState(name, facts)
        head = chain[-1] if chain else ""
        ledger = LedgerState(name, head=head, hashes=chain, doubts=self.doubts)
        return HostState(name, facts, ledger=ledger)

    def observe(self) -> Snapshot:
        ledgers: dict[HostName, Any] = dict.fromkeys(self.chains, self)
        world = World(APP, {}, {}, ledgers, {})
        world.engines = ledgers
        clock = FakeClock()
        voice = Voice("run", "kim", self.events.append, clock)
        return self.trust.judged(world, voice, self.look)

    @property
    def noted(self) -> list[str]:
        return [e.body.code for e in self.events if isinstance(e.body, Note)]


def refused(run: Run) -> IntegrityError:
    with pytest.raises(IntegrityError) as caught:
        run.observe()
    return caught.value


def test_a_history_that_goes_on_is_believed_and_remembered() -> None:
    memory = Memory()
    Run(memory, {H1: ("a", "b"), H2: ("x",)}).observe()
    assert memory.kept == {"engine-h1": "b", "engine-h2": "x"}
    run = Run(memory, {H1: ("a", "b", "c"), H2: ("x",)})
    run.observe()
    assert memory.kept == {"engine-h1": "c", "engine-h2": "x"}
    assert run.noted == []


@pytest.mark.parametrize("chain", [("a",), (), ("y", "z"), None])
def test_a_history_cut_off_rewritten_or_gone_is_refused(chain: tuple[str, ...] | None) -> None:
    memory = Memory({"engine-h1": "b"})
    error = refused(Run(memory, {H1: chain}))
    assert (error.code, error.exit_code) == ("history-unknown", 7)
    assert "h1" in error.message
    assert "--accept-history" in error.hint
    assert memory.kept == {"engine-h1": "b"}


def test_looking_tells_it_each_time_and_goes_on() -> None:
    memory = Memory({"engine-h1": "b"})
    for _ in range(2):
        run = Run(memory, {H1: ("y",), H2: ("x",)}, Stance.TELL)
        run.observe()
        run.observe()
        assert run.noted == ["history-unknown"]
    assert memory.kept == {"engine-h1": "b", "engine-h2": "x"}


def test_an_accepted_history_is_the_known_one_from_then_on() -> None:
    memory = Memory({"engine-h1": "b"})
    run = Run(memory, {H1: ("y",)}, Stance.ACCEPT)
    run.observe()
    assert run.noted == ["history-accepted"]
    assert run.accepted == [], "without a key there is nothing to sign"
    Run(memory, {H1: ("y", "z")}).observe()
    assert memory.kept == {"engine-h1": "z"}


def test_an_accepted_absence_is_forgotten() -> None:
    memory = Memory({"engine-h1": "b"})
    Run(memory, {H1: None}, Stance.ACCEPT).observe()
    assert memory.kept == {}
    Run(memory, {H1: None}).observe()


def test_doubted_records_are_refused_and_not_remembered() -> None:
    memory = Memory()
    error = refused(Run(memory, {H1: ("a", "b", "c")}, doubts=(UNSIGNED,)))
    assert (error.code, error.exit_code) == ("record-unsigned", 7)
    assert error.place == "h1:ledger/records/000003.json"
    assert memory.kept == {}


def test_accepting_signs_and_looks_again() -> None:
    memory = Memory()
    run = Run(memory, {H1: ("a",)}, Stance.ACCEPT, doubts=(UNSIGNED,))
    seen = run.observe().host(H1)
    assert len(run.accepted) == 1
    assert run.accepted[0][0] == "kim"
    assert isinstance(seen, HostState)
    assert seen.ledger
    assert seen.ledger.head == "seal"
    assert memory.kept == {"engine-h1": "seal"}


def test_what_another_client_of_this_machine_writes_meanwhile_is_no_doubt() -> None:
    memory = Memory({"engine-h1": "a"})
    run = Run(memory, {H1: ("a", "b")})
    run.meanwhile = lambda: memory.remember(APP, "engine-h1", "later")
    run.observe()
    assert memory.kept == {"engine-h1": "b"}, "an older head is in the chain too"


def test_a_host_that_leaves_in_the_run_is_forgotten_not_doubted() -> None:
    memory = Memory()
    run = Run(memory, {H1: ("a",), H2: ("x",)})
    run.observe()
    run.chains = {H1: ("a", "b"), H2: None}
    run.observe()
    assert memory.kept == {"engine-h1": "b"}
    Run(memory, {H1: ("a", "b"), H2: None}).observe()


def test_a_host_reached_later_is_judged_too() -> None:
    memory = Memory({"engine-h2": "b"})
    run = Run(memory, {H1: ("a",)})
    run.observe()
    run.chains = {H1: ("a",), H2: ("other",)}
    assert refused(run).code == "history-unknown"


def test_an_engine_without_an_id_is_not_remembered() -> None:
    memory = Memory()
    run = Run(memory, {H1: ("a",)})
    bare = run.look()
    host = bare.host(H1)
    assert isinstance(host, HostState)
    nameless = replace(bare, hosts=(replace(host, facts=replace(host.facts, id="")),))
    run.look = lambda: nameless  # type: ignore[method-assign]
    run.observe()
    assert memory.kept == {}


def test_every_kind_of_doubt_has_words_of_its_own() -> None:
    told = [
        refused(Run(Memory(), {H1: ("a",)}, doubts=(Doubt(kind, 3, "release 2"),)))
        for kind in DoubtKind
    ]
    assert {error.code for error in told} == {kind.value for kind in DoubtKind}
    for error in told:
        assert error.message
        assert error.cause
        assert error.hint
