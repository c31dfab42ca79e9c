"""A report tells all that is known of a run, and no sensitive value."""

import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.containers import Behaviour
from tests.fakes.engine import FakeEngine
from tests.fakes.time import FakeClock
from tests.property.fleets import APP, KEY, hosts, release, service
from underway.adapters.run_journal import RunJournal, kept_lines
from underway.api.reporting import evidence
from underway.api.session import Session
from underway.errors import RefusedError
from underway.kernel.telling import Voice
from underway.kernel.world import World
from underway.model.container import ContainerRequest
from underway.model.event import Event, Outcome, Output, RunFinished, RunStarted
from underway.model.names import ContainerName, HostName, ReleaseNumber, RunNumber, SensitiveName
from underway.model.release import LedgerState, RunRecord
from underway.model.sensitive import Sensitive, SensitiveValues, digests_of
from underway.model.snapshot import HostState, Role, Snapshot, Unreachable
from underway.model.spec import EnvVar
from underway.ports.output import LogLine
from underway.report.bundle import bundle_files
from underway.report.json_lines import encode_event
from underway.rollout.naming import own_labels
from underway.wiring.keeping import write_bundle

A, B = HostName("app1"), HostName("app2")
TOKEN, CONFIG = SensitiveName("env/web/TOKEN"), SensitiveName("file/web/app.conf")
VALUES: SensitiveValues = {
    TOKEN: Sensitive(b'canary-"token"\\1'),
    CONFIG: Sensitive(b"[main]\npassword=canary-line\n"),
}
OLD: SensitiveValues = {TOKEN: Sensitive(b"canary-of-old")}

WEB = service("web", hosts(1), environment=(EnvVar("TOKEN", sensitive=TOKEN),))
RELEASE = replace(release(1, (WEB,), hosts(1)), sensitive=digests_of(VALUES, KEY))
RUN = RunRecord(
    RunNumber(4), "deploy", RELEASE.number, "me", "2026-03-01T10:00:00Z", "2026-03-01T10:01:00Z"
)
BEGAN_S = 1_772_359_200.0


class Vault:
    """Holds the values of two releases; the one of release 3 cannot be read."""

    def read(self, number: ReleaseNumber) -> SensitiveValues | None:
        return {1: VALUES, 2: OLD}.get(number)


class Seen(Session):
    """Sees what its engine holds now, and a host that is gone."""

    def observe(self) -> Snapshot:
        engine: Any = self.world.engines[A]
        old = replace(RELEASE, number=ReleaseNumber(3))
        ledger = LedgerState(A, (RELEASE, old), (RUN,), current=RELEASE.number)
        here = HostState(A, engine.facts(), engine.containers(), ledger=ledger, vault=(1, 2, 3))
        return Snapshot(APP, (here, Unreachable(B, "cut off")), BEGAN_S)

    observe_closely = observe


def start(engine: FakeEngine, name: str, number: int) -> None:
    labels = (
        *own_labels(APP, Role.REPLICA),
        ("underway.service", "web"),
        ("underway.release", str(number)),
    )
    environment = (EnvVar("TOKEN", sensitive=TOKEN),)
    request = ContainerRequest(ContainerName(name), "web:1", labels, environment=environment)
    engine.create(request, VALUES)
    engine.start(name)


@pytest.fixture
def session() -> Session:
    engine = FakeEngine(A)
    engine.add_image("web:1")
    said = ('token is canary-"token"\\1 now', "password=canary-line", "was canary-of-old", "fine")
    engine.behave = lambda _: Behaviour(output=tuple(LogLine(text) for text in said))
    start(engine, "libra-web-1", 1)
    start(engine, "libra-web-3", 3)
    unused: Any = None
    vaults: Any = {A: Vault()}
    clock = FakeClock()
    world = World(APP, {A: engine}, {}, {}, vaults, {B: Unreachable(B, "cut off")})
    return Seen(RELEASE.spec, VALUES, world, unused, unused, clock, Voice("r", "me", unused, clock))


def keep(directory: Path) -> None:
    """Keep the events of the run, one of which shows a value."""
    journal = RunJournal(directory, lambda _: None, encode_event)
    journal(Event("r1", 1, BEGAN_S, "me", Output("build", "before it began")))
    journal(Event("r1", 2, BEGAN_S, "me", RunStarted("deploy", APP)))
    journal(Event("r1", 3, BEGAN_S + 1, "me", Output("before", 'with canary-"token"\\1')))
    finished = RunFinished(Outcome.DONE, 0, RELEASE.number, 2.0)
    journal(Event("r1", 4, BEGAN_S + 2, "me", finished))


def test_a_report_holds_what_is_known_and_no_sensitive_value(
    session: Session, tmp_path: Path
) -> None:
    keep(tmp_path / "runs")
    found = evidence(session, None, lambda run: kept_lines(tmp_path / "runs", APP, run, BEGAN_S))
    files = dict(bundle_files(found, {"python": "3", "platform": "linux"}))
    assert {"run.json", "events.jsonl", "release.json", "status.txt", "versions.json"} <= set(files)
    log = files["hosts/app1/libra-web-1.log"]
    assert [line.partition("stdout ")[2] for line in log.splitlines()] == [
        "token is *** now",
        "***",
        "was ***",
        "fine",
    ]
    inspection = json.loads(files["hosts/app1/libra-web-1.json"])
    assert inspection["Config"]["Env"] == ["TOKEN=***"]
    assert len(files["events.jsonl"].splitlines()) == 3
    assert "hosts/app1/libra-web-3.log" not in files, "values of its release cannot be hidden"
    assert "app2 does not answer: cut off" in files["README.txt"]
    assert "values of release 3 could not be read" in files["README.txt"]
    path = tmp_path / "report.tar.gz"
    write_bundle(path, "report", files.items())
    assert path.stat().st_mode & 0o777 == 0o600
    with tarfile.open(fileobj=io.BytesIO(path.read_bytes())) as archive:
        assert {member.name for member in archive} == {f"report/{name}" for name in files}
        for member in archive:
            content = archive.extractfile(member)
            assert content is not None
            assert b"canary" not in content.read(), member.name


def test_a_run_that_nobody_recorded_is_refused(session: Session) -> None:
    with pytest.raises(RefusedError) as caught:
        evidence(session, RunNumber(9))
    assert caught.value.code == "run-unknown"


def test_only_the_run_s_own_events_are_found(tmp_path: Path) -> None:
    keep(tmp_path)
    assert len(kept_lines(tmp_path, APP, RUN, BEGAN_S)) == 3
    assert (tmp_path / APP / "r1.jsonl").stat().st_mode & 0o777 == 0o600
    assert kept_lines(tmp_path, APP, replace(RUN, actor="somebody"), BEGAN_S) == []
    assert kept_lines(tmp_path, APP, replace(RUN, command="repair"), BEGAN_S) == []
    assert kept_lines(tmp_path, APP, RUN, BEGAN_S + 60) == []
    assert kept_lines(None, APP, RUN, BEGAN_S) == []


def test_the_oldest_runs_go(tmp_path: Path) -> None:
    for number in range(55):
        journal = RunJournal(tmp_path, lambda _: None, encode_event)
        journal(Event(f"r{number}", 1, BEGAN_S, "me", RunStarted("deploy", APP)))
    assert len(list((tmp_path / APP).iterdir())) == 50
