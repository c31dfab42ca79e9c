"""The kit names what is needed and shows no secret; the drill's table tells what failed."""

import json
from dataclasses import replace

from tests.fakes.session import simulated
from tests.unit.api.voyages import serving_first, web_pair
from tests.unit.backup.sample import DECLARED
from underway.api.drilling import kit
from underway.api.session import BackupDesk
from underway.model.drill import Drill, Kit
from underway.model.kept_project import KeptFile, KeptProject
from underway.model.names import AppName, HostName
from underway.report.drill_text import drill_document, drill_lines, kit_document, kit_lines
from underway.report.line import Line


def plain(lines: list[Line]) -> str:
    return "\n".join("".join(span.text for span in line) for line in lines)


def kit_of(repository: str) -> Kit:
    pair = web_pair()
    session = simulated(serving_first(pair), lambda: pair.new)
    tree = {
        "secrets": {"token": {"file": "./secrets/token"}},
        "configs": {"banner": {"file": "./banner.txt"}},
        "services": {"web": {"env_file": ["web.env"]}},
    }
    kept = KeptProject(json.dumps(tree), (KeptFile("banner.txt", 0o644, b""),), ("DB_PASSWORD",))
    session.backups = BackupDesk(
        replace(DECLARED, repository=repository),
        None,  # type: ignore[arg-type]
        None,  # type: ignore[arg-type]
        None,  # type: ignore[arg-type]
        kept,
    )
    return kit(session)


def test_the_kit_says_what_to_have_and_what_to_run() -> None:
    found = kit_of("rest:https://team:hunter2@backup.example.com/libra")
    text = plain(kit_lines(found))
    assert found.files == ("./secrets/token", "web.env")
    for wanted in ("DB_PASSWORD", "./secrets/token", "variable `PASSWORD`", found.command):
        assert wanted in text
    assert "hunter2" not in text + str(kit_document(found))
    assert "warning" not in text


def test_the_kit_warns_of_a_repository_that_goes_with_its_host() -> None:
    assert "it is gone, too" in plain(kit_lines(kit_of("/srv/backups")))


def test_each_host_of_a_fleet_gets_a_blank() -> None:
    one = Kit(AppName("a"), "s3:x", False, "", (), (), (), (HostName("h1"),))  # noqa: FBT003
    assert one.command == "underway recover -p a --from s3:x --to ssh://USER@NEW"
    two = replace(one, hosts=(HostName("h1"), HostName("h2")))
    assert two.command.endswith("--to h1=ssh://USER@NEW,ADDRESS --to h2=ssh://USER@NEW,ADDRESS")


def test_a_drill_shows_times_and_what_failed() -> None:
    good = Drill(AppName("libra"), "p1", "2026-03-01T12:00:00Z", 12.5, 7200.0)
    bad = Drill(
        AppName("vela"),
        "p2",
        "2026-03-01T12:00:00Z",
        code="backup-mismatch",
        why="not what was kept",
        exit_code=7,
    )
    text = plain(drill_lines([good, bad]))
    assert "came back" in text
    assert "2h" in text
    assert "not what was kept [backup-mismatch]" in text
    assert drill_document("libra", [good, bad]).exit_code == 7
    assert drill_document("libra", [good]).exit_code == 0
