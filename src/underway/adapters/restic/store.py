"""`ports.BackupStore` over restic: a point is the snapshots that carry its tag, manifest last."""

import base64
import shlex
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import quote

from underway.adapters.databases import STAGE, check_databases, staged_databases
from underway.adapters.restic.refusals import refusal_of
from underway.adapters.restic.words import (
    MANIFEST_PATH,
    OPENING,
    PRELUDE,
    Reader,
    Snapshot,
    called_line,
    complete_points,
    frozen_line,
    line_of,
    pattern_words,
    proof_tags,
    snapshots_of,
    summary_tags,
    tags,
)
from underway.adapters.sidecar import JobResult, Sidecar
from underway.errors import IntegrityError, StepFailedError
from underway.model.names import AppName, HostName
from underway.model.restore_point import Part, PartKind, PointId, PointSummary, Proof
from underway.ports.backup import (
    BytesProgress,
    Counted,
    Freeze,
    SavedDatabases,
    SavedTree,
    StreamCommand,
    Tree,
)

_SOME_UNREAD: Final = 3
_HASHED: Final = "mkfifo /run/underway/backup/sum.$$; sum=/run/underway/backup/sum.$$\n"
_COUNT_SAVED: Final = r"""
restic ls --json --recursive {snapshot} {directory} | perl -ne '
  next unless /"(?:message|struct)_type":"node"/ && !/"path":"{quoted}","/;
  $n++; $b += $1 if /"type":"file"/ && /"size":(\d+)/;
  END {{ printf "{{\"message_type\":\"stream\",\"entries\":%d,\"bytes\":%d}}\n", $n, $b }}'
"""
_COUNT_FOUND: Final = r"""
find {directory} -mindepth 1 -printf '%y %s\n' | awk '
  {{ n++; if ($1 == "f") b += $2 }}
  END {{ printf "{{\"message_type\":\"stream\",\"entries\":%d,\"bytes\":%.0f}}\n", n, b }}'
"""


class ResticStore:
    """Restore points of one app in a repository, seen from the host of `sidecar`."""

    def __init__(self, sidecar: Sidecar, app: AppName, place: str = "") -> None:
        """Nothing is asked yet. `place` is what the file says of where the repository is."""
        self._sidecar = sidecar
        self._app = app
        self._place = place

    @property
    def host(self) -> HostName:
        """The host whose data it reads and writes."""
        return self._sidecar.host

    def initialise(self) -> bool:
        """See `ports.BackupStore.initialise`."""
        result, _ = self._tried(OPENING)
        if not result.exit_code:
            return False
        refusal = refusal_of(self.host, "look at the repository", result, place=self._place)
        if refusal.code != "backup-repository-missing":
            raise refusal
        self._run("make the repository", "restic init --repository-version 2")
        return True

    def open(self) -> None:
        """See `ports.BackupStore.open`."""
        self._run("open the repository", OPENING)

    def save_tree(
        self,
        point: PointId,
        tree: Tree,
        *,
        parent: str = "",
        freeze: Freeze | None = None,
        progress: BytesProgress | None = None,
    ) -> SavedTree:
        """See `ports.BackupStore.save_tree`."""
        is_hot = tree.name == "hot"
        chosen = ["--parent", parent] if parent else [] if is_hot else ["--force"]
        told = ["--verbose=2"] if parent and freeze is None and not is_hot else []
        command = line_of(
            [
                "restic",
                "backup",
                "--json",
                *told,
                *chosen,
                *self._marks(point, tree.name),
                *tree.directories,
            ]
        )
        command = " ".join((command, *pattern_words(tree.leave_out)))
        if freeze is not None:
            command = frozen_line(freeze, tree.directories, command)
        script = f'{command} | sed -u \'/"action":"unchanged"/d\''
        result, seen = self._tried(script, progress)
        is_partial = result.exit_code == _SOME_UNREAD and freeze is None
        if (result.exit_code and not is_partial) or "snapshot_id" not in seen.summary:
            raise refusal_of(self.host, "copy files", result)
        return SavedTree(
            snapshot=str(seen.summary["snapshot_id"]),
            added_bytes=int(seen.summary.get("data_added_packed", 0)),
            moved=tuple(sorted({path.rstrip("/") for path in (*seen.moved, *seen.failed)})),
            intruders=tuple(seen.intruders),
            frozen_s=seen.frozen_ms / 1000,
        )

    def save_databases(
        self,
        point: PointId,
        directories: Sequence[str],
        *,
        progress: BytesProgress | None = None,
    ) -> SavedDatabases | None:
        """See `ports.BackupStore.save_databases`."""
        sizes = staged_databases(self._sidecar, directories, progress)
        if not sizes:
            return None
        # Paths that do not begin with a slash are kept as they are given: those of the volumes.
        names = [directory.lstrip("/") for directory in directories]
        command = ["restic", "backup", "--json", *self._marks(point, "databases"), *names]
        script = f"cd {STAGE} && {line_of(command)}"
        seen = self._run("copy databases", script, progress)
        self._run("tidy up", f"rm -rf -- {STAGE}")
        return SavedDatabases(str(seen.summary["snapshot_id"]), sizes)

    def check_databases(self, directory: str) -> None:
        """See `ports.BackupStore.check_databases`."""
        check_databases(self._sidecar, directory)

    def count(self, snapshot: str, directory: str) -> Counted:
        """See `ports.BackupStore.count`."""
        script = _COUNT_SAVED.format(
            snapshot=shlex.quote(snapshot),
            directory=shlex.quote(directory),
            quoted=directory.replace("/", r"\/").replace(".", r"\."),
        )
        return _counted(self._run("count what was copied", script).own)

    def save_stream(
        self,
        point: PointId,
        name: str,
        source: StreamCommand,
        *,
        progress: BytesProgress | None = None,
    ) -> Part:
        """See `ports.BackupStore.save_stream`."""
        path = "/" + quote(name.replace("/", "."), safe=" ")  # a stream stands in no directory
        keep = ["restic", "backup", "--json", "--stdin", "--stdin-filename", path]
        script = (
            f"{_HASHED}sha256sum <$sum >$sum.out & sha=$!\n"
            f"{called_line(source)} | tee $sum | {line_of([*keep, *self._marks(point, 'dump')])}\n"
            'states=("${PIPESTATUS[@]}"); wait $sha; read -r digest _ <$sum.out\n'
            'printf \'{"message_type":"stream","status":%d,"sha256":"%s"}\\n\''
            ' "${states[0]}" "$digest"\nexit "${states[2]}"\n'
        )
        result, seen = self._tried(script, progress)
        if seen.own.get("status"):
            raise self._dump_failed(source, f"it ended with {seen.own['status']}", result)
        if result.exit_code or "snapshot_id" not in seen.summary:
            raise refusal_of(self.host, "keep a dump", result)
        size = int(seen.summary["total_bytes_processed"])
        if not size:
            raise self._dump_failed(source, "it printed nothing", result)
        snapshot, digest = str(seen.summary["snapshot_id"]), str(seen.own["sha256"])
        return Part(PartKind.DUMP, snapshot, path, size, sha256=digest, name=name)

    def ask(self, source: StreamCommand) -> bytes:
        """See `ports.BackupStore.ask`."""
        result, seen = self._tried(called_line(source))
        if result.exit_code:
            raise self._dump_failed(source, f"it ended with {result.exit_code}", result)
        return b"\n".join(seen.lines)

    def seal(self, summary: PointSummary, manifest: bytes) -> None:
        """See `ports.BackupStore.seal`."""
        place = f"/run/underway/backup/{summary.point}.json"
        self._sidecar.write(place, manifest)
        keep = ["restic", "backup", "--json", "--stdin", "--stdin-filename", MANIFEST_PATH]
        marks = self._marks(summary.point, "manifest", **summary_tags(summary))
        self._run("write the manifest", f"{line_of([*keep, *marks])} <{place}")

    def record_proof(self, point: PointId, proof: Proof) -> None:
        """See `ports.BackupStore.record_proof`."""
        keep = ["restic", "backup", "--json", "--stdin", "--stdin-filename", "/proof"]
        marks = self._marks(point, "proof", **proof_tags(proof))
        self._run("record the verification", f"printf x | {line_of([*keep, *marks])}")

    def apps(self) -> tuple[AppName, ...]:
        """See `ports.BackupStore.apps`."""
        listing = line_of(["restic", "snapshots", "--json", "--tag", "part=manifest"])
        found = snapshots_of(b"".join(self._run("list apps", listing).lines))
        return tuple(sorted({AppName(one.tags["app"]) for one in found if one.tags.get("app")}))

    def points(self, app: AppName) -> tuple[PointSummary, ...]:
        """See `ports.BackupStore.points`."""
        return complete_points(app, self._snapshots(app))

    def manifest(self, point: PointId) -> bytes:
        """See `ports.BackupStore.manifest`."""
        wanted = f"point={point},part=manifest"
        listing = line_of(["restic", "snapshots", "--json", "--tag", wanted])
        found = snapshots_of(b"".join(self._run("find the manifest", listing).lines))
        if not found:
            raise IntegrityError(
                "backup-manifest",
                f"{self.host}: the manifest of {point} is not in the repository",
                hint="take another point (`underway backup list`)",
            )
        script = line_of(["restic", "dump", found[-1].id, MANIFEST_PATH])
        result, seen = self._tried(f"{script} | base64 -w 0")
        if result.exit_code:
            raise refusal_of(self.host, "read the manifest", result)
        return base64.b64decode(b"".join(seen.lines))

    def restore_tree(
        self, part: Part, directory: str, *, progress: BytesProgress | None = None
    ) -> Counted:
        """See `ports.BackupStore.restore_tree`."""
        # With the directory itself, whose owner and mode are part of the data.
        only = ["--include", directory]
        command = line_of(["restic", "restore", "--json", part.snapshot, "--target", "/", *only])
        self._run("restore files", f"{command} && sync -f {shlex.quote(directory)}", progress)
        counting = _COUNT_FOUND.format(directory=shlex.quote(directory))
        return _counted(self._run("count what was restored", counting).own)

    def restore_stream(
        self, part: Part, sink: StreamCommand, *, progress: BytesProgress | None = None
    ) -> None:
        """See `ports.BackupStore.restore_stream`."""
        script = (
            f"{_HASHED}sha256sum <$sum >$sum.out & sha=$!\n"
            f"{line_of(['restic', 'dump', part.snapshot, part.path])} | tee $sum | "
            f"UNDERWAY_EXEC_STDIN=yes {called_line(sink)}\n"
            'states=("${PIPESTATUS[@]}"); wait $sha; read -r digest _ <$sum.out\n'
            'printf \'{"message_type":"stream","status":%d,"sha256":"%s"}\\n\''
            ' "${states[2]}" "$digest"\nexit "${states[0]}"\n'
        )
        result, seen = self._tried(script, progress)
        if seen.own.get("status"):
            raise StepFailedError(
                "backup-restore-failed",
                f"{self.host}: {part.path} could not be taken back",
                cause=f"the command in {sink.container} ended with {seen.own['status']}",
                hint="the data that serves was not touched",
                detail=result.errors[-10:],
            )
        if result.exit_code:
            raise refusal_of(self.host, "read a dump", result)
        if seen.own.get("sha256") != part.sha256:
            raise IntegrityError(
                "backup-damaged",
                f"{self.host}: {part.path} is not what was kept",
                cause=f"SHA-256 {seen.own.get('sha256')}, the manifest says {part.sha256}",
                hint="take another point; `underway backup verify --all` reads every byte",
            )

    def examine(self, *, progress: BytesProgress | None = None) -> None:
        """See `ports.BackupStore.examine`."""
        result, _ = self._tried("restic check --read-data >&2", progress)
        if not result.exit_code:
            return
        refusal = refusal_of(self.host, "check the repository", result)
        if refusal.code == "backup-store-failed":
            raise IntegrityError(
                "backup-damaged",
                f"{self.host}: the repository is damaged",
                cause=refusal.cause,
                hint="what is not damaged restores still; look at the disk, and back up elsewhere",
                detail=result.errors[-10:],
            )
        raise refusal

    def partials(self, app: AppName) -> tuple[PointId, ...]:
        """See `ports.BackupStore.partials`."""
        snapshots = self._snapshots(app)
        whole = {point.point for point in complete_points(app, snapshots)}
        seen = {PointId(one.tags["point"]) for one in snapshots if one.tags.get("point")}
        return tuple(sorted(seen - whole))

    def unlock(self) -> None:
        """See `ports.BackupStore.unlock`: those of ended processes, and those older than 30 min."""
        self._run("look for dead locks", "restic unlock >&2")

    def forget(
        self, app: AppName, points: Iterable[PointId], *, progress: BytesProgress | None = None
    ) -> None:
        """See `ports.BackupStore.forget`."""
        doomed = set(points)
        held = [one for one in self._snapshots(app) if one.tags.get("point") in doomed]
        seals = [one.id for one in held if one.tags.get("part") == "manifest"]
        rest = [one.id for one in held if one.id not in seals]
        for ids in (seals, rest):
            if ids:
                self._run("forget points", line_of(["restic", "forget", *ids]) + " >&2")
        self._run("free space", "restic prune >&2", progress)

    def _snapshots(self, app: AppName) -> list[Snapshot]:
        listing = line_of(["restic", "snapshots", "--json", "--tag", f"app={app}"])
        seen = self._run("list points", listing)
        return snapshots_of(b"".join(seen.lines))

    def _marks(self, point: PointId, part: str, **more: str) -> list[str]:
        marks = tags(app=self._app, point=point, part=part, **more)
        return ["--host", f"{self._app}.{self.host}", *marks]

    def _run(self, what: str, script: str, progress: BytesProgress | None = None) -> Reader:
        result, seen = self._tried(script, progress)
        if result.exit_code:
            raise refusal_of(self.host, what, result, place=self._place)
        return seen

    def _tried(
        self, script: str, progress: BytesProgress | None = None
    ) -> tuple[JobResult, Reader]:
        reader = Reader(progress)
        result = self._sidecar.run(PRELUDE + script, reader.take)
        return result, reader

    def _dump_failed(self, source: StreamCommand, why: str, result: JobResult) -> StepFailedError:
        return StepFailedError(
            "backup-dump-failed",
            f"{self.host}: the dump in {source.container} failed",
            cause=why,
            hint="what was kept of it is not listed; run the command there yourself",
            detail=result.errors[-10:],
        )


def _counted(said: dict[str, object]) -> Counted:
    return Counted(int(str(said.get("entries", 0))), int(str(said.get("bytes", 0))))
