"""Tests of an image: what the file declares, what a run of them gave, and what is remembered.

A suite runs the image of one service as it would be shipped, with the services it needs. What
passed is attested by the digest of its definition, which covers the images: an image that passed
these tests once need not be tested again.
"""

from dataclasses import dataclass
from enum import StrEnum

from underway.model.names import HostName, ServiceName
from underway.model.spec import EnvVar


@dataclass(frozen=True, slots=True)
class SuiteSpec:
    """One suite of tests.

    Attributes:
        command: replaces the service's command; () keeps it.
        entrypoint: replaces the image's entrypoint; () keeps it.
        environment: over the service's own, which it replaces by name.
        needs: services that must be ready before, with those they depend on.
        last_line: what the last line of output must be, or "" where the exit status decides.
        junit: path in the container of a JUnit XML file or a directory of them, or "".
        host: the host of the app that it runs on, or "" for the engine that builds.
        has_internet: whether its network reaches beyond the engine.
        place: `file:line` of the suite.
    """

    name: str
    service: ServiceName
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    environment: tuple[EnvVar, ...] = ()
    needs: tuple[ServiceName, ...] = ()
    timeout_s: float = 600.0
    needs_timeout_s: float = 120.0
    last_line: str = ""
    junit: str = ""
    host: HostName | None = None
    has_internet: bool = False
    place: str = ""


@dataclass(frozen=True, slots=True)
class Suites:
    """The suites of a file. `is_required`: what did not pass is neither pushed nor deployed."""

    suites: tuple[SuiteSpec, ...] = ()
    is_required: bool = True


class SuiteOutcome(StrEnum):
    """How a suite ended."""

    PASSED = "passed"
    ATTESTED = "attested"
    """It passed before, with the same images and the same definition: it was not run again."""
    FAILED = "failed"
    NO_LAST_LINE = "no-last-line"
    """It ended with 0, but its last line is not the one that stands for success."""
    TIMEOUT = "timeout"
    NEED_FAILED = "need-failed"
    BROKEN = "broken"
    """It could not be run: an engine refused, or did not answer."""

    @property
    def is_good(self) -> bool:
        """Whether the image may be shipped as far as this suite goes."""
        return self in {SuiteOutcome.PASSED, SuiteOutcome.ATTESTED}


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """What a suite came to.

    Attributes:
        code: the error's code, "" for a good outcome.
        message: what happened, and `cause` why.
        detail: the last lines of the containers that tell, health checks among them.
        reports: JUnit XML documents that the suite wrote.
        logs: the directory that holds what its containers wrote, or "".
    """

    suite: str
    service: ServiceName
    outcome: SuiteOutcome
    duration_s: float = 0.0
    exit_code: int | None = None
    code: str = ""
    message: str = ""
    cause: str = ""
    hint: str = ""
    detail: tuple[str, ...] = ()
    reports: tuple[str, ...] = ()
    logs: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Attestation:
    """That a suite passed. `definition` is the digest of `image.testing.definition`.

    `image` is the digest of the tested image's configuration, `passed_at` RFC 3339 in UTC.
    """

    definition: str
    suite: str
    service: ServiceName
    image: str
    passed_at: str = ""
    passed_by: str = ""


@dataclass(frozen=True, slots=True, order=True)
class ReleasedSuite:
    """A suite that a release was to pass, and whether it had when the release was made."""

    suite: str
    definition: str
    has_passed: bool = True


class Proof(StrEnum):
    """What is known of a release's tests."""

    NONE = ""
    PASSED = "passed"
    UNTESTED = "untested"


def proof_of(suites: tuple[ReleasedSuite, ...], attested: frozenset[str]) -> Proof:
    """What a release's suites prove, with all definitions that are attested by now."""
    if not suites:
        return Proof.NONE
    if all(suite.has_passed or suite.definition in attested for suite in suites):
        return Proof.PASSED
    return Proof.UNTESTED
