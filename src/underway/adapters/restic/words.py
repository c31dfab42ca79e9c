"""What restic is told and what it tells: command lines, tags, and its JSON lines. Pure."""

import json
import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from underway.model.names import AppName, ReleaseNumber, VolumeName
from underway.model.restore_point import PointId, PointSummary, Proof
from underway.ports.backup import BytesProgress, Freeze, StreamCommand

PRELUDE: Final = ". /usr/local/bin/backup-common.bash; use_store; set -o pipefail\n"
MANIFEST_PATH: Final = "/manifest.json"
OPENING_S: Final = 60
SILENCE: Final = 74
OPENING: Final = (
    f'timeout {OPENING_S} restic cat config; s=$?; [ "$s" = 124 ] && exit {SILENCE}; (exit "$s")'
)
"""Opens the repository. restic asks a store that went away for 15 minutes: ours ends sooner."""
_SECONDS_SHOWN: Final = 2.0


def tags(**given: str) -> list[str]:
    """`--tag` options; all of them belong to one snapshot."""
    return ["--tag", ",".join(f"{name}={text}" for name, text in given.items() if text)]


def line_of(arguments: Iterable[str]) -> str:
    """A command line for a shell."""
    return shlex.join(arguments)


def called_line(source: StreamCommand) -> str:
    """The line that runs a command in a container, through the host's engine."""
    limit = str(round(source.timeout_s))
    return line_of(["timeout", limit, "engine-call", "exec", source.container, *source.command])


def frozen_line(freeze: Freeze, directories: Sequence[str], command: str) -> str:
    """The line that runs `command` while containers stand still."""
    settings = (
        f"UNDERWAY_FROZEN_VOLUMES={shlex.quote(','.join(freeze.volumes))} "
        f"UNDERWAY_BYSTANDERS={shlex.quote(' '.join(freeze.bystanders))}"
    )
    asked = ["backup-frozen", str(round(freeze.limit_s)), *directories, "--", *freeze.containers]
    return f"{settings} {line_of([*asked, '--'])} {command}"


def pattern_words(paths: Iterable[str]) -> list[str]:
    """`--exclude` options, as words of a bash line, for percent-encoded absolute paths."""
    words = []
    for path in paths:
        pattern = re.sub(rb"([\\*?\[])", rb"\\\1", unquote_to_bytes(path))
        spelled = "".join(f"\\x{byte:02x}" for byte in pattern)
        words.append(f"--exclude=$'{spelled}'")
    return words


def summary_tags(summary: PointSummary) -> dict[str, str]:
    """What a list needs of a point, as tags of its manifest: a list reads nothing else."""
    return {
        "moment": summary.moment,
        "release": str(summary.release),
        "bytes": str(summary.bytes),
        "entries": str(summary.entries),
        "fuzzy": "yes" if summary.is_fuzzy else "no",
        "took": f"{summary.duration_s:.1f}",
        "volumes": "+".join(summary.volumes),
        "needs": "+".join(one[:16] for one in summary.snapshots),
    }


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One of restic's snapshots."""

    id: str
    tags: dict[str, str]


def snapshots_of(document: bytes) -> list[Snapshot]:
    """What `restic snapshots --json` printed, oldest first."""
    found = json.loads(document or b"[]") or []
    return [
        Snapshot(str(one["id"]), dict(tag.partition("=")[::2] for tag in one.get("tags") or []))
        for one in sorted(found, key=lambda entry: str(entry["time"]))
    ]


def complete_points(app: AppName, snapshots: Sequence[Snapshot]) -> tuple[PointSummary, ...]:
    """The points whose manifest is there, and all that it needs."""
    held = {one.id[:16] for one in snapshots}
    proofs = {one.tags["point"]: _proof(one.tags) for one in snapshots if _is_proof(one.tags)}
    points = []
    for one in snapshots:
        said = one.tags
        needs = tuple(part for part in said.get("needs", "").split("+") if part)
        if said.get("app") != app or said.get("part") != "manifest" or not held.issuperset(needs):
            continue
        points.append(
            PointSummary(
                app=app,
                point=PointId(said["point"]),
                moment=said["moment"],
                release=ReleaseNumber(int(said["release"])),
                bytes=int(said["bytes"]),
                entries=int(said["entries"]),
                volumes=tuple(VolumeName(v) for v in said["volumes"].split("+") if v),
                is_fuzzy=said["fuzzy"] == "yes",
                duration_s=float(said["took"]),
                snapshots=needs,
                proof=proofs.get(said["point"]),
            )
        )
    return tuple(sorted(points, key=lambda point: (point.moment, point.point)))


def proof_tags(proof: Proof) -> dict[str, str]:
    """A verification as tags."""
    return {
        "moment": proof.moment,
        "passed": "yes" if proof.has_passed else "no",
        "took": f"{proof.duration_s:.1f}",
    }


def _is_proof(said: dict[str, str]) -> bool:
    return said.get("part") == "proof" and "point" in said


def _proof(said: dict[str, str]) -> Proof:
    return Proof(said["moment"], said["passed"] == "yes", float(said["took"]))


@dataclass(slots=True)
class Reader:
    """Folds the JSON lines of one run; what is no JSON is left to the error text."""

    progress: BytesProgress | None = None
    summary: dict[str, Any] = field(default_factory=dict)
    moved: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    intruders: list[str] = field(default_factory=list)
    databases: list[tuple[str, int]] = field(default_factory=list)
    frozen_ms: int = 0
    done: float = 0.0
    total: float = 0.0
    own: dict[str, Any] = field(default_factory=dict)
    lines: list[bytes] = field(default_factory=list)

    def take(self, line: bytes) -> None:
        """One line; an empty one only tells that time passes."""
        if not line:
            if self.progress is not None:
                self.progress(self.done, self.total, "")
            return
        try:
            said = json.loads(line)
        except ValueError:
            said = None
        if not isinstance(said, dict):
            self.lines.append(line)
            return
        if not self._told(said):
            self.lines.append(line)

    def _told(self, said: dict[str, Any]) -> bool:
        """Keep what a message says; False for one that is no message."""
        match said.get("message_type"):
            case "status":
                self._status(said)
            case "summary":
                self.summary = said
            case "verbose_status":
                if said.get("action") in {"new", "modified"}:
                    self.moved.append(str(said.get("item", "")))
            case "error":
                self.failed.append(str(said.get("item", "")))
            case "frozen":
                self.frozen_ms = int(said["milliseconds"])
            case "writer":
                self.intruders.append(str(said["id"]))
            case "stream":
                self.own = said
            case "database":
                self.databases.append((str(said["path"]), int(said["bytes"])))
            case _:
                return False
        return True

    def _status(self, said: dict[str, Any]) -> None:
        if self.progress is None:
            return
        self.done = float(said.get("bytes_done", said.get("bytes_restored", 0)))
        self.total = float(said.get("total_bytes", 0))
        elapsed_s = float(said.get("seconds_elapsed", 0))
        self.progress(self.done, self.total, pace_text(self.done, self.total, elapsed_s))


def pace_text(done: float, total: float, elapsed_s: float) -> str:
    """`12.3 MB/s, 40 s left`, as far as it can be told."""
    if elapsed_s < _SECONDS_SHOWN or done <= 0:
        return ""
    rate = done / elapsed_s
    left = f", {max(0, total - done) / rate:.0f} s left" if total > done else ""
    return f"{rate / 1e6:.1f} MB/s{left}"
