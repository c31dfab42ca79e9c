"""`init` on real files, with the real Compose: the text stays, and the result is understood."""

import json
import shutil
import stat
from pathlib import Path

import pytest

from underway.cli.program import run_program

ROOT = Path(__file__).parents[3]
Capture = pytest.CaptureFixture[str]
SHOP = """\
# our shop
services:
  web:  # what users see
    build: .
    ports: ["${PORT:-8080}:8000"]
    environment: {PASSWORD: "${PASSWORD:?from the vault}"}

  db:
    image: postgres:17
    volumes:
      - data:/var/lib/postgresql/data
volumes:
  data:
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "shop"
    directory.mkdir()
    (directory / "compose.yaml").write_text(SHOP)
    (directory / "compose.yaml").chmod(0o640)
    monkeypatch.chdir(directory)
    monkeypatch.delenv("PASSWORD", raising=False)
    return directory


def test_a_project_is_completed_and_understood(
    shop: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
):
    assert run_program(["init", "--proxy", "shop.example.com", "--health", "/up"]) == 0
    assert "users reach web at http://shop.example.com:8080/" in capsys.readouterr().out
    text = (shop / "compose.yaml").read_text()
    kept = [line for line in SHOP.splitlines() if line not in text.splitlines()]
    assert kept == []
    assert text.index("    x-underway:") < text.index("  db:")
    assert stat.S_IMODE((shop / "compose.yaml").stat().st_mode) == 0o640
    assert sorted(path.name for path in shop.iterdir()) == [
        "compose.yaml",
        "x-underway.schema.json",
    ]
    assert text.splitlines()[1] == "# yaml-language-server: $schema=x-underway.schema.json"
    monkeypatch.setenv("PASSWORD", "some")
    assert run_program(["config", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["app"] == "shop"
    assert run_program(["init"]) == 4
    assert "init-done" in capsys.readouterr().err


def test_a_fleet_keeps_services_with_data_on_one_host(
    shop: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
):
    hosts = ["--host", "ssh://me@a.test=10.0.0.1", "--host", "ssh://me@b.test=10.0.0.2"]
    assert run_program(["init", "--no-schema", *hosts]) == 0
    monkeypatch.setenv("PASSWORD", "some")
    capsys.readouterr()
    assert run_program(["config", "--plain"]) == 0
    told = capsys.readouterr().out
    assert "1 on a.test" in told
    assert "edge: a.test, port 8080" in told
    assert not (shop / "x-underway.schema.json").exists()


def test_print_writes_nothing(shop: Path, capsys: Capture):
    assert run_program(["init", "--print"]) == 0
    assert "proxy: {host: shop.localhost, port: 8000}" in capsys.readouterr().out
    assert (shop / "compose.yaml").read_text() == SHOP
    assert [path.name for path in shop.iterdir()] == ["compose.yaml"]


def test_of_several_services_one_must_be_named(shop: Path, capsys: Capture):
    text = SHOP.replace(
        "volumes:\n  data:", "  admin: {image: a, ports: [9000]}\nvolumes:\n  data:"
    )
    (shop / "compose.yaml").write_text(text)
    assert run_program(["init"]) == 2
    told = capsys.readouterr().err
    assert "admin, web" in told
    assert "underway init --service admin" in told
    assert run_program(["init", "--print", "--service", "web"]) == 0
    assert "edge: {http_port: 8080}" in capsys.readouterr().out
    assert run_program(["init", "--print", "--service", "wep"]) == 2


def test_a_file_that_cannot_be_completed_is_left_alone(shop: Path, capsys: Capture):
    (shop / "compose.yaml").write_text("services: {web: {image: a, ports: ['80:80']}}\n")
    assert run_program(["init"]) == 3
    assert "init-cannot-write" in capsys.readouterr().err
    assert [path.name for path in shop.iterdir()] == ["compose.yaml"]


def test_a_project_without_published_ports_gets_no_proxy(shop: Path, capsys: Capture):
    shutil.copy(ROOT / "lab" / "beacon" / "Dockerfile", shop)
    (shop / "compose.yaml").write_text("services:\n  worker:\n    build: .\n")
    assert run_program(["init", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["kind"], document["app"], document["service"]) == ("init", "shop", "")
    assert "proxy: HOST_NAME" in document["text"]
    assert run_program(["config"]) == 0


def test_the_schema_that_is_printed_is_the_one_that_is_packaged(capsys: Capture):
    assert run_program(["config", "--schema"]) == 0
    printed = capsys.readouterr().out
    packaged = ROOT / "src" / "underway" / "compose" / "x-underway.schema.json"
    assert json.loads(printed) == json.loads(packaged.read_text())
    assert "x-underway" in json.loads(printed)["properties"]
