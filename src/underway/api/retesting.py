"""Tests of a release that is recorded already: its very images, configuration and values."""

from dataclasses import replace
from typing import TYPE_CHECKING

from underway.api.account import accounted
from underway.api.attesting import attest_in_registry
from underway.api.session import Session
from underway.api.shipping import Cargo, recorded
from underway.api.testing import (
    Proving,
    Purpose,
    SuiteOptions,
    SuiteReport,
    reported,
    require_suites,
)
from underway.errors import RefusedError
from underway.kernel.telling import Voice
from underway.model.names import HostName, ReleaseNumber, ServiceName

if TYPE_CHECKING:
    from underway.image.testing.bench import Bench


def retest(
    session: Session, number: ReleaseNumber, options: SuiteOptions | None = None
) -> SuiteReport:
    """Run the file's suites on a recorded release, and attest what passes; nothing is built.

    Raises RefusedError (`release-unknown`, `suite-service-missing`), IntegrityError
    (`record-conflict`, `values-missing`), UsageError `suite-unknown`.
    """
    require_suites(session, (options or SuiteOptions()).suites)
    with accounted(session, "test", number) as account:
        snapshot = session.observe()
        cargo = recorded(session, snapshot, number)
        _require_services(session, cargo)
        proving = Proving(
            _as_released(session, cargo), snapshot, Purpose.TEST, options or SuiteOptions()
        )
        proving({entry.service: entry.image for entry in cargo.release.images})
        attest_in_registry(session, session.observe(), cargo.release)
        return reported(proving, account)


def _as_released(session: Session, cargo: Cargo) -> Session:
    """The session with the release's configuration; its values over those that tests alone have."""

    def bench(host: HostName | None, voice: Voice) -> "Bench":
        made = session.workshop.bench(host, voice)
        return replace(made, values={**made.values, **cargo.values})

    workshop = replace(session.workshop, bench=bench)
    return replace(session, spec=cargo.release.spec, workshop=workshop)


def _require_services(session: Session, cargo: Cargo) -> None:
    known = {service.name for service in cargo.release.spec.services}
    for suite in session.testing.suites:
        missing: list[ServiceName] = sorted({suite.service, *suite.needs} - known)
        if missing:
            raise RefusedError(
                "suite-service-missing",
                f"suite {suite.name} names `{missing[0]}`, which release {cargo.release.number}"
                " has not",
                hint="Check out the commit of the release, whose file has the suites for it.",
                place=suite.place,
            )
