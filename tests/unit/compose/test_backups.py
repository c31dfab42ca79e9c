"""What a file says about backups becomes a policy, apart from the specification of a release."""

from pathlib import Path

import pytest

from tests.unit.compose.project import understood
from underway.model.backup import (
    Consistency,
    KeepRule,
    MailPolicy,
    NotifyPolicy,
    SensitiveSource,
    SourceKind,
)
from underway.model.names import VolumeName
from underway.model.schedule import Schedule

FILE = """
name: libra
services:
  web: {image: app:1, volumes: [uploads:/uploads, spool:/spool, cache:/cache]}
  db: {image: postgres:17, volumes: [pgdata:/data]}
volumes:
  uploads: {x-underway: {backup: {consistency: pause}}}
  spool:
    x-underway:
      backup: {consistency: quiesce, before: /app/hold now, after: [/app/go], keep: {yearly: 5}}
  cache: {x-underway: {backup: false}}
  pgdata: {x-underway: {backup: {consistency: dump}}}
x-underway:
  backup:
    repository: s3:https://s3.example.com/libra
    password: {command: pass show "libra backup", timeout: 5s}
    credentials: {AWS_SECRET_ACCESS_KEY: {variable: S3_KEY}}
    keep: {daily: 3, within: 2d}
    freeze: 10s
"""


def test_a_policy_says_where_how_and_how_long(tmp_path: Path) -> None:
    policy = understood(tmp_path, FILE).backup
    assert policy is not None
    assert policy.repository == "s3:https://s3.example.com/libra"
    assert not policy.is_host_directory
    words = ("pass", "show", "libra backup")
    assert policy.password == SensitiveSource(SourceKind.COMMAND, words, 5.0)
    variable = SensitiveSource(SourceKind.VARIABLE, ("S3_KEY",))
    assert policy.credentials == (("AWS_SECRET_ACCESS_KEY", variable),)
    assert policy.keep == KeepRule(daily=3, within_s=2 * 86400)
    assert policy.freeze_s == 10.0
    spool = policy.volume(VolumeName("spool"))
    assert spool is not None
    assert (spool.before, spool.after) == (("/app/hold", "now"), ("/app/go",))
    assert spool.keep == KeepRule(yearly=5)
    assert {one.volume: one.consistency for one in policy.volumes} == {
        "cache": Consistency.NONE,
        "pgdata": Consistency.DUMP,
        "spool": Consistency.QUIESCE,
        "uploads": Consistency.PAUSE,
    }


def test_notices_go_by_webhook_mail_and_command(tmp_path: Path) -> None:
    notify = """notify:
      webhook: {variable: HOOK}
      command: [./alarm, now]
      mail:
        to: team@example.com
        sender: underway@example.com
        server: smtp://mail.example.com
        user: underway
        password: {file: mail.txt}"""
    policy = understood(tmp_path, FILE.replace("freeze: 10s", notify)).backup
    assert policy
    assert policy.notify == NotifyPolicy(
        command=("./alarm", "now"),
        webhook=SensitiveSource(SourceKind.VARIABLE, ("HOOK",)),
        mail=MailPolicy(
            ("team@example.com",),
            "underway@example.com",
            "mail.example.com",
            587,
            user="underway",
            password=SensitiveSource(SourceKind.FILE, ("mail.txt",)),
        ),
    )


def test_a_deploy_begins_with_a_backup_where_the_file_says_so(tmp_path: Path) -> None:
    for said, expected in ((FILE, False), (FILE.replace("freeze:", "before_deploy: true #"), True)):
        policy = understood(tmp_path, said).backup
        assert policy
        assert policy.before_deploy is expected


def test_another_policy_is_not_another_release(tmp_path: Path) -> None:
    one = understood(tmp_path, FILE).spec
    other = understood(tmp_path, FILE.replace("daily: 3", "daily: 4")).spec
    assert one == other


def test_a_file_without_backups_has_no_policy(tmp_path: Path) -> None:
    assert understood(tmp_path, "services: {web: {image: app:1}}\n").backup is None


@pytest.mark.parametrize(
    ("written", "expression", "zone"),
    [
        ("03:00", "0 3 * * *", "UTC"),
        ("3:05 Europe/Berlin", "5 3 * * *", "Europe/Berlin"),
        ("*/15 1-3 * * 1", "*/15 1-3 * * 1", "UTC"),
        ("0 3 * * MON America/New_York", "0 3 * * MON", "America/New_York"),
    ],
)
def test_a_schedule_is_a_time_or_a_cron_expression_with_a_zone(
    tmp_path: Path, written: str, expression: str, zone: str
) -> None:
    text = FILE.replace("freeze: 10s", f'every: "{written}"\n    verify: {{every: "{written}"}}')
    text = text.replace("consistency: pause", f'consistency: pause, every: "{written}"')
    policy = understood(tmp_path, text).backup
    assert policy
    expected = Schedule(expression, zone, written)
    uploads = policy.volume(VolumeName("uploads"))
    assert uploads
    assert (policy.every, policy.verify, uploads.every) == (expected, expected, expected)
