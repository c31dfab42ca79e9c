"""What a release is compared with: another one, or the file as it would be shipped now."""

from dataclasses import replace

import pytest

from tests.fakes.session import KEY, SimulatedSession, simulated
from tests.property.fleets import SECRET, Pair, hosts, proxied, release, service, with_secret
from tests.unit.api.voyages import serving_first
from underway.api.comparing import compare
from underway.api.past import release_detail
from underway.errors import RefusedError
from underway.model.change import Turn
from underway.model.names import NO_RELEASE, ReleaseNumber
from underway.model.release import Release
from underway.model.sensitive import Sensitive
from underway.model.spec import BuildSpec, ServiceSpec

ONE = hosts(1)
WEB = with_secret(proxied("web", ONE))


def session_over(current: Release, file: ServiceSpec, value: bytes = b"s1") -> SimulatedSession:
    """The app runs `current`, and the file says `file` with a value of its secret."""
    fleet = serving_first(Pair(current, current))
    session = simulated(fleet, lambda: release(2, (file,), ONE))
    session.values = {SECRET: Sensitive(value)}
    return session


def test_a_file_that_says_the_same_differs_in_nothing() -> None:
    current = release(1, (WEB,), ONE)
    found = compare(session_over(current, WEB))
    assert (found.before, found.after, found.parts, found.unknown) == (1, NO_RELEASE, (), ())


def test_a_port_that_the_image_told_is_no_difference() -> None:
    assert WEB.proxy
    unsaid = replace(WEB, proxy=replace(WEB.proxy, port=0))
    assert compare(session_over(release(1, (WEB,), ONE), unsaid)).parts == ()


def test_another_value_of_a_secret_is_told_by_its_name() -> None:
    found = compare(session_over(release(1, (WEB,), ONE), WEB, b"rotated"))
    (detail,) = found.parts[0].details
    assert (detail.kind, detail.name, detail.turn) == ("secret", "/run/secrets/key", Turn.CHANGED)
    assert "rotated" not in repr(found)
    assert KEY.decode() not in repr(found)


def test_what_is_built_is_unknown_and_another_reference_is_told() -> None:
    built = replace(WEB, build=BuildSpec(".", "Dockerfile", "{}"))
    current = release(1, (built, service("db", ONE)), ONE)
    session = session_over(current, built)
    file = (replace(service("db", ONE), image="db:18"), built)
    session.spec = replace(current.spec, services=file)
    found = compare(session)
    assert found.unknown == ("web",)
    (part,) = found.parts
    assert part.service == "db"
    assert [(d.kind, d.after) for d in part.details] == [
        ("image", "db:18"),
        ("image name", "db:18"),
    ]


def test_a_release_that_is_not_there_is_refused() -> None:
    session = session_over(release(1, (WEB,), ONE), WEB)
    with pytest.raises(RefusedError) as caught:
        compare(session, ReleaseNumber(9))
    assert caught.value.code == "release-unknown"
    with pytest.raises(RefusedError) as other:
        release_detail(session, ReleaseNumber(9))
    assert other.value.code == "release-unknown"


def test_without_a_number_the_release_is_the_one_that_runs() -> None:
    detail = release_detail(session_over(release(1, (WEB,), ONE), WEB))
    assert detail.status.release.number == 1
    assert detail.status.is_current
    assert [run.number for run in detail.runs] == [1]
