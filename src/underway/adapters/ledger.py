"""`ports.Ledger`: an append-only chain of records in the anchor, read whole in one call.

A record is written aside, synced, and linked to its number: the link fails if the number is taken,
so two writers cannot both append after the same record, and a half-written one is never seen.
"""

import io
import re
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from underway.adapters.anchor import Anchor
from underway.adapters.chain import (
    Acceptance,
    Body,
    Current,
    Link,
    checked,
    hash_of,
    state,
    written,
)
from underway.adapters.scrutiny import doubts_of
from underway.adapters.signature import TeamKey
from underway.errors import IntegrityError, RefusedError
from underway.kernel.doubts import refusal
from underway.model.history import Doubt, DoubtKind
from underway.model.names import AppName, HostName, ReleaseNumber
from underway.model.release import Adjustment, Binding, LedgerState, Limit, Release, RunRecord
from underway.model.tagging import ReleaseTag
from underway.model.testing import Attestation
from underway.ports import CommandRunner

_READ: Final = "cd /ledger && mkdir -p records && tar -cz --hard-dereference --exclude='.*' records"
_APPEND: Final = """
set -eu
umask 077
cd /ledger
mkdir -p records
find records -name '.*.part' -mmin +60 -delete
part=records/.$1.$$.part
cat > "$part"
sync "$part"
if ! ln "$part" "records/$1.json" 2>/dev/null; then
  rm -f "$part"
  if [ -e "records/$1.json" ]; then exit 75; fi
  echo "records/$1.json could not be linked" >&2
  exit 1
fi
rm -f "$part"
sync records
"""
_TAKEN: Final = 75
_CHANGED_MEANWHILE: Final = 1
_NAME: Final = re.compile(r"^(?:\./)?records/(\d{6,})\.json$")
_ATTEMPTS: Final = 5


class AnchorLedger:
    """Releases and runs of one app on one host.

    With a team key every record is signed, and none is written after one that is in doubt: a
    signature vouches for all that stands before it.
    """

    def __init__(
        self,
        engine: CommandRunner,
        app: AppName,
        *,
        key: TeamKey | None = None,
        on_head: Callable[[str], None] = lambda _: None,
    ) -> None:
        """The ledger in the anchor of `app` on the host of `engine`.

        `on_head` is told the hash of each record that was written.
        """
        self._anchor = Anchor(engine, app)
        self._key = key
        self._on_head = on_head

    @property
    def host(self) -> HostName:
        """The host."""
        return self._anchor.host

    def read(self) -> LedgerState | None:
        """All that is recorded; None where there is no anchor. IntegrityError if altered."""
        links = self._links()
        return None if links is None else self._state(links)

    def record_release(self, release: Release) -> None:
        """Write a release's record; another content under a known number is refused."""

        def is_known(ledger: LedgerState) -> bool:
            for known in ledger.releases:
                if known.number == release.number and known != release:
                    raise _conflict(self.host, f"release {release.number}")
            return release in ledger.releases

        self._append(release, is_known)

    def set_current(
        self,
        release: ReleaseNumber,
        bindings: Sequence[Binding],
        asked: Sequence[Adjustment] = (),
        limit: Limit | None = None,
    ) -> None:
        """Write which release the app runs, and what was asked beside it."""
        body = Current(release, tuple(sorted(bindings)), tuple(sorted(asked)), limit)

        def is_known(ledger: LedgerState) -> bool:
            known = Current(ledger.current, ledger.bindings, ledger.adjustments, ledger.limit)
            return known == body

        self._append(body, is_known)

    def record_run(self, run: RunRecord) -> None:
        """Write a run's record, or complete one that has not ended."""

        def is_known(ledger: LedgerState) -> bool:
            for known in ledger.runs:
                if known.number == run.number and known.ended_at and known != run:
                    raise _conflict(self.host, f"run {run.number}")
            return run in ledger.runs

        self._append(run, is_known)

    def record_attestation(self, attestation: Attestation) -> None:
        """Write that a suite passed, unless its definition is attested already."""

        def is_known(ledger: LedgerState) -> bool:
            return any(known.definition == attestation.definition for known in ledger.attestations)

        self._append(attestation, is_known)

    def record_tag(self, tag: ReleaseTag) -> None:
        """Write that a tag was given or taken, unless that is the last word on it already."""

        def is_known(ledger: LedgerState) -> bool:
            for known in ledger.tags:
                if known.tag == tag.tag:
                    return (known.release, known.is_removed) == (tag.release, tag.is_removed)
            return tag.is_removed

        self._append(tag, is_known)

    def accept(self, actor: str, accepted_at: str) -> None:
        """Write that all records so far are the right ones; IntegrityError without a team key."""
        if self._key is None:
            raise refusal(self.host, [Doubt(DoubtKind.KEYLESS)])
        self._append(Acceptance(actor, accepted_at), lambda ledger: not ledger.doubts)

    def _state(self, links: Sequence[Link]) -> LedgerState:
        told = state(self.host, links)
        return replace(told, doubts=doubts_of(links, has_key=self._key is not None))

    def _append(self, body: Body, is_known: Callable[[LedgerState], bool]) -> None:
        """Append unless it stands there already; another writer's record is looked at first."""
        for _ in range(_ATTEMPTS):
            links = self._links() or ()
            ledger = self._state(links)
            if ledger.doubts and not isinstance(body, Acceptance):
                raise refusal(self.host, ledger.doubts)
            if links and is_known(ledger):
                return
            sequence, data = written(body, links[-1] if links else None, self._key)
            result = self._anchor.run(_APPEND, f"{sequence:06}", stdin=data)
            if result.exit_code == 0:
                self._on_head(hash_of(data))
                return
            if result.exit_code != _TAKEN:
                raise self._anchor.failure("write the ledger", result)
        raise RefusedError(
            "ledger-busy",
            f"{self.host}: others write the ledger at the same time",
            hint="Find out who else works on this app, then run again.",
        )

    def _links(self) -> tuple[Link, ...] | None:
        result = self._anchor.ask(_READ)
        if result is None:
            return None
        if result.exit_code not in {0, _CHANGED_MEANWHILE}:
            raise self._anchor.failure("read the ledger", result)
        return checked(self.host, _unpacked(self.host, result.stdout), self._key)


def _unpacked(host: HostName, archive: bytes) -> dict[int, bytes]:
    files: dict[int, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
            for entry in tar:
                name = _NAME.match(entry.name)
                content = tar.extractfile(entry) if name and entry.isfile() else None
                if name and content is not None:
                    files[int(name[1])] = content.read()
    except (tarfile.TarError, EOFError, OSError) as error:
        raise IntegrityError(
            "record-altered",
            f"{host}: the ledger could not be read whole",
            cause=str(error),
            hint="Run the command again; if it stays, look at the anchor and its disk.",
        ) from error
    return files


def _conflict(host: HostName, what: str) -> IntegrityError:
    return IntegrityError(
        "record-conflict",
        f"{host}: {what} is recorded already, with another content",
        hint="Another run took the number. Run the command again: it takes the next one.",
    )
