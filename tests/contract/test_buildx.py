"""The builder port on real engines: buildx, and the engine's own builder where it is missing."""

import io
import os
import subprocess
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.laboratory import Laboratory, down
from tests.contract.image_site import SECRET, TOKEN, Site, build_of, write_context
from underway.adapters.buildx import find_buildx
from underway.adapters.engine_builder import EngineBuilder, choose_builder
from underway.errors import ConfigurationError, RefusedError
from underway.ports import Builder

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(os.geteuid() != 0, reason="the laboratory needs root"),
]


@pytest.fixture(scope="module", params=["26", "20"])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    name = f"build{request.param}-{os.getpid()}"
    try:
        yield Site(Laboratory.up(name, hosts=1, engine=request.param))
    finally:
        down(name)


@pytest.fixture(params=["buildx", "classic"])
def builder(request: pytest.FixtureRequest, site: Site) -> Builder:
    return site.buildx() if request.param == "buildx" else site.classic()


def _files(site: Site, image: str) -> dict[str, bytes]:
    """The files of an image's last layer."""
    from underway.image.archive import read_head  # noqa: PLC0415 - read once here

    head = read_head(site.engine.save(image))
    archive = io.BytesIO(b"".join(site.engine.save(image)))
    with tarfile.open(fileobj=archive) as tar:
        layer = tar.extractfile(head.layers[-1])
        assert layer is not None
        with tarfile.open(fileobj=io.BytesIO(layer.read())) as inner:
            return {
                member.name: content.read()
                for member in inner
                if (content := inner.extractfile(member)) is not None
            }


def test_build_gives_the_id_labels_arguments_and_tags(
    site: Site, builder: Builder, tmp_path: Path
) -> None:
    context = write_context(
        tmp_path,
        "ARG BASE\nFROM ${BASE} AS app\nARG COLOUR\nRUN echo $COLOUR > /colour\nFROM app AS no\n",
    )
    lines: list[str] = []
    build = build_of(
        context,
        args={"BASE": site.base, "COLOUR": "red"},
        labels={"team": "harbour"},
        target="app",
    )
    image_id = builder.build(build, ("uw/test:one", "uw/test:two"), lines.append)
    state = site.engine.image(image_id)
    assert state is not None
    assert state.id == image_id
    assert set(state.repo_tags) >= {"uw/test:one", "uw/test:two"}
    assert dict(state.labels)["team"] == "harbour"
    assert _files(site, image_id)["colour"] == b"red\n"
    assert any("colour" in line for line in lines)
    assert builder.build(build, (), lines.append) == image_id


def test_dockerignore_keeps_files_out(site: Site, builder: Builder, tmp_path: Path) -> None:
    context = write_context(tmp_path, f"FROM {site.base}\nCOPY . /src/\n", kept="1", left="2")
    (context / ".dockerignore").write_text("left\n")
    files = _files(site, builder.build(build_of(context), (), lambda _: None))
    assert "src/kept" in files
    assert "src/left" not in files


def test_inline_dockerfile_builds(site: Site, builder: Builder, tmp_path: Path) -> None:
    context = write_context(tmp_path, "FROM nothing-of-this-name\n", note="hello")
    inline = f"FROM {site.base}\nCOPY note /note\n"
    build = build_of(context, dockerfile_inline=inline, dockerfile=None)
    assert _files(site, builder.build(build, (), lambda _: None))["note"] == b"hello"


def test_failed_build_shows_its_last_lines_and_code_4(
    site: Site, builder: Builder, tmp_path: Path
) -> None:
    script = "for i in $(seq 60); do echo line-$i; done; exit 7"
    context = write_context(tmp_path, f"FROM {site.base}\nRUN {script}\n")
    with pytest.raises(RefusedError) as caught:
        builder.build(build_of(context), (), lambda _: None)
    assert caught.value.code == "build-failed"
    assert caught.value.exit_code == 4
    assert any("line-60" in line for line in caught.value.detail)
    assert len(caught.value.detail) <= 30
    assert "7" in caught.value.cause


def test_missing_context_is_a_matter_of_the_file(builder: Builder, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        builder.build(build_of(tmp_path / "no"), (), lambda _: None)
    assert caught.value.code == "build-context"


def test_sensitive_values_reach_the_build_and_nothing_else(site: Site, tmp_path: Path) -> None:
    context = write_context(
        tmp_path / "context",
        f"FROM {site.base}\nARG TOKEN\n"
        "RUN --mount=type=secret,id=pw echo token=$TOKEN pass=$(cat /run/secrets/pw)"
        " && cat /run/secrets/pw | sha256sum > /sum && sleep 2\n",
    )
    build = build_of(
        context,
        args={"TOKEN": {"sensitive": "build/web/TOKEN"}},
        secrets=[{"source": "pass", "target": "pw"}],
        no_cache=True,
    )
    seen: list[str] = []
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.append(path.read_text(errors="replace"))
                except OSError:
                    continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    lines: list[str] = []
    try:
        image_id = site.buildx().build(build, (), lines.append)
    finally:
        done.set()
        watcher.join()
    assert any("--build-arg=TOKEN" in line for line in seen)
    assert not any(TOKEN in line or SECRET in line for line in seen if "buildx" in line)
    output = "\n".join(lines)
    assert "token=*** pass=***" in output
    assert TOKEN not in output
    assert SECRET not in output
    sha = subprocess.run(["sha256sum"], input=SECRET.encode(), capture_output=True, check=True)
    assert _files(site, image_id)["sum"].split()[0] == sha.stdout.split()[0]


def test_cancelling_ends_the_program(site: Site, tmp_path: Path) -> None:
    context = write_context(tmp_path, f"FROM {site.base}\nRUN echo waiting && sleep 317\n")

    def cancel(line: str) -> None:
        if "waiting" in line:
            raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        site.buildx().build(build_of(context, no_cache=True), (), cancel)
    assert time.monotonic() - began < 60


def test_engine_builder_refuses_what_it_cannot_by_name(site: Site, tmp_path: Path) -> None:
    context = write_context(tmp_path, f"FROM {site.base}\nRUN --mount=type=cache,target=/c true\n")
    cases = {
        "build.secrets": build_of(context, secrets=[{"source": "pass"}]),
        "build.ssh": build_of(context, ssh=["default"]),
        "RUN --mount": build_of(context),
    }
    for name, build in cases.items():
        with pytest.raises(RefusedError, match="buildx") as caught:
            site.classic().build(build, (), lambda _: None)
        assert name in caught.value.message
        assert "docker-buildx" in caught.value.hint


def test_without_buildx_the_engine_builds_and_says_so(site: Site, tmp_path: Path) -> None:
    environment = {**site.environment, "PATH": str(tmp_path)}
    assert find_buildx(environment) is None
    builder = choose_builder(site.connection, environment=environment, values={})
    assert isinstance(builder, EngineBuilder)
    lines: list[str] = []
    context = write_context(tmp_path / "c", f"FROM {site.base}\nCOPY Dockerfile /\n")
    assert builder.build(build_of(context), (), lines.append).startswith("sha256:")
    assert lines[0].startswith("buildx-missing")
