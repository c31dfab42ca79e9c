"""What restic says is understood: points by tags, progress, failures by their cause."""

import json
import subprocess
from urllib.parse import quote

import pytest

from tests.unit.backup.sample import APP, MANIFEST
from underway.adapters.restic.refusals import refusal_of
from underway.adapters.restic.words import (
    Reader,
    complete_points,
    pace_text,
    pattern_words,
    proof_tags,
    snapshots_of,
    summary_tags,
    tags,
)
from underway.adapters.sidecar import JobResult
from underway.model.names import HostName
from underway.model.restore_point import Proof


def listed(**more: dict[str, str]) -> bytes:
    """A repository with the sample's parts and its manifest; `more` replaces tags by id."""
    point = MANIFEST.point
    parts = {one: {"app": APP, "point": point, "part": "x"} for one in ("a" * 64, "b" * 64)}
    parts["c" * 64] = {"app": APP, "point": point, "part": "frozen"}
    parts["d" * 64] = {
        "app": APP,
        "point": point,
        "part": "manifest",
        **summary_tags(MANIFEST.summary),
    }
    entries = [
        {"id": one, "time": f"2026-03-01T12:00:0{n}Z", "tags": [f"{k}={v}" for k, v in t.items()]}
        for n, (one, t) in enumerate({**parts, **more}.items())
    ]
    return json.dumps(entries).encode()


def test_a_point_is_listed_with_all_that_its_manifest_says():
    (point,) = complete_points(APP, snapshots_of(listed()))
    expected = MANIFEST.summary
    assert point.point == expected.point
    assert (point.bytes, point.entries, point.volumes) == (600, 9, ("pgdata", "uploads"))
    assert point.proof is None


@pytest.mark.parametrize("lost", ["a", "b", "c", "d"])
def test_a_point_that_lost_a_part_is_not_listed(lost: str):
    snapshots = [one for one in snapshots_of(listed()) if one.id != lost * 64]
    assert complete_points(APP, snapshots) == ()


def test_the_last_verification_stands_beside_its_point():
    said = {"app": APP, "point": MANIFEST.point, "part": "proof"}
    first = Proof("2026-03-02T00:00:00Z", has_passed=True, duration_s=3.0)
    last = Proof("2026-03-03T00:00:00Z", has_passed=False, duration_s=4.0)
    document = listed(
        **{"e" * 64: {**said, **proof_tags(first)}, "f" * 64: {**said, **proof_tags(last)}}
    )
    (point,) = complete_points(APP, snapshots_of(document))
    assert point.proof == last


def test_another_apps_points_are_not_ours():
    assert complete_points(APP.__class__("other"), snapshots_of(listed())) == ()
    assert snapshots_of(b"null") == []


def test_no_tag_holds_a_comma():
    """restic splits tags at commas: one inside would make two of it."""
    assert all("," not in text for text in summary_tags(MANIFEST.summary).values())
    assert tags(app="a", point="p", part="") == ["--tag", "app=a,point=p"]


def test_progress_tells_bytes_rate_and_time_left():
    told: list[tuple[float, float, str]] = []
    reader = Reader(lambda *said: told.append(said))
    status = {"message_type": "status", "bytes_done": 5e6, "total_bytes": 2e7, "seconds_elapsed": 5}
    reader.take(json.dumps(status).encode())
    reader.take(b"")
    assert told == [(5e6, 2e7, "1.0 MB/s, 15 s left"), (5e6, 2e7, "")]
    assert pace_text(5, 10, 1) == ""


def test_lines_that_are_no_messages_are_kept():
    reader = Reader()
    for line in (b"17", b"[1]", b"text", b'{"a": 1}'):
        reader.take(line)
    assert reader.lines == [b"17", b"[1]", b"text", b'{"a": 1}']


@pytest.mark.parametrize(
    ("status", "text", "code", "exit_code"),
    [
        (10, "", "backup-repository-missing", 4),
        (1, "Fatal: Is there a repository at /x?", "backup-repository-missing", 4),
        (
            1,
            "Head x: connection refused\nIs there a repository at the following place?",
            "backup-store-unreachable", 6,
        ),
        (12, "", "backup-password", 4),
        (1, "Fatal: wrong password or no key found", "backup-password", 4),
        (11, "", "backup-repository-locked", 5),
        (1, "write /repository/data/x: no space left on device", "no-space", 10),
        (1, "ciphertext verification failed", "backup-damaged", 7),
        (1, "dial tcp: connect: connection refused", "backup-store-unreachable", 6),
        (74, "Load(<config/>) returned error, retrying after 12s", "backup-store-unreachable", 6),
        (73, "", "backup-freeze-too-long", 10),
        (71, "engine-call: cannot pause", "backup-freeze-failed", 10),
        (1, "something else", "backup-store-failed", 10),
    ],
)  # fmt: skip
def test_a_failure_is_told_by_its_cause(status: int, text: str, code: str, exit_code: int):
    error = refusal_of(HostName("h1"), "copy", JobResult(status, tuple(text.splitlines())))
    assert (error.code, error.exit_code) == (code, exit_code)
    assert error.hint


def test_a_name_that_looks_like_a_pattern_is_left_out_as_it_is():
    """Stars, brackets, backslashes, newlines and bytes that are no text mean themselves."""
    name = rb"/volumes/v/a*[b]?\c'" + b"\n\xff"
    (word,) = pattern_words([quote(name)])
    said = subprocess.run(["bash", "-c", f"printf %s {word}"], capture_output=True, check=True)
    assert said.stdout == b"--exclude=" + rb"/volumes/v/a\*\[b]\?\\c'" + b"\n\xff"
