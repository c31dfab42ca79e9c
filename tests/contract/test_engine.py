"""What every engine must do, the real ones and the fake alike."""

import json
import threading
import time
from dataclasses import replace

import pytest

from tests.contract.conftest import Bench
from tests.contract.patience import eventually
from underway.errors import EngineError, IntegrityError
from underway.model.container import ContainerRequest, NetworkPlace, PublishedPort
from underway.model.names import (
    LABEL_APP,
    LABEL_GENERATION,
    LABEL_REPLICA,
    LABEL_ROLE,
    LABEL_SERVICE,
    ContainerName,
    NetworkName,
    SensitiveName,
    VolumeName,
)
from underway.model.sensitive import Sensitive
from underway.model.snapshot import ContainerStatus, Health
from underway.model.spec import (
    EnvVar,
    FileSpec,
    HealthSpec,
    Mount,
    MountKind,
    NetworkSpec,
    VolumeSpec,
)

NET = NetworkSpec(NetworkName("default"), "libra_default", subnet="172.29.7.0/24")
BACK = NetworkSpec(NetworkName("back"), "libra_back", subnet="172.29.8.0/24")
SECRET = SensitiveName("secret/libra_key")
VALUES = {SECRET: Sensitive(b"\x00\xffkey\n")}


def request_for(bench: Bench, name: str = "libra-web-7f3a2c-1", **labels: str) -> ContainerRequest:
    ours = {
        LABEL_APP: "libra",
        LABEL_SERVICE: "web",
        LABEL_GENERATION: "7f3a2c",
        LABEL_REPLICA: "1",
        LABEL_ROLE: "replica",
        **labels,
    }
    return ContainerRequest(
        name=ContainerName(name),
        image=bench.image,
        labels=tuple(sorted(ours.items())),
        command=("sleep", "600"),
        network_mode="none",
        stop_grace_s=1,
    )


def test_facts_tell_a_version_and_an_api(bench: Bench) -> None:
    facts = bench.engine.facts()
    assert facts.version
    assert tuple(map(int, facts.api_version.split("."))) >= (1, 41)
    assert facts.architecture == "amd64"
    assert facts.clock


def test_a_container_lives_from_created_to_removed(bench: Bench) -> None:
    request = request_for(bench)
    bench.engine.create(request, {})
    (seen,) = bench.engine.containers()
    assert (seen.name, seen.status) == (request.name, ContainerStatus.CREATED)
    assert (seen.app, seen.service, seen.replica) == ("libra", "web", 1)
    bench.engine.start(request.name)
    bench.engine.start(request.name)
    running = bench.engine.container(request.name)
    assert running
    assert running.status is ContainerStatus.RUNNING
    assert running.started_at
    bench.engine.stop(request.name, 0)
    bench.engine.stop(request.name, 0)
    stopped = bench.engine.container(request.name)
    assert stopped
    assert stopped.status is ContainerStatus.EXITED
    assert stopped.exit_code == 137
    bench.engine.remove(request.name)
    bench.engine.remove(request.name)
    assert bench.engine.containers() == ()


def test_what_a_container_is_and_uses_is_told(bench: Bench) -> None:
    request = request_for(bench)
    bench.engine.create(request, {})
    assert bench.engine.usage(request.name) is None
    bench.engine.start(request.name)
    told = bench.engine.inspect(request.name)
    assert told
    assert told["Name"] == f"/{request.name}"
    assert bench.engine.inspect("nobody") is None
    used = bench.engine.usage(request.name)
    assert used
    assert used.taken_at > 0
    assert used.cpu_s > 0
    assert used.memory_bytes > 0
    with pytest.raises(EngineError) as caught:
        bench.engine.usage("nobody")
    assert caught.value.code == "container-missing"


def test_a_stop_without_a_time_takes_the_container_s_own(bench: Bench) -> None:
    """`sleep` as the first process ignores SIGTERM: only the kill after the grace ends it."""
    for name, grace_s, most_s in (("now", 0, 1.5), ("later", 3, 10)):
        request = replace(request_for(bench, f"libra-web-{name}"), stop_grace_s=grace_s)
        bench.engine.create(request, {})
        bench.engine.start(request.name)
        began = time.monotonic()
        bench.engine.stop(request.name, None)
        assert time.monotonic() - began < most_s
        stopped = bench.engine.container(request.name)
        assert stopped
        assert stopped.status is ContainerStatus.EXITED
        bench.engine.remove(request.name)


def test_what_is_missing_is_none_or_left_alone(bench: Bench) -> None:
    assert bench.engine.container("nobody") is None
    assert bench.engine.image("nobody/nothing:1") is None
    bench.engine.stop("nobody", 1)
    bench.engine.stop("nobody", None)
    bench.engine.remove("nobody")
    bench.engine.remove_volume("nobody")
    bench.engine.remove_network("nobody")
    bench.engine.remove_image("nobody/nothing:1")


def test_creating_the_same_again_keeps_the_one_that_runs(bench: Bench) -> None:
    request = request_for(bench)
    bench.engine.create(request, {})
    bench.engine.start(request.name)
    before = bench.engine.container(request.name)
    bench.engine.create(request, {})
    after = bench.engine.container(request.name)
    assert before
    assert after
    assert after.id == before.id
    assert after.status is ContainerStatus.RUNNING


def test_a_name_held_by_another_generation_is_refused_and_named(bench: Bench) -> None:
    bench.engine.create(request_for(bench), {})
    with pytest.raises(EngineError) as caught:
        bench.engine.create(request_for(bench, **{LABEL_GENERATION: "000000"}), {})
    assert caught.value.code == "name-taken"
    assert "libra" in caught.value.message


def test_a_container_that_never_started_is_made_anew(bench: Bench) -> None:
    request = request_for(bench)
    bench.engine.create(request, {})
    bench.engine.create(replace(request, command=("sleep", "601")), {})
    assert [c.name for c in bench.engine.containers()] == [request.name]


def test_an_image_that_is_not_there_is_told(bench: Bench) -> None:
    with pytest.raises(EngineError) as caught:
        bench.engine.create(replace(request_for(bench), image="nobody/nothing:1"), {})
    assert caught.value.code == "image-missing"


def test_a_missing_value_leaves_no_container(bench: Bench) -> None:
    request = replace(
        request_for(bench), environment=(EnvVar("KEY", sensitive=SensitiveName("env/web/KEY")),)
    )
    with pytest.raises(IntegrityError) as caught:
        bench.engine.create(request, {})
    assert caught.value.code == "value-missing"
    assert bench.engine.containers() == ()


def test_a_renamed_container_is_found_by_its_new_name_only(bench: Bench) -> None:
    bench.engine.create(request_for(bench, "old"), {})
    bench.engine.rename("old", "new")
    bench.engine.rename("old", "new")
    assert [c.name for c in bench.engine.containers()] == ["new"]
    assert bench.engine.container("old") is None


def test_networks_addresses_ports_and_volumes_are_seen(bench: Bench) -> None:
    engine = bench.engine
    for network in (NET, BACK):
        engine.create_network(network, {LABEL_APP: "libra"})
        engine.create_network(network, {LABEL_APP: "libra"})
    engine.create_volume(VolumeSpec(VolumeName("data"), "libra_data"), {LABEL_APP: "libra"})
    engine.create_volume(VolumeSpec(VolumeName("data"), "libra_data"), {LABEL_APP: "libra"})
    request = replace(
        request_for(bench),
        network_mode="",
        networks=(NetworkPlace(NET.physical, "172.29.7.9", ("web",)), NetworkPlace(BACK.physical)),
        published=(PublishedPort(8080, "127.0.0.1", 20001),),
        mounts=(Mount(MountKind.VOLUME, "libra_data", "/data"),),
    )
    engine.create(request, {})
    engine.start(request.name)
    (seen,) = engine.containers()
    assert seen.published == (("127.0.0.1", 20001),)
    assert ("libra_default", "172.29.7.9") in seen.addresses
    assert {network for network, _ in seen.addresses} == {"libra_default", "libra_back"}
    assert seen.volumes == ("libra_data",)
    inspected = engine.container(request.name)
    assert inspected
    assert (inspected.published, inspected.addresses) == (seen.published, seen.addresses)
    (found,) = [n for n in engine.networks() if n.name == NET.physical]
    assert found.subnets == ("172.29.7.0/24",)
    assert dict(found.labels)[LABEL_APP] == "libra"
    (volume,) = engine.volumes()
    assert dict(volume.labels)[LABEL_APP] == "libra"


def test_a_pinned_address_of_a_stopped_container_stays_its_own(bench: Bench) -> None:
    bench.engine.create_network(NET, {})
    place = NetworkPlace(NET.physical, "172.29.7.9")
    request = replace(request_for(bench), network_mode="", networks=(place,))
    bench.engine.create(request, {})
    (seen,) = bench.engine.containers()
    assert seen.addresses == (("libra_default", "172.29.7.9"),)


def test_a_port_that_is_taken_is_told_by_name(bench: Bench) -> None:
    bench.engine.create_network(NET, {})
    for number in (1, 2):
        request = replace(
            request_for(bench, f"web-{number}", **{LABEL_REPLICA: str(number)}),
            network_mode="",
            networks=(NetworkPlace(NET.physical),),
            published=(PublishedPort(8080, "127.0.0.1", 20001),),
        )
        bench.engine.create(request, {})
    bench.engine.start("web-1")
    with pytest.raises(EngineError) as caught:
        bench.engine.start("web-2")
    assert caught.value.code == "port-taken"


def test_an_address_that_is_taken_is_told_by_name(bench: Bench) -> None:
    bench.engine.create_network(NET, {})
    place = NetworkPlace(NET.physical, "172.29.7.9")
    for number in (1, 2):
        request = request_for(bench, f"web-{number}", **{LABEL_REPLICA: str(number)})
        bench.engine.create(replace(request, network_mode="", networks=(place,)), {})
    bench.engine.start("web-1")
    with pytest.raises(EngineError) as caught:
        bench.engine.start("web-2")
    assert caught.value.code == "address-taken"


def test_overlapping_subnets_are_told_by_name(bench: Bench) -> None:
    bench.engine.create_network(NET, {})
    with pytest.raises(EngineError) as caught:
        bench.engine.create_network(replace(BACK, subnet=NET.subnet), {})
    assert caught.value.code == "subnet-taken"


def test_a_volume_in_use_is_not_removed(bench: Bench) -> None:
    mount = Mount(MountKind.VOLUME, "libra_data", "/data")
    bench.engine.create(replace(request_for(bench), mounts=(mount,)), {})
    with pytest.raises(EngineError) as caught:
        bench.engine.remove_volume("libra_data")
    assert caught.value.code == "still-in-use"


def test_running_a_command_where_nothing_runs_is_told(bench: Bench) -> None:
    with pytest.raises(EngineError) as missing:
        bench.engine.execute("nobody", ["true"])
    assert missing.value.code == "container-missing"
    bench.engine.create(request_for(bench), {})
    with pytest.raises(EngineError) as created:
        bench.engine.execute("libra-web-7f3a2c-1", ["true"])
    assert created.value.code == "container-not-running"


def test_images_are_known_by_tag_and_id_and_removed_unless_used(bench: Bench) -> None:
    engine = bench.engine
    image = engine.image(bench.image)
    assert image
    engine.tag(image.id, "libra/web:1")
    engine.tag(image.id, "other/name:1")
    tagged = engine.image("libra/web:1")
    assert tagged
    assert tagged.id == image.id
    assert "libra/web:1" in tagged.repo_tags
    assert [i.id for i in engine.images()] == sorted(i.id for i in engine.images())
    engine.create(request_for(bench), {})
    engine.remove_image(image.id)
    assert engine.image(image.id)
    engine.remove_image("libra/web:1")
    engine.remove_image("other/name:1")
    assert engine.image("libra/web:1") is None
    assert engine.image(image.id)


def test_many_threads_may_ask_at_once(bench: Bench) -> None:
    bench.engine.create(request_for(bench), {})
    found: list[int] = []

    def ask() -> None:
        found.extend(len(bench.engine.containers()) for _ in range(10))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1] * 80


def test_health_is_seen_in_the_list_and_by_inspection(bench: Bench) -> None:
    health = HealthSpec(test=("CMD", "true"), interval_s=0.5, timeout_s=1, retries=1)
    request = replace(request_for(bench), health=health)
    bench.engine.create(request, {})
    bench.engine.start(request.name)

    def is_healthy() -> bool:
        inspected = bench.engine.container(request.name)
        return inspected is not None and inspected.health is Health.HEALTHY

    eventually(is_healthy)
    assert bench.engine.containers()[0].health is Health.HEALTHY


def test_the_engine_fragment_stands_below_the_rest(bench: Bench) -> None:
    fragment = json.dumps({"Config": {"User": "nobody"}, "HostConfig": {"Memory": 64 << 20}})
    request = replace(request_for(bench), engine=fragment)
    bench.engine.create(request, {})
    bench.engine.start(request.name)
    assert bench.engine.container(request.name)


def test_files_need_their_values(bench: Bench) -> None:
    file = FileSpec(SECRET, "/etc/libra.key")
    with pytest.raises(IntegrityError):
        bench.engine.create(replace(request_for(bench), files=(file,)), {})
    bench.engine.create(replace(request_for(bench), files=(file,)), VALUES)
    assert len(bench.engine.containers()) == 1
