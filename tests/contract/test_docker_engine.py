"""What only a real engine can show: bytes, files, logs, registries, and connections that break."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from lab.faults import Faults
from tests.contract.conftest import Site, clear
from tests.contract.patience import eventually
from underway.adapters.connector import DockerConnector
from underway.adapters.engine import DockerEngine
from underway.errors import EngineError, UnreachableError
from underway.model.container import ContainerRequest
from underway.model.names import AppName, ContainerName, SensitiveName
from underway.model.sensitive import Sensitive
from underway.model.spec import EnvVar, FileSpec, Mount, MountKind
from underway.ports.output import LogLine

KEY = SensitiveName("secret/libra_key")
VALUES = {KEY: Sensitive(b"\x00\xffkey\n")}


@pytest.fixture
def engine(site: Site, connector: DockerConnector) -> Iterator[DockerEngine]:
    opened = connector.connect(site.spec)
    clear(opened)
    yield opened
    clear(opened)


@pytest.fixture
def running(site: Site, engine: DockerEngine) -> str:
    return run(engine, site, "sleep", "600")


def request_of(site: Site, *command: str) -> ContainerRequest:
    return ContainerRequest(
        name=ContainerName("libra-web-7f3a2c-1"),
        image=site.image,
        command=command,
        network_mode="none",
        stop_grace_s=1,
    )


def run(host: DockerEngine, site: Site, *command: str, **changes: object) -> str:
    request = replace(request_of(site, *command), **changes)  # type: ignore[arg-type]
    host.create(request, VALUES)
    host.start(request.name)
    return request.name


def test_bytes_arrive_intact_through_a_command(engine: DockerEngine, running: str) -> None:
    nulls = bytes(512)
    assert engine.execute(running, ["cat"], stdin=nulls).stdout == nulls
    big = bytes(range(256)) * 20_480
    assert engine.execute(running, ["cat"], stdin=big, timeout_s=60).stdout == big


def test_output_streams_and_exit_status_are_kept_apart(engine: DockerEngine, running: str) -> None:
    script = "printf out; printf err >&2; exit 3"
    result = engine.execute(running, ["sh", "-c", script])
    assert (result.exit_code, result.stdout, result.stderr) == (3, b"out", b"err")


def test_a_command_that_ignores_its_input_does_not_hang(engine: DockerEngine, running: str) -> None:
    result = engine.execute(running, ["true"], stdin=bytes(5_000_000), timeout_s=20)
    assert result.exit_code == 0


def test_a_hundred_short_commands_lose_no_byte(engine: DockerEngine, running: str) -> None:
    for number in range(100):
        result = engine.execute(running, ["echo", str(number)])
        assert result.stdout == f"{number}\n".encode()


def test_a_command_that_takes_too_long_is_given_up(engine: DockerEngine, running: str) -> None:
    started = time.monotonic()
    with pytest.raises(EngineError) as caught:
        engine.execute(running, ["sleep", "30"], timeout_s=1)
    assert caught.value.code == "command-timeout"
    assert time.monotonic() - started < 5


def test_files_stand_there_before_the_first_start(engine: DockerEngine, site: Site) -> None:
    file = FileSpec(KEY, "/etc/libra/deep/key", uid=1234, gid=4321, mode=0o440)
    name = run(engine, site, "sleep", "600", files=(file,))
    stat = engine.execute(name, ["stat", "-c", "%u %g %a", file.target])
    assert stat.stdout == b"1234 4321 440\n"
    assert engine.execute(name, ["cat", file.target]).stdout == VALUES[KEY].reveal()
    parent = engine.execute(name, ["stat", "-c", "%a", "/etc", "/etc/libra"])
    assert parent.stdout == b"755\n755\n"


def test_files_that_cannot_be_written_leave_no_container(engine: DockerEngine, site: Site) -> None:
    request = replace(
        request_of(site, "sleep", "600"),
        engine=json.dumps({"HostConfig": {"ReadonlyRootfs": True}}),
        files=(FileSpec(KEY, "/etc/key"),),
    )
    with pytest.raises(EngineError):
        engine.create(request, VALUES)
    assert engine.containers() == ()


def test_a_volume_is_filled_without_starting_anything(engine: DockerEngine, site: Site) -> None:
    files = (FileSpec(KEY, "/run/secrets/libra_key", uid=7, gid=8, mode=0o400),)
    engine.write_files("libra_files", site.image, files, VALUES, {"underway.app": "libra"})
    engine.write_files("libra_files", site.image, files, VALUES, {"underway.app": "libra"})
    assert engine.containers() == ()
    name = run(
        engine,
        site,
        "sleep",
        "600",
        engine=json.dumps({"HostConfig": {"ReadonlyRootfs": True}}),
        mounts=(Mount(MountKind.VOLUME, "libra_files", "/run/secrets", read_only=True),),
    )
    seen = engine.execute(name, ["stat", "-c", "%u %g %a %n", "/run/secrets/libra_key"])
    assert seen.stdout == b"7 8 400 /run/secrets/libra_key\n"
    assert engine.execute(name, ["cat", "/run/secrets/libra_key"]).stdout == VALUES[KEY].reveal()


def test_environment_values_arrive(engine: DockerEngine, site: Site) -> None:
    text = SensitiveName("env/web/TOKEN")
    request = replace(
        request_of(site, "sleep", "600"),
        environment=(EnvVar("PUBLIC", "a=b c"), EnvVar("TOKEN", sensitive=text)),
    )
    engine.create(request, {text: Sensitive("gehëim".encode())})
    engine.start(request.name)
    seen = engine.execute(request.name, ["sh", "-c", 'echo "$PUBLIC $TOKEN"'])
    assert seen.stdout.decode() == "a=b c gehëim\n"


@pytest.mark.parametrize("tty", [False, True])
def test_logs_come_line_by_line(engine: DockerEngine, site: Site, *, tty: bool) -> None:
    script = "echo one; echo two >&2; printf three"
    fragment = json.dumps({"Config": {"Tty": tty}})
    name = run(engine, site, "sh", "-c", script, engine=fragment)
    eventually(lambda: _status(engine, name) == "exited")
    lines = list(engine.logs(name))
    assert sorted(line.text for line in lines) == ["one", "three", "two"]
    assert all(line.time.startswith("20") for line in lines)
    assert [line.text for line in lines if line.is_stderr] == ([] if tty else ["two"])
    assert [line.text for line in engine.logs(name, tail=1)] == [lines[-1].text]


@pytest.mark.parametrize("driver", ["json-file", "local"])
def test_logs_keep_bytes_and_long_lines_whole(
    engine: DockerEngine, site: Site, driver: str
) -> None:
    """Engines keep a long line in pieces, each with a time of its own.

    The driver `json-file` keeps text only; `local` keeps what was written.
    """
    script = r"""printf '\377x\r\n'; printf "%050000d\n" 7; echo end"""
    fragment = json.dumps({"HostConfig": {"LogConfig": {"Type": driver}}})
    name = run(engine, site, "sh", "-c", script, engine=fragment)
    eventually(lambda: _status(engine, name) == "exited")
    first, second, last = engine.logs(name)
    byte = b"\xff" if driver == "local" else "\ufffd".encode()
    assert (first.data, first.text) == (byte + b"x\r", "\ufffdx")
    assert (second.data, second.raw) == (b"0" * 49999 + b"7", b"")
    assert last.text == "end"
    until = datetime.fromisoformat(last.time).timestamp() - 3600
    assert list(engine.logs(name, until_s=until)) == []


def test_what_happened_to_containers_of_an_app_is_told(engine: DockerEngine, site: Site) -> None:
    since_s = time.time() - 1
    labels = (("underway.app", "libra"), ("underway.service", "web"))
    name = run(engine, site, "sh", "-c", "exit 3", labels=labels)
    eventually(lambda: _status(engine, name) == "exited")
    engine.remove(name)
    app = AppName("libra")
    told = list(engine.container_events(app, since_s=since_s, until_s=time.time() + 1))
    mine = [(e.action, e.detail) for e in told if e.container == name and e.time_s >= since_s]
    assert mine == [("create", ""), ("start", ""), ("die", "3"), ("destroy", "")]
    assert {event.service for event in told if event.container == name} == {"web"}
    other = engine.container_events(AppName("other"), since_s=since_s, until_s=time.time())
    assert list(other) == []
    live = engine.container_events(app, since_s=since_s)
    assert next(live).action == "create"
    live.close()  # type: ignore[attr-defined]


def test_logs_are_followed_until_closed(engine: DockerEngine, site: Site) -> None:
    name = run(engine, site, "sh", "-c", "while echo tick; do sleep 0.2; done")
    lines = engine.logs(name, follow=True)
    seen: list[LogLine] = [next(lines) for _ in range(3)]
    assert [line.text for line in seen] == ["tick"] * 3
    lines.close()  # type: ignore[attr-defined]


def test_an_image_travels_as_a_stream(engine: DockerEngine, site: Site) -> None:
    image = engine.image(site.image)
    assert image
    engine.tag(image.id, "libra/web:1")
    archive = list(engine.save("libra/web:1"))
    engine.remove_image("libra/web:1")
    told: list[float] = []
    engine.load(iter(archive), lambda done, _total, _text: told.append(done))
    loaded = engine.image("libra/web:1")
    assert loaded
    assert loaded.id == image.id
    assert told[-1] == sum(map(len, archive))
    engine.remove_image("libra/web:1")


def test_a_broken_archive_is_refused(engine: DockerEngine) -> None:
    with pytest.raises(EngineError):
        engine.load(iter([b"this is no archive" * 1000]))


def test_what_is_pushed_is_resolved_and_pulled_by_digest(engine: DockerEngine, site: Site) -> None:
    repository = f"{site.laboratory.registry}/libra/web"
    engine.tag(site.image, f"{repository}:1")
    told: list[str] = []
    digest = engine.push(f"{repository}:1", lambda _done, _total, text: told.append(text))
    assert digest.startswith("sha256:")
    assert told
    assert engine.resolve(f"{repository}:1") == digest
    engine.remove_image(f"{repository}:1")
    engine.pull(f"{repository}@{digest}")
    pulled = engine.image(f"{repository}@{digest}")
    assert pulled
    assert f"{repository}@{digest}" in pulled.repo_digests


def test_a_tag_that_is_not_in_the_registry_is_told(engine: DockerEngine, site: Site) -> None:
    reference = f"{site.laboratory.registry}/libra/nothing:1"
    for call in (engine.pull, engine.resolve):
        with pytest.raises(EngineError) as caught:
            call(reference)
        assert caught.value.code == "image-missing"


def test_a_registry_that_is_gone_is_told_apart(engine: DockerEngine, site: Site) -> None:
    faults = Faults(site.laboratory)
    faults.stop_registry()
    try:
        for call in (engine.pull, engine.resolve, engine.push):
            engine.tag(site.image, f"{site.laboratory.registry}/libra/web:2")
            with pytest.raises(UnreachableError) as caught:
                call(f"{site.laboratory.registry}/libra/web:2")
            assert caught.value.code == "registry-unreachable"
    finally:
        faults.heal()


def test_a_restarted_engine_is_found_again(engine: DockerEngine, site: Site) -> None:
    assert engine.containers() == ()
    Faults(site.laboratory).restart_engine("h1")
    assert engine.containers() == ()


def test_an_engine_that_is_down_is_unreachable(site: Site) -> None:
    faults = Faults(site.laboratory)
    with DockerConnector() as connector:
        engine = connector.connect(site.spec)
        faults.stop_engine("h1")
        try:
            with pytest.raises(UnreachableError):
                engine.containers()
            with pytest.raises(UnreachableError), DockerConnector() as other:
                other.connect(site.spec)
        finally:
            faults.heal()
        eventually(lambda: engine.facts().version, within_s=30)


def test_a_full_disk_is_told_by_name(engine: DockerEngine, site: Site) -> None:
    faults = Faults(site.laboratory)
    faults.fill_disk("h1")
    try:
        with pytest.raises(EngineError) as caught:
            engine.load(iter([bytes(1 << 20)] * 64))
        assert caught.value.code == "no-space"
    finally:
        faults.heal()


def test_no_engine_at_a_socket_is_told(site: Site, tmp_path: Path) -> None:
    spec = replace(site.spec, url=f"unix://{tmp_path}/none.sock")
    with pytest.raises(UnreachableError) as caught, DockerConnector() as connector:
        connector.connect(spec)
    assert caught.value.code == "engine-missing"


def _status(engine: DockerEngine, name: str) -> str:
    state = engine.container(name)
    return state.status.value if state else "gone"
