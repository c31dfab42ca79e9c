"""A suite's surroundings: as deployed, but for what would reach outside; and what is attested."""

import json
from dataclasses import replace

import pytest

from tests.unit.image.testing.scene import (
    DB,
    DB_SERVICE,
    IMAGES,
    SPEC,
    SUITE,
    WEB,
    WEB_SERVICE,
    with_service,
)
from underway.image.testing.definition import Images, definition_of, needed_services
from underway.image.testing.plan import Setting, plan_suite
from underway.model.names import LABEL_APP, HostName, ServiceName
from underway.model.spec import AppSpec, Dependency, EnvVar, MountKind
from underway.model.testing import SuiteSpec

IDS = {WEB: "sha256:web", DB: "sha256:db"}


def setting(suite: SuiteSpec = SUITE, **changes: object) -> Setting:
    return plan_suite(with_service(**changes), suite, IDS, "cafe0123")


def test_nothing_of_a_suite_belongs_to_the_app_or_is_seen_outside():
    made = setting()
    for member in (*made.needs, made.subject):
        labels = dict(member.request.labels)
        assert LABEL_APP not in labels
        assert "traefik.enable" not in labels
        assert member.request.published == ()
        host = json.loads(member.request.engine)["HostConfig"]
        assert host["RestartPolicy"]["Name"] in {"no", "on-failure"}
    assert made.network.is_internal
    assert not setting(replace(SUITE, has_internet=True)).network.is_internal


def test_volumes_are_fresh_and_what_the_host_holds_is_only_read():
    made = setting()
    sources = {m.target: (m.kind, m.source) for m in made.subject.request.mounts}
    assert sources["/uploads"] == (MountKind.VOLUME, "libra-test-cafe01-web-volume-uploads")
    assert sources["/data"] == (MountKind.VOLUME, "")
    assert sources["/etc/ssl"] == (MountKind.BIND, "/etc/ssl")
    assert made.replaced == ("/srv/data",)
    assert {volume.driver_opts for volume in made.volumes} == {()}


def test_names_on_the_network_are_those_of_the_services():
    made = setting()
    assert made.needs[0].request.networks[0].aliases == ("db",)
    assert made.subject.request.networks[0].aliases == ("web",)
    beside = setting(replace(SUITE, needs=(WEB,)))
    assert [member.service for member in beside.needs] == [DB, WEB]
    assert beside.subject.request.networks[0].aliases == ()


def test_command_entrypoint_and_environment_switch_to_testing():
    made = setting(
        replace(SUITE, entrypoint=("/run",), environment=(EnvVar("MODE", "test"),))
    ).subject.request
    config = json.loads(made.engine)["Config"]
    assert config == {"Entrypoint": ["/run"]}
    assert made.command == ("/app/test.sh",)
    assert [v.value for v in made.environment if v.name == "MODE"] == ["test"]
    kept = setting(replace(SUITE, command=())).subject.request
    assert json.loads(kept.engine)["Config"] == {"Cmd": ["serve"]}


def test_what_a_need_depends_on_comes_first_and_a_ring_ends():
    queue = replace(DB_SERVICE, name=ServiceName("queue"))
    web = replace(WEB_SERVICE, depends_on=(Dependency(queue.name), Dependency(DB)))
    ring = replace(queue, depends_on=(Dependency(WEB),))
    for services in ((DB_SERVICE, queue, web), (DB_SERVICE, ring, web)):
        spec = replace(SPEC, services=services)
        found = [s.name for s in needed_services(spec, replace(SUITE, needs=(WEB,)))]
        assert sorted(found) == ["db", "queue", "web"]
        assert found.index(DB) < found.index(WEB)


ANOTHER_IMAGE = {**IMAGES, DB: replace(IMAGES[DB], config_digest="sha256:other")}


@pytest.mark.parametrize(
    ("suite", "spec", "images"),
    [
        (replace(SUITE, command=("/other",)), SPEC, IMAGES),
        (replace(SUITE, last_line="OK"), SPEC, IMAGES),
        (replace(SUITE, needs=()), SPEC, IMAGES),
        (SUITE, with_service(environment=()), IMAGES),
        (SUITE, SPEC, ANOTHER_IMAGE),
    ],
)
def test_another_test_is_not_attested_by_the_first(suite: SuiteSpec, spec: AppSpec, images: Images):
    assert definition_of(spec, suite, images) != definition_of(SPEC, SUITE, IMAGES)


@pytest.mark.parametrize(
    ("suite", "spec"),
    [
        (replace(SUITE, timeout_s=1, place="x:1", host=HostName("h1")), SPEC),
        (SUITE, with_service(replicas=9, labels=(), place="x:2")),
    ],
)
def test_what_no_verdict_depends_on_changes_nothing(suite: SuiteSpec, spec: AppSpec):
    assert definition_of(spec, suite, IMAGES) == definition_of(SPEC, SUITE, IMAGES)
