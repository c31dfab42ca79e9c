"""What taking over from Compose asks for, keeps and refuses."""

from dataclasses import replace

import pytest

from tests.fakes.simulated_host import Box
from tests.property.composed import ADOPT, RELEASES, composed
from tests.property.fleets import APP
from tests.property.voyage import DEPLOY, planned
from underway.errors import RefusedError
from underway.model.names import (
    LABEL_COMPOSE_ONCE,
    LABEL_COMPOSE_PROJECT,
    LABEL_COMPOSE_VOLUME,
    LABEL_ROLE,
    ContainerName,
    HostName,
    ServiceName,
)
from underway.model.plan import Plan
from underway.model.release import Binding
from underway.model.snapshot import ContainerState, ContainerStatus, VolumeState
from underway.rollout.adoption import former_name, former_restart, is_kept, kept_name
from underway.rollout.takeover import bindings_of

SHOP = RELEASES["web, database, cache"]
APP1 = HostName("app1")


def made_by_compose(restart: str, name: str = "shop-db-1") -> ContainerState:
    return ContainerState("1", ContainerName(name), "i", ContainerStatus.RUNNING, restart=restart)


@pytest.mark.parametrize(
    ("restart", "name", "told"),
    [
        ("always", "shop-db-1-adopted-always", "always"),
        ("on-failure:3", "shop-db-1-adopted-on-failure-3", "on-failure:3"),
        ("on-failure", "shop-db-1-adopted-on-failure", "on-failure"),
        ("unless-stopped", "shop-db-1-adopted", ""),
        ("no", "shop-db-1-adopted", ""),
        ("", "shop-db-1-adopted", ""),
    ],
)
def test_a_kept_name_tells_what_to_bring_back(restart: str, name: str, told: str) -> None:
    kept = kept_name(made_by_compose(restart))
    assert kept == name
    assert is_kept(kept)
    assert (former_name(kept), former_restart(kept)) == ("shop-db-1", told)
    assert kept_name(made_by_compose("no", kept)) == kept


def test_what_compose_did_not_start_for_a_service_is_none_of_its_project() -> None:
    (web,) = (one for one in composed(SHOP).hosts[APP1].boxes.values() if "web" in one.name)
    assert web.state().project == APP
    for label, value in ((LABEL_COMPOSE_ONCE, "True"), (LABEL_ROLE, "replica")):
        other = replace(web, labels=(*web.labels, (label, value)))
        assert other.state().project == ""


def test_a_deploy_beside_a_running_project_is_refused_with_the_way_out() -> None:
    with pytest.raises(RefusedError) as caught:
        planned(SHOP, composed(SHOP).snapshot(), DEPLOY)
    assert caught.value.code == "compose-project-runs"
    assert "libra-db-1 on app1" in caught.value.message
    assert "underway adopt" in caught.value.hint


def adopting() -> Plan:
    return planned(SHOP, composed(SHOP).snapshot(), ADOPT)


def test_the_plan_names_the_switch_the_data_and_what_is_kept() -> None:
    plan = adopting()
    reasons = {entry.service: entry.reason for entry in plan.interruptions}
    assert reasons.keys() == {"web", "db"}
    assert reasons["web"] == (
        "port 80 of app1 goes from libra-web-1 to the proxy, while the one stops and the other "
        "begins to listen"
    )
    assert "volume data stays where it is: libra_data" in plan.remarks
    assert any("libra-cache-1 on app1, libra-db-1" in text for text in plan.remarks)
    titles = [stage.title for stage in plan.stages]
    assert titles.index("Start db 1/1") < titles.index("Cut over web 2/2")
    assert titles.index("Cut over web 2/2") < titles.index("Switch port 80")
    assert titles.index("Switch port 80") < titles.index("Retire")


def change(name: str, **changes: object) -> Plan:
    """The plan where a container of Compose is another."""
    fleet = composed(SHOP)
    boxes = fleet.hosts[APP1].boxes
    boxes[name] = replace(boxes[name], **changes)  # type: ignore[arg-type]
    return planned(SHOP, fleet.snapshot(), ADOPT)


def test_data_that_the_file_does_not_name_is_not_left_behind_unseen() -> None:
    with pytest.raises(RefusedError) as caught:
        change("libra-cache-1", volumes=("f00d",))
    error = caught.value
    assert error.code == "adopt-data-left"
    assert "libra-cache-1 on app1" in error.message
    assert "name: f00d" in error.hint
    assert "--leave-data cache" in error.hint
    fleet = composed(SHOP)
    boxes = fleet.hosts[APP1].boxes
    boxes["libra-cache-1"] = replace(boxes["libra-cache-1"], volumes=("f00d",))
    left = replace(ADOPT, leaves_data=frozenset({ServiceName("cache")}))
    assert not planned(SHOP, fleet.snapshot(), left).is_empty


def test_a_port_that_closes_is_named_too() -> None:
    plan = change("libra-web-1", published=(("0.0.0.0", 8443), ("127.0.0.1", 9000)))  # noqa: S104
    (reason,) = [entry.reason for entry in plan.interruptions if entry.service == "web"]
    assert reason == "port 8443 of app1, where libra-web-1 serves, closes: the proxy listens on 80"
    assert not [stage for stage in plan.stages if stage.title.startswith("Switch")]


def test_a_volume_of_the_project_stands_behind_the_volume_of_the_app() -> None:
    fleet = composed(SHOP)
    labels = ((LABEL_COMPOSE_PROJECT, str(APP)), (LABEL_COMPOSE_VOLUME, "data"))
    volumes = fleet.hosts[APP1].volumes
    volumes["libra_data"] = VolumeState("libra_data", labels=labels)
    assert bindings_of(SHOP.spec, fleet.snapshot(), APP) == ()
    volumes["older_data"] = VolumeState("older_data", labels=labels)
    del volumes["libra_data"]
    assert bindings_of(SHOP.spec, fleet.snapshot(), APP) == (Binding("data", "older_data"),)


def test_a_service_that_the_file_dropped_is_kept_stopped_as_well() -> None:
    plan = adopting()
    kept = {change.service for change in plan.changes}
    assert "old" in kept
    assert isinstance(composed(SHOP).hosts[APP1].boxes["libra-old-1"], Box)
