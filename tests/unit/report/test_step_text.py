import typing

import pytest

from tests.unit.report.sample import APP, HOSTS, IMAGE, NEW, OLD, WEB, upstream
from underway.model.container import ContainerRequest
from underway.model.names import (
    EDGE_CONTAINER,
    EDGE_SUCCESSOR,
    ContainerName,
    NetworkName,
    ReleaseNumber,
    SensitiveName,
    ServiceName,
    VolumeName,
)
from underway.model.spec import FileSpec, NetworkSpec, VolumeSpec
from underway.model.step import (
    AwaitContainer,
    AwaitDrained,
    AwaitedState,
    AwaitServers,
    ConfirmUpstream,
    CreateContainer,
    CreateNetwork,
    CreateVolume,
    PullImage,
    RecordRelease,
    RemoveContainer,
    RemoveImage,
    RemoveNetwork,
    RemoveProxy,
    RemoveUpstream,
    RemoveVolume,
    RenameContainer,
    RenewProxy,
    ReplicaRef,
    SendImage,
    SetCurrent,
    SetRestart,
    SetUpstream,
    StartContainer,
    Step,
    StopContainer,
    Watch,
    WriteFiles,
    WriteVault,
)
from underway.report.step_text import step_text, verb_of

H = HOSTS[0]
WEB_1 = NEW[H]
RETIRED = ContainerName("retired")
R12 = ReleaseNumber(12)
C = "because"
ROUTED = "live b: libra-web-7f3a2c-1; drain: libra-web-11aa22-1"
FILE = FileSpec(SensitiveName("secret/key"), "/run/secrets/key")
NETWORK = NetworkSpec(NetworkName("default"), "libra_default", subnet="10.213.1.0/24")
VOLUME = VolumeSpec(VolumeName("data"), "libra_data")
CASES: list[tuple[Step, str]] = [
    (PullImage(H, IMAGE, C), "pull image registry.test/libra:3f2a91c abababababab"),
    (SendImage(H, IMAGE, C), "send image registry.test/libra:3f2a91c abababababab"),
    (CreateNetwork(H, NETWORK, C), "create network libra_default 10.213.1.0/24"),
    (RemoveNetwork(H, "libra_default", C), "remove network libra_default"),
    (CreateVolume(H, VOLUME, C), "create volume libra_data"),
    (RemoveProxy(H, ContainerName("underway-edge"), "v", C), "remove proxy underway-edge"),
    (RenewProxy(H, EDGE_CONTAINER, EDGE_SUCCESSOR, C), "renew proxy underway-edge"),
    (RemoveVolume(H, "libra_data", C), "remove volume libra_data"),
    (WriteFiles(H, "libra_s1", "i", (FILE,), (), C), "write files libra_s1 /run/secrets/key"),
    (WriteVault(H, R12, C), "write values of release 12"),
    (RecordRelease(H, R12, C), "record release 12"),
    (SetCurrent(H, R12, (), C), "set current release 12"),
    (CreateContainer(H, ContainerRequest(WEB_1, "i"), C), "create libra-web-7f3a2c-1"),
    (StartContainer(H, WEB_1, C), "start libra-web-7f3a2c-1"),
    (StopContainer(H, OLD[H], RETIRED, 30, C), "stop libra-web-11aa22-1 within 30s"),
    (
        RenameContainer(H, OLD[H], RETIRED, C),
        "rename libra-web-11aa22-1 to retired",
    ),
    (SetRestart(H, OLD[H], "no", C), "set restart of libra-web-11aa22-1 to no"),
    (RemoveContainer(H, OLD[H], C), "remove libra-web-11aa22-1"),
    (RemoveImage(H, "libra:1", C), "remove image libra:1"),
    (SetUpstream(H, upstream(H), C), f"route web {ROUTED}"),
    (ConfirmUpstream(H, upstream(H), 5, C), f"confirm web {ROUTED}"),
    (RemoveUpstream(H, APP, WEB, C), "unroute web"),
    (
        AwaitContainer(H, WEB_1, WEB, AwaitedState.READY, 60, 5, C),
        "await libra-web-7f3a2c-1 to be ready within 1m 00s",
    ),
    (
        AwaitServers(H, APP, WEB, (ReplicaRef(H, WEB_1),), 60, C),
        "probe libra-web-7f3a2c-1 from this edge within 1m 00s",
    ),
    (AwaitDrained(H, APP, WEB, (OLD[H],), 30, C), "drain libra-web-11aa22-1 at most 30s"),
    (Watch(H, WEB_1, WEB, 10, C), "watch libra-web-7f3a2c-1 for 10s"),
]


@pytest.mark.parametrize(("step", "text"), CASES, ids=lambda case: type(case).__name__)
def test_a_step_in_words(step: Step, text: str):
    assert str(step_text(step)) == text


def test_every_kind_is_here():
    def kinds(union: object) -> set[type]:
        parts = typing.get_args(union)
        return set().union(*map(kinds, parts)) if parts else {union}  # type: ignore[arg-type]

    assert {type(step) for step, _ in CASES} == kinds(Step)


def test_forgetting_a_whole_app_and_completion_have_their_own_words():
    forget = RemoveUpstream(H, APP, ServiceName(""), C)
    assert str(step_text(forget)) == "unroute all of libra"
    before = AwaitContainer(H, WEB_1, WEB, AwaitedState.COMPLETED, 600, 0, C)
    assert step_text(before).extra == "to complete within 10m 00s"
    other = AwaitContainer(H, WEB_1, WEB, AwaitedState.ENDED, 600, 0, C)
    assert step_text(other).extra == "to end within 10m 00s"


def test_a_kind_of_a_newer_version_stands_for_itself():
    assert verb_of("Teleport") == "Teleport"
