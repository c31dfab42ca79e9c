"""The tests of the images: run where they are declared, between building and pushing.

What passed is attested in the ledger by the digest of its definition, which covers the images, so
that the same image is not tested twice, whoever ships it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import assert_never

from underway.api.account import accounted
from underway.api.moments import rfc3339
from underway.api.session import Session, current_release, ledgers_of
from underway.api.verdicts import failure_of
from underway.errors import (
    ConfigurationError,
    EngineError,
    IntegrityError,
    UnreachableError,
    UsageError,
)
from underway.errors.suggestion import name_hint
from underway.image.testing.bench import Bench, Caller, run_suites
from underway.image.testing.definition import definition_of
from underway.image.testing.leftovers import sweep
from underway.model.event import Level, Outcome
from underway.model.image import ImageIdentity
from underway.model.names import LABEL_TEST, HostName, ServiceName
from underway.model.snapshot import Snapshot
from underway.model.testing import (
    Attestation,
    ReleasedSuite,
    SuiteOutcome,
    SuiteResult,
    Suites,
    SuiteSpec,
)


class Purpose(StrEnum):
    """What images are proved for."""

    SHIP = "ship"
    """Run what is not attested; what fails ends the run before anything is pushed."""
    SHIP_UNTESTED = "ship-untested"
    PLAN = "plan"
    """Run nothing; push nothing that is not attested."""
    TEST = "test"
    """Run what was asked for, and push nothing."""


@dataclass(frozen=True, slots=True)
class SuiteOptions:
    """What the user asks of `test`: which suites ((): all), where, and whether again."""

    suites: tuple[str, ...] = ()
    host: HostName | None = None
    is_again: bool = False


@dataclass(frozen=True, slots=True)
class SuiteReport:
    """What a run of tests came to. `exit_code` is the command's."""

    results: tuple[SuiteResult, ...]
    exit_code: int
    duration_s: float
    logs: str


@dataclass(slots=True)
class Proving:
    """Called with the images before any is pushed: runs their tests, and says whether to push.

    `released` and `results` tell afterwards what was to pass, and what came of it.
    """

    session: Session
    snapshot: Snapshot
    purpose: Purpose
    options: SuiteOptions = field(default_factory=SuiteOptions)
    released: tuple[ReleasedSuite, ...] = ()
    results: tuple[SuiteResult, ...] = ()

    def __call__(self, images: Mapping[ServiceName, ImageIdentity]) -> bool:
        """Whether the images may be pushed; raises what ends the run."""
        session = self.session
        suites = self._chosen()
        definitions = {s.name: definition_of(session.spec, s, images) for s in suites}
        known = attested(session, self.snapshot)
        is_run = self.purpose is Purpose.TEST or (
            self.purpose is Purpose.SHIP and session.testing.is_required
        )
        if is_run:
            again = self.options.is_again
            todo = [s for s in suites if again or definitions[s.name] not in known]
            self.results = self._run(suites, todo, images)
            self._attest(definitions, images)
            known = attested(session, self.snapshot)
            failure = failure_of(self.results)
            if failure is not None and self.purpose is Purpose.SHIP:
                raise failure
        self.released = tuple(
            ReleasedSuite(s.name, definitions[s.name], has_passed=definitions[s.name] in known)
            for s in suites
            if session.testing.is_required or definitions[s.name] in known
        )
        return self._is_pushed()

    def _is_pushed(self) -> bool:
        match self.purpose:
            case Purpose.TEST:
                return False
            case Purpose.PLAN:
                is_proved = all(suite.has_passed for suite in self.released)
                if not is_proved and self.session.testing.is_required:
                    text = "not tested yet, so the image is not pushed: deploy does both"
                    self.session.voice.note(Level.INFO, "plan-untested", text)
                    return False
                return True
            case Purpose.SHIP | Purpose.SHIP_UNTESTED:
                return True
            case _:
                assert_never(self.purpose)

    def _chosen(self) -> tuple[SuiteSpec, ...]:
        suites = self.session.testing.suites
        wanted = self.options.suites
        return tuple(
            suite_on(suite, self.options.host)
            for suite in suites
            if not wanted or suite.name in wanted
        )

    def _run(
        self,
        suites: Sequence[SuiteSpec],
        todo: Sequence[SuiteSpec],
        images: Mapping[ServiceName, ImageIdentity],
    ) -> tuple[SuiteResult, ...]:
        session = self.session
        found = {
            suite.name: SuiteResult(suite.name, suite.service, SuiteOutcome.ATTESTED)
            for suite in suites
        }
        if todo:
            voice = session.voice
            benches: dict[HostName | None, Bench] = {
                host: session.workshop.bench(host, voice)
                for host in sorted({suite.host for suite in todo}, key=str)
            }
            caller = Caller(voice.run, voice, session.clock, session.cancel)
            done = run_suites(session.spec, todo, images, benches, caller)
            found |= {result.suite: result for result in done}
        for name in sorted({s.name for s in suites} - {s.name for s in todo}):
            text = f"suite {name} passed before, with the same images and definition"
            session.voice.note(Level.INFO, "test-attested", text)
        return tuple(found[suite.name] for suite in suites)

    def _attest(
        self, definitions: Mapping[str, str], images: Mapping[ServiceName, ImageIdentity]
    ) -> None:
        session = self.session
        for result in self.results:
            if result.outcome is SuiteOutcome.PASSED:
                definition = definitions[result.suite]
                session.attestations[definition] = Attestation(
                    definition=definition,
                    suite=result.suite,
                    service=result.service,
                    image=images[result.service].config_digest,
                    passed_at=rfc3339(session.clock.now()),
                    passed_by=session.voice.actor,
                )
        record_attestations(session, self.snapshot)


def _require_suites(testing: Suites, wanted: Sequence[str]) -> None:
    names = [suite.name for suite in testing.suites]
    for name in wanted:
        if name not in names:
            raise UsageError(
                "suite-unknown",
                f"the file has no suite `{name}`",
                cause=f"`x-underway.test` has {', '.join(f'`{one}`' for one in names)}",
                hint=name_hint(name, names),
            )


def test(session: Session, options: SuiteOptions | None = None) -> SuiteReport:  # noqa: PT028
    """Build the images as a deploy would, run the suites on them, and push nothing.

    Failing suites are in the report; raised is what kept them from being run at all:
    ConfigurationError `tests-missing`, UsageError `suite-unknown`, and what building raises.
    """
    if not session.testing.suites:
        raise ConfigurationError(
            "tests-missing",
            "the file declares no tests",
            cause="x-underway has no `test`",
            hint="Add `test: {service: web, command: /app/test.sh}` to x-underway.",
        )
    _require_suites(session.testing, (options or SuiteOptions()).suites)
    with accounted(session, "test") as account:
        snapshot = session.observe()
        proving = Proving(session, snapshot, Purpose.TEST, options or SuiteOptions())
        previous = current_release(snapshot)
        session.workshop.ship(session.spec, previous, frozenset(), session.voice, proving)
        failure = failure_of(proving.results)
        if failure is not None:
            account.outcome, account.exit_code = Outcome.FAILED, failure.exit_code
            account.text = failure.message
    logs = next((result.logs for result in proving.results if result.logs), "")
    return SuiteReport(proving.results, account.exit_code, account.duration_s, logs)


def attested(session: Session, snapshot: Snapshot) -> frozenset[str]:
    """The definitions that are attested: in any ledger, or in this run."""
    recorded = {one.definition for ledger in ledgers_of(snapshot) for one in ledger.attestations}
    return frozenset(recorded | set(session.attestations))


def record_attestations(session: Session, snapshot: Snapshot) -> None:
    """Write this run's attestations to every ledger that lacks them; what fails is noted."""
    for host in snapshot.reachable:
        if host.ledger is None:
            continue
        known = {one.definition for one in host.ledger.attestations}
        for definition in sorted(set(session.attestations) - known):
            try:
                session.world.ledger(host.name).record_attestation(session.attestations[definition])
            except (UnreachableError, EngineError, IntegrityError) as error:
                text = f"{host.name}: {error.message}"
                session.voice.note(Level.WARNING, "attestation-not-recorded", text)


def sweep_tests(session: Session, snapshot: Snapshot) -> None:
    """Remove what tests left whose client had died, where a host shows any; failures are noted."""
    for host in snapshot.reachable:
        labels = [container.labels for container in host.containers]
        labels += [network.labels for network in host.networks]
        labels += [volume.labels for volume in host.volumes]
        if not any(dict(found).get(LABEL_TEST) == session.app for found in labels):
            continue
        try:
            engine = session.world.engine(host.name)
            for text in sweep(engine, session.app, session.clock.now()):
                session.voice.note(Level.INFO, "test-leftovers", text)
        except (UnreachableError, EngineError) as error:
            session.voice.note(Level.WARNING, "test-left", f"{host.name}: {error.message}")


def suite_on(suite: SuiteSpec, host: HostName | None) -> SuiteSpec:
    """The suite, on another host if one is named."""
    return replace(suite, host=host) if host else suite
