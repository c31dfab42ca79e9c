"""Talking with a command in a container: bytes arrive intact both ways, and so does its end."""

import threading
from collections.abc import Iterator

import pytest

from tests.contract.conftest import Site, clear
from tests.contract.patience import eventually
from underway.adapters.beat import LEASH, HostLock
from underway.adapters.connector import DockerConnector
from underway.adapters.engine import DockerEngine
from underway.adapters.engine.conversation import attach_command, begin_command
from underway.model.container import ContainerRequest
from underway.model.names import ContainerName
from underway.model.spec import EnvVar
from underway.ports.conversation import CommandWish, Conversation, Size

NAME = ContainerName("libra-web-1")
BYTES = b"\0" * 512 + bytes(range(256)) * 400


@pytest.fixture
def engine(site: Site, connector: DockerConnector) -> Iterator[DockerEngine]:
    opened = connector.connect(site.spec)
    clear(opened)
    yield opened
    clear(opened)


def request(site: Site, *command: str, engine: str = "{}") -> ContainerRequest:
    return ContainerRequest(
        NAME, site.image, engine=engine, command=command, network_mode="none", stop_grace_s=1
    )


def heard(conversation: Conversation, said: bytes | None = None) -> tuple[bytes, bytes, int]:
    """All that it writes on both streams, and its exit status; `said` is its whole input."""

    def feed(data: bytes) -> None:
        conversation.send(data)
        conversation.end_input()

    if said is not None:
        threading.Thread(target=feed, args=(said,), daemon=True).start()
    out, err = b"", b""
    while piece := conversation.receive():
        out, err = (out, err + piece.data) if piece.is_stderr else (out + piece.data, err)
    try:
        return out, err, conversation.exit_code()
    finally:
        conversation.close()


def test_bytes_pass_both_ways_through_a_command(engine: DockerEngine, site: Site) -> None:
    engine.create(request(site, "sleep", "600"), {})
    engine.start(NAME)
    wish = CommandWish(
        ("sh", "-c", 'cat; printf "%s %s" "$A" "$PWD" >&2; exit 9'),
        (EnvVar("A", "b=c"),),
        directory="/srv",
    )
    conversation = begin_command(engine.connection, NAME, wish)
    assert heard(conversation, BYTES) == (BYTES, b"b=c /srv", 9)
    terminal = begin_command(
        engine.connection, NAME, CommandWish(("sh", "-c", "read x; stty size"), has_tty=True)
    )
    terminal.resize(Size(33, 99))
    terminal.send(b"\n")
    out, _, code = heard(terminal)
    assert (out.split(), code) == ([b"33", b"99"], 0)


def test_attached_before_its_start_a_container_is_heard_from_its_first_byte_to_its_status(
    engine: DockerEngine, site: Site
) -> None:
    stdin = '{"Config": {"OpenStdin": true, "StdinOnce": true}, "HostConfig": {"AutoRemove": true}}'
    engine.create(request(site, "sh", "-c", "cat; exit 3", engine=stdin), {})
    conversation = attach_command(engine.connection, NAME, has_tty=False)
    engine.start(NAME)
    assert heard(conversation, BYTES) == (BYTES, b"", 3)


def test_what_runs_on_a_leash_is_told_to_end_with_it(engine: DockerEngine, site: Site) -> None:
    leash = HostLock(engine, ContainerName("leash"), site.image, {}, LEASH)
    try:
        leash.confirm()
        engine.create(
            request(
                site,
                *("bash", "-c", "trap 'echo told; exit 0' TERM; while :; do sleep 0.1; done"),
                engine='{"HostConfig": {"PidMode": "container:leash"}}',
            ),
            {},
        )
        engine.start(NAME)
        stream = leash._stream
        assert stream
        stream.close()

        def has_ended() -> bool:
            seen = engine.container(NAME)
            return seen is not None and seen.has_ended

        eventually(has_ended)
        assert "told" in [line.text for line in engine.logs(NAME)]
    finally:
        leash.release()
