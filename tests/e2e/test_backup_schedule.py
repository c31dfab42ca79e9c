"""What is due is done once, what is late is told: a real repository, and clocks of other days."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from tests.e2e.client import Client, Done
from tests.e2e.test_backup import expect_nothing_left
from tests.laboratories import Fleet

pytestmark = pytest.mark.lab(hosts=1)

DAY_S = 86400
DATED = (sys.executable, str(Path(__file__).with_name("dated_client.py")))


class Notes:
    """An application with one volume, backed up at 03:00 of somebody's zone."""

    def __init__(self, fleet: Fleet, root: Path) -> None:
        self.root = root
        (root / "notes").mkdir()
        said = {
            "name": "notes",
            "services": {
                "web": {
                    "image": fleet.laboratory.images["python"],
                    "command": ["sh", "-c", "date >/notes/one; exec sleep infinity"],
                    "init": True,
                    "volumes": ["notes:/notes"],
                    "deploy": {"update_config": {"monitor": "1s"}},
                }
            },
            "volumes": {"notes": {"x-underway": {"backup": {"consistency": "pause"}}}},
            "x-underway": {
                "backup": {
                    "repository": "/srv/shared/backups",
                    "password": {"variable": "BACKUP_WORD"},
                    "every": "03:00 Europe/Berlin",
                    "verify": {"every": "0 5 * * * Europe/Berlin"},
                    "keep": {"daily": 2, "weekly": 0, "monthly": 0, "floor": 1},
                }
            },
        }
        (root / "notes" / "compose.yaml").write_text(yaml.safe_dump(said, sort_keys=False))
        self.environment = {
            **fleet.environment,
            "DOCKER_HOST": fleet.laboratory.hosts[0].url,
            "BACKUP_WORD": "correct horse",
        }

    def run(self, *arguments: str, days: int = 0) -> Done:
        """A command on a day that is so many days ahead."""
        client = Client(self.root / "notes", self.root / "home", self.environment)
        if not days:
            return client.run(*arguments)
        with client.running(str(days * DAY_S), *arguments, program=DATED) as running:
            return running.wait()

    def points(self) -> list[str]:
        found = self.run("backup", "list", "--json").expect(0).document()["points"]
        return [one["id"] for one in found]

    def standing(self, code: int, days: int = 0) -> list[str]:
        document = self.run("backup", "status", "--json", days=days).expect(code).document()
        assert document["exit_code"] == code
        return [one["standing"] for one in document["duties"]]


@pytest.mark.exhaustive
def test_two_who_do_what_is_due_do_it_once_and_silence_is_told(
    fleet: Fleet, tmp_path: Path
) -> None:
    notes = Notes(fleet, tmp_path)
    notes.run("deploy").expect(0)
    notes.run("backup", "init").expect(0)
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: notes.run("backup", "run", "--wait", "2m"), range(2)))
    assert sum("nothing is due" in done.expect(0).out for done in both) == 1
    assert len(notes.points()) == 1
    assert notes.standing(4, days=4) == ["overdue", "unverified"]
    notes.run("remove", "--yes", "--with-data").expect(0)


@pytest.mark.exhaustive
def test_what_is_due_is_done_once_and_what_is_late_is_told(fleet: Fleet, tmp_path: Path) -> None:
    notes = Notes(fleet, tmp_path)
    notes.run("deploy").expect(0)
    notes.run("backup", "init").expect(0)
    assert notes.standing(4) == ["overdue"]
    # Whoever looks takes nothing away from the backup that runs.
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(notes.run, "backup", "run")
        while not running.done():
            notes.run("backup", "list").expect(0)
        running.result().expect(0)
    (first,) = notes.points()
    assert notes.standing(0) == ["on-time", "on-time"]

    # Four days nobody ran anything: it is told, and what was missed is done once, by one of two.
    assert notes.standing(4, days=4) == ["overdue", "unverified"]
    with ThreadPoolExecutor(2) as pool:
        both = list(
            pool.map(lambda _: notes.run("backup", "run", "--wait", "2m", days=4), range(2))
        )
    assert sum("nothing is due" in done.expect(0).out for done in both) == 1
    _, *others = notes.points()
    assert others == [first]
    expect_nothing_left(fleet)
    notes.run("remove", "--yes", "--with-data").expect(0)
