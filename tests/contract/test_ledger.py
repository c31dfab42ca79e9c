"""Ledger and vault must keep what they were given, whole, and show when somebody changed it."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.contract.conftest import Site, clear
from underway.adapters.connector import DockerConnector
from underway.adapters.engine import DockerEngine
from underway.adapters.ledger import AnchorLedger
from underway.adapters.signature import TeamKey
from underway.adapters.vault import AnchorVault
from underway.errors import IntegrityError
from underway.model.container import ContainerRequest
from underway.model.history import DoubtKind
from underway.model.image import ImageIdentity
from underway.model.names import (
    AppName,
    ContainerName,
    HostName,
    ReleaseNumber,
    RunNumber,
    SensitiveName,
    ServiceName,
)
from underway.model.release import Binding, LedgerState, Release, RunRecord, ServiceImage
from underway.model.sensitive import Sensitive, digests_of
from underway.model.spec import (
    AppSpec,
    EnvVar,
    HostSpec,
    Mount,
    MountKind,
    ProxySpec,
    ServiceSpec,
)
from underway.model.testing import Attestation

APP = AppName("libra")
ANCHOR = "underway-anchor-libra"
TOKEN = SensitiveName("env/web/TOKEN")
VALUES = {TOKEN: Sensitive(b"top\x00secret\xff"), SensitiveName("secret/key"): Sensitive(b"")}
KEY = bytes(range(32))


@pytest.fixture
def engine(site: Site, connector: DockerConnector) -> Iterator[DockerEngine]:
    opened = connector.connect(site.spec)
    clear(opened)
    request = ContainerRequest(
        name=ContainerName(ANCHOR),
        image=site.image,
        engine=json.dumps(
            {
                "HostConfig": {
                    "ReadonlyRootfs": True,
                    "Init": True,
                    "CapDrop": ["ALL"],
                    "CapAdd": ["DAC_OVERRIDE"],
                    "SecurityOpt": ["no-new-privileges"],
                }
            }
        ),
        command=("sleep", "3600"),
        mounts=(
            Mount(MountKind.VOLUME, "underway-ledger-libra", "/ledger"),
            Mount(MountKind.VOLUME, "underway-vault-libra", "/vault"),
        ),
        network_mode="none",
        stop_grace_s=1,
    )
    opened.create(request, {})
    opened.start(ANCHOR)
    yield opened
    clear(opened)


@pytest.fixture
def ledger(engine: DockerEngine) -> AnchorLedger:
    return AnchorLedger(engine, APP)


@pytest.fixture
def vault(engine: DockerEngine) -> AnchorVault:
    return AnchorVault(engine, APP)


def release(number: int, tag: str = "1.0") -> Release:
    service = ServiceSpec(
        ServiceName("web"),
        "registry/libra:1",
        (HostName("h1"),),
        environment=(EnvVar("A", "b"), EnvVar("TOKEN", sensitive=TOKEN)),
        proxy=ProxySpec(("libra.example.com",), 8000),
    )
    image = ImageIdentity("registry/libra:1", "sha256:" + "a" * 64)
    return Release(
        ReleaseNumber(number),
        AppSpec(APP, (service,), (HostSpec(HostName("h1"), ""),)),
        (ServiceImage(ServiceName("web"), image),),
        sensitive=digests_of(VALUES, KEY),
        tag=tag,
    )


def run_of(number: int, **changes: object) -> RunRecord:
    common = {"command": "deploy", "release": ReleaseNumber(1), "actor": "me", "started_at": "now"}
    return RunRecord(RunNumber(number), **{**common, **changes})  # type: ignore[arg-type]


def test_an_empty_ledger_holds_nothing(ledger: AnchorLedger) -> None:
    assert ledger.read() == LedgerState(HostName("h1"))


def test_what_was_recorded_is_read_back_equal(ledger: AnchorLedger) -> None:
    bindings = [Binding("pgdata", "libra_pgdata"), Binding("a", "libra_a")]
    ledger.record_run(run_of(34))
    ledger.record_release(release(1))
    ledger.record_release(release(2, "2.0"))
    ledger.set_current(ReleaseNumber(2), bindings)
    ledger.record_run(run_of(34, ended_at="later", outcome="done"))
    state = ledger.read()
    assert state
    assert state.releases == (release(1), release(2, "2.0"))
    assert state.runs == (run_of(34, ended_at="later", outcome="done"),)
    assert state.current == 2
    assert state.bindings == tuple(sorted(bindings))
    assert len(state.head) == 64


def test_an_attestation_is_kept_once(ledger: AnchorLedger) -> None:
    first = Attestation("d" * 64, "web", ServiceName("web"), "sha256:web", "then", "me")
    for attestation in (first, replace(first, passed_at="later"), replace(first, definition="e")):
        ledger.record_attestation(attestation)
    state = ledger.read()
    assert state
    assert state.attestations == (first, replace(first, definition="e"))


def test_recording_the_same_again_changes_nothing(ledger: AnchorLedger) -> None:
    def record() -> None:
        ledger.record_release(release(1))
        ledger.set_current(ReleaseNumber(1), [])
        ledger.record_run(run_of(1, ended_at="now"))

    record()
    before = ledger.read()
    record()
    assert ledger.read() == before


def test_another_content_under_a_known_number_is_refused(ledger: AnchorLedger) -> None:
    ledger.record_release(release(1))
    with pytest.raises(IntegrityError) as caught:
        ledger.record_release(release(1, "other"))
    assert caught.value.code == "record-conflict"
    ledger.record_run(run_of(1, ended_at="now"))
    with pytest.raises(IntegrityError):
        ledger.record_run(run_of(1, ended_at="then"))


@pytest.mark.parametrize(
    "tamper",
    [
        "sed -i s/libra.example.com/evil.example.com/ /ledger/records/000001.json",
        "rm /ledger/records/000002.json",
        "cp /ledger/records/000001.json /ledger/records/000002.json",
        "mv /ledger/records/000003.json /ledger/records/000004.json",
        ": > /ledger/records/000002.json",
        "printf 'not json' > /ledger/records/000003.json",
    ],
)
def test_a_record_that_was_touched_is_noticed(
    ledger: AnchorLedger, engine: DockerEngine, tamper: str
) -> None:
    for number in (1, 2, 3):
        ledger.record_release(release(number))
    assert engine.execute(ANCHOR, ["sh", "-c", tamper]).exit_code == 0
    with pytest.raises(IntegrityError) as caught:
        ledger.read()
    assert caught.value.code == "record-altered"


def test_two_writers_at_once_lose_no_record(engine: DockerEngine) -> None:
    def write(number: int) -> None:
        AnchorLedger(engine, APP).record_run(run_of(number))

    threads = [threading.Thread(target=write, args=(number,)) for number in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    state = AnchorLedger(engine, APP).read()
    assert state
    assert [run.number for run in state.runs] == [1, 2, 3]


def test_a_half_written_record_is_not_seen(ledger: AnchorLedger, engine: DockerEngine) -> None:
    ledger.record_release(release(1))
    before = ledger.read()
    script = "printf half > /ledger/records/.000002.77.part"
    engine.execute(ANCHOR, ["sh", "-c", script])
    assert ledger.read() == before
    ledger.record_release(release(2))
    state = ledger.read()
    assert state
    assert len(state.releases) == 2


def test_many_releases_are_read_in_one_call(ledger: AnchorLedger) -> None:
    for number in range(1, 21):
        ledger.record_release(release(number))
    state = ledger.read()
    assert state
    assert [known.number for known in state.releases] == list(range(1, 21))


def signing(engine: DockerEngine, key: bytes = KEY) -> AnchorLedger:
    return AnchorLedger(engine, APP, key=TeamKey(APP, Sensitive(key)))


def doubts(ledger: AnchorLedger) -> list[DoubtKind]:
    state = ledger.read()
    assert state
    return [doubt.kind for doubt in state.doubts]


def test_signed_records_come_back_and_every_head_is_told(engine: DockerEngine) -> None:
    told: list[str] = []
    key = TeamKey(APP, Sensitive(KEY))
    ledger = AnchorLedger(engine, APP, key=key, on_head=told.append)
    ledger.record_release(release(1))
    ledger.record_release(release(1))
    ledger.set_current(ReleaseNumber(1), [])
    state = ledger.read()
    assert state
    assert state.releases == (release(1),)
    assert state.hashes == tuple(told)
    assert state.head == told[-1]
    assert state.doubts == ()
    seen = engine.execute(ANCHOR, ["sh", "-c", "cat /ledger/records/*"]).stdout
    assert seen.count(b'"signature"') == 2
    assert KEY not in seen
    assert KEY.hex().encode() not in seen


@pytest.mark.parametrize("other", [None, bytes(32)])
def test_nothing_is_signed_on_top_of_a_record_that_the_key_did_not_sign(
    engine: DockerEngine, other: bytes | None
) -> None:
    ours = signing(engine)
    ours.record_release(release(1))
    foreign = AnchorLedger(engine, APP) if other is None else signing(engine, other)
    with pytest.raises(IntegrityError):
        foreign.record_release(release(2, "evil"))
    files = engine.execute(ANCHOR, ["ls", "/ledger/records"]).stdout.split()
    assert len(files) == 1, "an honest client without the key writes nothing"

    strip = 'sed \'s/,"signature":"[0-9a-f]*"//\' -i /ledger/records/000001.json'
    assert engine.execute(ANCHOR, ["sh", "-c", strip]).exit_code == 0
    assert doubts(ours) == [DoubtKind.UNSIGNED]
    with pytest.raises(IntegrityError) as caught:
        ours.record_run(run_of(1))
    assert (caught.value.code, caught.value.exit_code) == ("record-unsigned", 7)
    assert "h1" in caught.value.place
    assert caught.value.hint


def test_an_older_app_is_signed_once_its_history_is_accepted(
    ledger: AnchorLedger, engine: DockerEngine
) -> None:
    ledger.record_release(release(1))
    ours = signing(engine)
    assert doubts(ours) == [DoubtKind.UNSIGNED]
    with pytest.raises(IntegrityError):
        ledger.accept("me", "now")
    ours.accept("me", "now")
    ours.accept("me", "later")
    ours.record_release(release(2))
    assert doubts(ours) == []
    state = ours.read()
    assert state
    assert len(state.hashes) == 3
    assert doubts(ledger) == [DoubtKind.KEYLESS]
    with pytest.raises(IntegrityError) as caught:
        ledger.record_run(run_of(1))
    assert caught.value.code == "signing-key-missing"


def test_a_changed_key_takes_over_what_was_accepted(engine: DockerEngine) -> None:
    signing(engine).record_release(release(1))
    ours = signing(engine, b"n" * 32)
    assert doubts(ours) == [DoubtKind.MISSIGNED]
    ours.accept("me", "now")
    ours.record_release(release(2))
    assert doubts(ours) == []
    assert doubts(signing(engine)) == [DoubtKind.MISSIGNED], "the former key counts no more"


def test_without_an_anchor_there_is_no_record(site: Site, connector: DockerConnector) -> None:
    engine = connector.connect(site.spec)
    clear(engine)
    assert AnchorLedger(engine, APP).read() is None
    assert AnchorVault(engine, APP).key() is None
    assert AnchorVault(engine, APP).releases() == ()
    assert AnchorVault(engine, APP).read(ReleaseNumber(1)) is None


def test_values_come_back_as_they_were(vault: AnchorVault) -> None:
    assert vault.key() is None
    assert vault.releases() == ()
    vault.write(ReleaseNumber(12), VALUES, KEY)
    vault.write(ReleaseNumber(13), {}, KEY)
    assert vault.key() == KEY
    assert vault.releases() == (12, 13)
    assert vault.read(ReleaseNumber(12)) == VALUES
    assert vault.read(ReleaseNumber(13)) == {}
    assert vault.read(ReleaseNumber(14)) is None


def test_another_key_is_refused(vault: AnchorVault) -> None:
    vault.write(ReleaseNumber(1), VALUES, KEY)
    with pytest.raises(IntegrityError) as caught:
        vault.write(ReleaseNumber(2), VALUES, bytes(32))
    assert caught.value.code == "vault-key"
    assert vault.releases() == (1,)


def test_only_root_can_read_the_values(vault: AnchorVault, engine: DockerEngine) -> None:
    vault.write(ReleaseNumber(1), VALUES, KEY)
    paths = ["/vault", "/vault/releases", "/vault/key", "/vault/releases/000001.json"]
    seen = engine.execute(ANCHOR, ["stat", "-c", "%U %a", *paths])
    assert seen.stdout.decode().splitlines() == ["root 700", "root 700", "root 600", "root 600"]


def test_a_damaged_vault_says_so_without_saying_a_value(
    vault: AnchorVault, engine: DockerEngine
) -> None:
    vault.write(ReleaseNumber(1), VALUES, KEY)
    script = 'sed -i \'s/":"/":"!/\' /vault/releases/000001.json'
    engine.execute(ANCHOR, ["sh", "-c", script])
    with pytest.raises(IntegrityError) as caught:
        vault.read(ReleaseNumber(1))
    assert caught.value.code == "vault-altered"
    assert caught.value.__cause__ is None
