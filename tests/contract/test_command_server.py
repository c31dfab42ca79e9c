"""Commands over one attached exec behave as commands with an exec of their own."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.contract.conftest import Site, clear
from underway.adapters.connector import DockerConnector
from underway.adapters.engine import CommandServer, DockerEngine
from underway.errors import EngineError
from underway.model.container import ContainerRequest
from underway.model.names import ContainerName, SensitiveName
from underway.model.sensitive import Sensitive
from underway.model.spec import FileSpec

NAME = ContainerName("underway-edge")
SCRIPT = SensitiveName("file/serve-commands")
SOURCE = Path(__file__).parents[2] / "tools-image" / "scripts" / "serve-commands"


@pytest.fixture
def engine(site: Site, connector: DockerConnector) -> Iterator[DockerEngine]:
    opened = connector.connect(site.spec)
    clear(opened)
    yield opened
    clear(opened)


def start(engine: DockerEngine, site: Site, *, has_server: bool = True) -> CommandServer:
    files = (FileSpec(SCRIPT, "/usr/local/bin/serve-commands", mode=0o755),) if has_server else ()
    request = ContainerRequest(
        NAME,
        site.image,
        command=("sleep", "600"),
        files=files,
        network_mode="none",
        stop_grace_s=1,
    )
    engine.create(request, {SCRIPT: Sensitive(SOURCE.read_bytes())})
    engine.start(NAME)
    return CommandServer(engine, NAME)


def served(engine: DockerEngine) -> int:
    """How many processes of the container serve commands."""
    found = engine.execute(NAME, ["sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"])
    return found.stdout.count(b"/usr/local/bin/serve-commands")


def test_bytes_arguments_and_statuses_arrive_intact(site: Site, engine: DockerEngine):
    server = start(engine, site)
    data = bytes(range(256)) * 4096 + b"\0" * 512
    assert server.execute(NAME, ["cat"], stdin=data).stdout == data
    odd = ["two\nlines", "", "quote'\"$", "ümlaut", "\0".replace("\0", " ")]
    result = server.execute(NAME, ["sh", "-c", 'printf "%s|" "$@"; exit 7', "sh", *odd])
    assert result.stdout.decode() == "".join(f"{text}|" for text in odd)
    assert result.exit_code == 7
    assert server.execute(NAME, ["sh", "-c", "echo out; echo err >&2"]).stderr == b"err\n"
    assert served(engine) == 1


def test_a_command_that_leaves_its_input_does_not_disturb_the_next(
    site: Site, engine: DockerEngine
):
    server = start(engine, site)
    assert server.execute(NAME, ["true"], stdin=b"x 1 0\n" * 50_000).exit_code == 0
    assert server.execute(NAME, ["echo", "next"]).stdout == b"next\n"


def test_threads_take_turns(site: Site, engine: DockerEngine):
    server = start(engine, site)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: server.execute(NAME, ["echo", str(n)]), range(40)))
    assert [int(answer.stdout) for answer in answers] == list(range(40))


def test_a_command_that_takes_too_long_is_told_and_the_next_one_runs(
    site: Site, engine: DockerEngine
):
    server = start(engine, site)
    with pytest.raises(EngineError) as caught:
        server.execute(NAME, ["sleep", "30"], timeout_s=1)
    assert caught.value.code == "command-timeout"
    assert server.execute(NAME, ["echo", "next"]).stdout == b"next\n"


def test_a_container_that_came_back_is_served_again(site: Site, engine: DockerEngine):
    server = start(engine, site)
    assert server.execute(NAME, ["echo", "one"]).stdout == b"one\n"
    engine.stop(NAME, 0)
    engine.start(NAME)
    assert server.execute(NAME, ["echo", "two"]).stdout == b"two\n"
    assert server.execute(NAME, ["echo", "three"]).stdout == b"three\n"


def test_an_image_without_the_server_runs_each_command_by_itself(site: Site, engine: DockerEngine):
    server = start(engine, site, has_server=False)
    assert server.execute(NAME, ["echo", "one"]).stdout == b"one\n"
    assert server.execute(NAME, ["echo", "two"]).stdout == b"two\n"


def test_a_missing_container_is_told_as_ever(engine: DockerEngine):
    with pytest.raises(EngineError) as caught:
        CommandServer(engine, "underway-edge").execute("underway-edge", ["true"])
    assert caught.value.status == 404
