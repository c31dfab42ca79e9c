"""Tags of releases over a simulated fleet and a registry in memory."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.fakes.registry import FakeRegistry, digest_of
from tests.fakes.session import SimulatedSession, simulated, steps_over_simulation
from tests.property.fleets import Pair
from tests.unit.api.voyages import APP1, WEB, serving_first, web_pair
from underway import api
from underway.errors import RefusedError
from underway.model.event import Note
from underway.model.names import ReleaseNumber
from underway.model.release import Release
from underway.model.spec import BuildSpec
from underway.model.tagging import TagKind
from underway.ports.registry import Manifest

REPOSITORY = "registry.test/web"
OCI = "application/vnd.oci.image.manifest.v1+json"


@pytest.fixture(autouse=True)
def over_simulation(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with steps_over_simulation(monkeypatch):
        yield


def pushed(registry: FakeRegistry, release: Release, tag: str, moving: tuple[str, ...]) -> Release:
    """The release as if it had been built and pushed under `tag`."""
    made = json.dumps({"created": f"2026-01-0{release.number}T00:00:00Z"}).encode()
    part = {"digest": registry.upload(REPOSITORY, made), "size": len(made)}
    content = json.dumps({"config": part, "layers": [{"digest": part["digest"], "size": 1000}]})
    manifest = Manifest(digest_of(content.encode()), OCI, content.encode())
    registry.put(REPOSITORY, tag, manifest)
    (entry,) = release.images
    image = replace(
        entry.image,
        reference=f"{REPOSITORY}:{tag}",
        repository=REPOSITORY,
        manifest_digest=manifest.digest,
    )
    (web,) = release.spec.services
    services = (replace(web, build=BuildSpec(".", "Dockerfile", "{}")),)
    spec = replace(release.spec, services=services, environment="prod", moving_tags=moving)
    images = (replace(entry, image=image),)
    return replace(release, spec=spec, images=images, tag=tag, tags=(tag,))


class Team:
    """An app with two releases in a registry; the first serves."""

    def __init__(self, moving: tuple[str, ...] = ()) -> None:
        self.registry = FakeRegistry()
        pair = web_pair()
        self.pair = Pair(
            pushed(self.registry, pair.old, "1.0.0", moving),
            pushed(self.registry, pair.new, "1.1.0", moving),
        )
        self.fleet = serving_first(self.pair)

    def session(self) -> SimulatedSession:
        session = simulated(self.fleet, lambda: self.pair.new)
        session.workshop = replace(session.workshop, registry=lambda: self.registry)
        return session

    def named(self, tag: str) -> str:
        found = self.registry.manifest(REPOSITORY, tag)
        return found.digest if found else ""

    @property
    def digests(self) -> tuple[str, str]:
        (old,), (new,) = self.pair.old.images, self.pair.new.images
        return old.image.manifest_digest, new.image.manifest_digest


def test_a_tag_is_given_by_the_same_manifest_and_names_the_release() -> None:
    team = Team()
    for _ in range(2):
        api.add_tag(team.session(), ReleaseNumber(1), "approved")
    assert team.named("approved") == team.digests[0]
    (only,) = api.release_list(team.session())
    assert only.names == ("1.0.0", "approved")


def test_a_tag_that_names_another_image_is_refused_with_both_digests() -> None:
    team = Team()
    with pytest.raises(RefusedError) as caught:
        api.add_tag(team.session(), ReleaseNumber(1), "1.1.0")
    assert caught.value.code == "tag-taken"
    assert all(digest in caught.value.cause for digest in team.digests)
    assert team.named("1.1.0") == team.digests[1]


def test_a_tag_of_another_release_is_refused_though_no_registry_has_it() -> None:
    team = Team()
    api.deploy(team.session())
    api.add_tag(team.session(), ReleaseNumber(1), "approved")
    team.registry.untag(REPOSITORY, "approved")
    with pytest.raises(RefusedError) as caught:
        api.add_tag(team.session(), ReleaseNumber(2), "approved")
    assert caught.value.code == "tag-taken"


def test_only_a_given_tag_is_taken_away_and_may_be_given_anew() -> None:
    team = Team()
    api.add_tag(team.session(), ReleaseNumber(1), "approved")
    with pytest.raises(RefusedError, match="was not given"):
        api.remove_tag(team.session(), "1.0.0")
    api.remove_tag(team.session(), "approved")
    assert team.named("approved") == ""
    assert team.named("1.0.0") == team.digests[0]
    api.deploy(team.session())
    api.add_tag(team.session(), ReleaseNumber(2), "approved")
    assert team.named("approved") == team.digests[1]


def test_moving_tags_follow_what_serves_forth_and_back_and_name_no_release() -> None:
    team = Team(moving=("{environment}",))
    old, new = team.digests
    session = team.session()
    api.deploy(session)
    assert team.named("prod") == new
    notes = [event.body for event in session.events if isinstance(event.body, Note)]
    assert any(note.code == "tag-moved" and new[:19] in note.text for note in notes)
    api.rollback(team.session())
    assert team.named("prod") == old
    with pytest.raises(RefusedError, match="follows what serves"):
        api.add_tag(team.session(), ReleaseNumber(1), "prod")
    again = team.session()
    api.rollback(again, api.DeployOptions(release=ReleaseNumber(1)))
    assert not [event for event in again.events if getattr(event.body, "code", "") == "tag-moved"]


def test_the_list_tells_every_tag_with_what_it_names_and_where_that_runs() -> None:
    team = Team(moving=("{environment}",))
    api.deploy(team.session())
    api.add_tag(team.session(), ReleaseNumber(1), "approved")
    other = Manifest(digest_of(b"{}"), OCI, b"{}")
    team.registry.put(REPOSITORY, "theirs", other)
    team.registry.put(REPOSITORY, "sha256-abc", other)
    found = {tag.tag: tag for tag in api.list_tags(team.session())}
    assert {name: (tag.kind, tag.release, tag.hosts) for name, tag in found.items()} == {
        "1.1.0": (TagKind.OWN, 2, (APP1,)),
        "prod": (TagKind.MOVING, 2, (APP1,)),
        "1.0.0": (TagKind.OWN, 1, ()),
        "approved": (TagKind.GIVEN, 1, ()),
        "theirs": (TagKind.FOREIGN, 0, ()),
    }
    assert found["1.1.0"].digest == team.digests[1]
    assert found["1.1.0"].created_at == "2026-01-02T00:00:00Z"
    assert found["1.1.0"].size_bytes > 1000


def test_a_release_that_holds_uncommitted_work_is_refused_by_the_policy() -> None:
    team = Team()
    team.pair = Pair(team.pair.old, replace(team.pair.new, commit="c" * 40 + "-dirty"))
    number = api.ship(team.session()).number
    session = team.session()
    session.requires_clean = True
    with pytest.raises(RefusedError) as caught:
        api.deploy(session, api.DeployOptions(release=number))
    assert caught.value.code == "release-dirty"
    assert [entry.service for entry in team.pair.new.images] == [WEB]
