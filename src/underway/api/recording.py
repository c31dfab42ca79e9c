"""Writes a run into the ledgers: when it begins, and how it ended.

A host whose ledger cannot be written is no reason to stop: the run is recorded on the others.
"""

from dataclasses import dataclass, replace

from underway.api.moments import rfc3339
from underway.api.session import Session, current_release, next_run
from underway.api.steering import Course
from underway.errors import (
    EngineError,
    IntegrityError,
    LockLostError,
    NotUndoneError,
    UnderwayError,
    UnreachableError,
)
from underway.model.event import Level, Outcome
from underway.model.names import NO_RELEASE, HostName, RunNumber
from underway.model.release import RunRecord
from underway.model.snapshot import Snapshot


@dataclass(slots=True)
class Recorder:
    """The record of one run."""

    session: Session
    record: RunRecord

    @property
    def number(self) -> RunNumber:
        """The run's number: it fences the edges against older runs."""
        return self.record.number

    @classmethod
    def begin(cls, session: Session, course: Course, snapshot: Snapshot) -> "Recorder":
        """Number the run and write its beginning where there is a ledger."""
        record = RunRecord(
            number=next_run(snapshot),
            command=course.job.command,
            release=course.release.number,
            actor=session.voice.actor,
            started_at=rfc3339(session.clock.now()),
        )
        recorder = cls(session, record)
        recorder.write(tuple(host.name for host in snapshot.reachable if host.ledger))
        return recorder

    def end(self, error: UnderwayError | None, seen: Snapshot | None = None) -> None:
        """Write how it ended; `seen` is what its end was told from, if that was just observed."""
        if isinstance(error, LockLostError):
            return
        outcome, code = Outcome.DONE, 0
        if error is not None:
            code = error.exit_code
            outcome = Outcome.NOT_UNDONE if isinstance(error, NotUndoneError) else Outcome.UNDONE
        snapshot = seen or self.session.observe()
        serving = current_release(snapshot)
        current = serving.number if serving else NO_RELEASE
        self.record = replace(
            self.record,
            ended_at=rfc3339(self.session.clock.now()),
            outcome=outcome.value,
            exit_code=code,
            current=self.record.release if outcome is Outcome.DONE else current,
            cause=str(error) if error else "",
        )
        self.write(tuple(host.name for host in snapshot.reachable if host.ledger))

    def write(self, hosts: tuple[HostName, ...]) -> None:
        """Write the record on `hosts`; what fails is noted."""
        for host in hosts:
            try:
                self.session.world.ledger(host).record_run(self.record)
            except (UnreachableError, EngineError, IntegrityError) as error:
                self.session.voice.note(
                    Level.WARNING, "run-not-recorded", f"{host}: {error.message}"
                )
