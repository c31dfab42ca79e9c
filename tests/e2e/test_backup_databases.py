"""Databases are backed up by their own means while they are written, and come back sound."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
import yaml

from lab.databases import MARIADB, REDIS, bring
from tests.e2e.client import Client, Done, eventually
from tests.laboratories import Fleet

APP: Final = "ledgers"
ROOT_WORD: Final = 'root\'s "word" \\ 7'
QUEUE_WORD: Final = "queue-word-7"
# One process, two databases, one for each way to keep a journal: each transaction adds a row and
# counts it, so that a torn copy contradicts itself.
NOTES: Final = """
import os, sqlite3, time
open("/notes/plain.txt", "w").write("plain")
os.makedirs("/notes/in here", exist_ok=True)
def opened(path, mode):
    made = sqlite3.connect(path, timeout=60, isolation_level=None)
    made.execute(f"pragma journal_mode={mode}")
    made.execute("create table if not exists rows(id integer primary key, text)")
    made.execute("create table if not exists total(one primary key, n)")
    made.execute("create table if not exists marks(text)")
    made.execute("insert or ignore into total values (1, (select count(*) from rows))")
    return made
os.chown("/notes/in here", 4242, 4242)
both = [opened("/notes/in here/log.db", "wal"), opened("/notes/journal.sqlite", "delete")]
os.chmod("/notes/journal.sqlite", 0o600)
os.chown("/notes/journal.sqlite", 4242, 4242)
while True:
    for one in both:
        one.execute("begin immediate")
        one.execute("insert into rows(text) values (hex(randomblob(200)))")
        one.execute("update total set n = n + 1")
        one.execute("commit")
    time.sleep(0.05)
"""
LOOK: Final = """
import sqlite3, sys
for path in ("/notes/in here/log.db", "/notes/journal.sqlite"):
    one = sqlite3.connect(path, timeout=60, isolation_level=None)
    if len(sys.argv) > 1:
        one.execute("insert into marks values (?)", (sys.argv[1],))
    one.execute("begin")
    print(one.execute("select count(*) from rows").fetchone()[0]
          == one.execute("select n from total").fetchone()[0],
          one.execute("pragma integrity_check").fetchone()[0],
          *(text for text, in one.execute("select text from marks")), flush=True)
"""
TABLES: Final = """
create table bank.rows (id bigint auto_increment primary key, text varchar(200)) engine=InnoDB//
create table bank.total (n bigint) engine=InnoDB//
create table bank.marks (text varchar(20)) engine=InnoDB//
insert into bank.total values (0)//
create procedure bank.pay() begin start transaction;
insert into bank.rows(text) values (repeat('ß', 100));
update bank.total set n = n + 1; commit; end//
create user clerk@'%' identified by 'clerk'//
grant execute on procedure bank.pay to clerk@'%'//
"""
SQL: Final = 'MYSQL_PWD="$(cat /run/secrets/root)" exec mariadb -u root -N '
MARK: Final = "insert into bank.marks values ('WORD')"
SUMS: Final = (
    "select (select count(*) from bank.rows) = n from bank.total; select text from bank.marks; "
    "call bank.pay()"
)
PAY: Final = f"while sleep 0.05; do echo 'call bank.pay();'; done | {SQL} bank"
PUSH: Final = """
while sleep 0.1; do
redis-cli eval "redis.call('incr','a') redis.call('rpush','b',ARGV[1])" 0 x
done
"""


@dataclass(frozen=True)
class Ledgers:
    """The app, and what is asked in its containers."""

    fleet: Fleet
    client: Client

    def run(self, *arguments: str) -> Done:
        return self.client.run(*arguments)

    def inside(self, service: str, script: str, *options: str) -> str:
        wanted = ("--filter", f"label=underway.service={service}", "--filter", "status=running")
        (name,) = self.fleet.docker("h1", "ps", "-q", *wanted).split()
        return self.fleet.docker("h1", "exec", *options, name, "sh", "-c", script)

    def write(self) -> None:
        """Let everybody write from now on."""
        self.inside("bank", PAY, "-d")
        for service in ("queue", "cache"):
            self.inside(service, PUSH, "-d")

    def mark(self, word: str) -> None:
        """Write a word into each database, acknowledged when this returns."""
        self.inside("notes", f"python3 -c '{LOOK}' {word}")
        self.inside("bank", f'{SQL} -e "{MARK.replace("WORD", word)}"')
        for service in ("queue", "cache"):
            self.inside(service, f"redis-cli rpush marks {word}")

    def seen(self) -> dict[str, list[str]]:
        """What each database says: whether it agrees with itself, and the words in it."""
        queue = "return redis.call('get','a') == tostring(redis.call('llen','b'))"
        asked = f'redis-cli eval "{queue}" 0; redis-cli lrange marks 0 -1'
        return {
            "notes": self.inside("notes", f"python3 -c '{LOOK}'").splitlines(),
            "bank": self.inside("bank", f'{SQL} -e "{SUMS}"').split(),
            "queue": self.inside("queue", asked).split(),
            "cache": self.inside("cache", asked).split(),
        }


@pytest.mark.exhaustive
@pytest.mark.lab(hosts=1)
def test_databases_that_are_written_come_back_sound(fleet: Fleet, tmp_path: Path) -> None:
    ledgers = deployed(fleet, tmp_path)
    ledgers.write()
    ledgers.mark("before")
    ledgers.run("backup", "create").expect(0)
    ledgers.mark("after")

    shown = ledgers.run("backup", "show").expect(0).out
    assert "in here/log.db" in shown
    assert "journal.sqlite" in shown
    ledgers.run("backup", "verify").expect(0)
    ledgers.run("backup", "restore", "--as", "beside", "--volume", "notes").expect(0)
    listing = ("find", "/v", "-mindepth", "1", "-printf", "%P %U %m\\n")
    debian = fleet.laboratory.images["debian"]
    found = fleet.docker("h1", "run", "--rm", "-v", "beside_notes:/v", debian, *listing)
    assert sorted(found.splitlines()) == [
        "in here 4242 755",
        "in here/log.db 0 644",
        "journal.sqlite 4242 600",
        "plain.txt 0 644",
    ]

    ledgers.run("--yes", "backup", "restore").expect(0)
    sound = "True ok before"
    assert ledgers.seen() == {
        "notes": [sound, sound],
        "bank": ["1", "before"],
        "queue": ["1", "before"],
        "cache": ["1", "before"],
    }
    clerk = "MYSQL_PWD=clerk exec mariadb -u clerk --protocol=tcp -h 127.0.0.1 -e 'call bank.pay()'"
    ledgers.inside("bank", clerk)
    appending = ledgers.inside("queue", "redis-cli config get appendonly; ls /data/appendonlydir")
    assert "yes" in appending
    assert ".base.rdb" in appending
    ledgers.run("remove", "--yes", "--with-data").expect(0)


def deployed(fleet: Fleet, tmp_path: Path) -> Ledgers:
    """The app on its host, its tables made, and a repository."""
    registry = fleet.laboratory.registry
    mariadb, redis = bring(MARIADB, registry), bring(REDIS, registry)
    for reference in (mariadb, redis):
        fleet.docker("h1", "pull", "-q", reference, timeout_s=300)
    directory = tmp_path / APP
    directory.mkdir()
    (directory / "root_word").write_text(ROOT_WORD)
    said = compose(fleet.laboratory.images["python"], mariadb, redis)
    (directory / "compose.yaml").write_text(yaml.safe_dump(said, sort_keys=False))
    environment = {
        **fleet.environment,
        "DOCKER_HOST": fleet.laboratory.hosts[0].url,
        "BACKUP_WORD": "correct horse",
        "QUEUE_WORD": QUEUE_WORD,
    }
    ledgers = Ledgers(fleet, Client(directory, tmp_path / "home", environment))
    ledgers.run("deploy").expect(0)
    ledgers.run("backup", "init").expect(0)
    ready = "mariadb-admin ping --silent --protocol=tcp -h 127.0.0.1 && echo ready || true"
    eventually(lambda: "ready" in ledgers.inside("bank", ready), "the bank opens", 120)
    ledgers.inside("bank", f"{SQL} --delimiter=// bank <<'END'\n{TABLES}END\n")
    return ledgers


def compose(python: str, mariadb: str, redis: str) -> dict[str, object]:
    """Notes in SQLite, a bank in MariaDB, a queue with a log of its writes and a cache without."""
    serve = (
        'exec docker-entrypoint.sh redis-server --requirepass "$$REDIS_PASSWORD" --appendonly yes'
    )
    sound = {"x-underway": {"backup": {"consistency": "dump"}}}
    prompt = {"init": True, "deploy": {"update_config": {"monitor": "1s"}}}
    return {
        "name": APP,
        "services": {
            "notes": {
                "image": python,
                "command": ["python3", "-c", NOTES],
                "volumes": ["notes:/notes"],
                "x-underway": {"strategy": "recreate"},
                **prompt,
            },
            "bank": {
                "image": mariadb,
                "environment": {
                    "MARIADB_ROOT_PASSWORD_FILE": "/run/secrets/root",
                    "MARIADB_DATABASE": "bank",
                },
                "secrets": ["root"],
                "volumes": ["bank:/var/lib/mysql"],
                **prompt,
            },
            "queue": {
                "image": redis,
                "command": ["sh", "-c", serve],
                "environment": {
                    "REDIS_PASSWORD": "${QUEUE_WORD}",
                    "REDISCLI_AUTH": "${QUEUE_WORD}",
                },
                "volumes": ["queue:/data"],
                **prompt,
            },
            "cache": {"image": redis, "volumes": ["cache:/data"], **prompt},
        },
        "secrets": {"root": {"file": "./root_word"}},
        "volumes": {"notes": {}, "bank": sound, "queue": sound, "cache": sound},
        "x-underway": {
            "backup": {
                "repository": "/srv/shared/backups",
                "password": {"variable": "BACKUP_WORD"},
            }
        },
    }
