"""Values that the report's tests draw: one app of two hosts, one plan, one run."""

from underway.model.change import Difference, ServiceChange, Turn
from underway.model.container import ContainerRequest
from underway.model.event import (
    Body,
    Event,
    Level,
    Note,
    Outcome,
    Output,
    PlanMade,
    RunFinished,
    RunStarted,
    StageFinished,
    StageStarted,
    StepFailed,
    StepFinished,
    StepProgress,
    StepStarted,
    UndoStarted,
)
from underway.model.image import ImageIdentity
from underway.model.names import (
    AppName,
    ContainerName,
    Generation,
    HostName,
    ReleaseNumber,
    ServiceName,
)
from underway.model.plan import Interruption, InterruptionKind, Lane, Plan, Stage
from underway.model.snapshot import ContainerStatus, Health
from underway.model.spec import ProxySpec, Strategy
from underway.model.status import (
    EdgeStatus,
    HostStatus,
    ReplicaStanding,
    ReplicaStatus,
    ReplicaTraffic,
    ServiceStatus,
    StatusReport,
    TrafficState,
)
from underway.model.step import (
    AwaitContainer,
    AwaitDrained,
    AwaitedState,
    CreateContainer,
    PullImage,
    RecordRelease,
    SetUpstream,
    StartContainer,
    StopContainer,
)
from underway.model.traffic import Server, ServerMode, Side, Upstream

APP = AppName("libra")
WEB = ServiceName("web")
HOSTS = (HostName("app1"), HostName("app2"))
IMAGE = ImageIdentity("registry.test/libra:3f2a91c", "sha256:" + "ab" * 32)
NEW = {host: ContainerName(f"libra-web-7f3a2c-{i}") for i, host in enumerate(HOSTS, start=1)}
OLD = {host: ContainerName(f"libra-web-11aa22-{i}") for i, host in enumerate(HOSTS, start=1)}
STARTED_AT = 1_800_000_000.0


def upstream(host: HostName) -> Upstream:
    """The web service after cutover."""
    return Upstream(
        APP,
        WEB,
        ProxySpec(("libra.test",), 8000),
        Side.B,
        (
            Server(OLD[host], Side.A, "10.0.0.1", 20001, ServerMode.DRAIN),
            Server(NEW[host], Side.B, "10.0.0.1", 20002, ServerMode.READY),
        ),
    )


def plan() -> Plan:
    """Replaces the web service on two hosts."""
    cause = "web runs release 11"
    return Plan(
        APP,
        ReleaseNumber(12),
        "bring libra from release 11 to release 12",
        (
            Stage("images", tuple(Lane(h, (PullImage(h, IMAGE, "not here"),)) for h in HOSTS)),
            Stage(
                "start the new generation",
                tuple(
                    Lane(
                        h,
                        (
                            RecordRelease(h, ReleaseNumber(12), "new release"),
                            CreateContainer(h, ContainerRequest(NEW[h], IMAGE.reference), cause),
                            StartContainer(h, NEW[h], cause),
                            AwaitContainer(
                                h, NEW[h], WEB, AwaitedState.READY, 60, 5, "just started"
                            ),
                        ),
                    )
                    for h in HOSTS
                ),
            ),
            Stage(
                "cut over",
                tuple(Lane(h, (SetUpstream(h, upstream(h), "all ready"),)) for h in HOSTS),
            ),
            Stage(
                "retire the old generation",
                tuple(
                    Lane(
                        h,
                        (
                            AwaitDrained(h, APP, WEB, (OLD[h],), 30, "replaced"),
                            StopContainer(
                                h, OLD[h], ContainerName(f"{OLD[h]}-retired"), 10, "replaced"
                            ),
                        ),
                    )
                    for h in HOSTS
                ),
                is_commit=True,
            ),
        ),
        interruptions=(
            Interruption(ServiceName("db"), InterruptionKind.RECREATE, "its strategy is recreate"),
        ),
        changes=(
            ServiceChange(
                WEB,
                "environment COLOR changed",
                ReleaseNumber(11),
                (Difference("environment", "COLOR", Turn.CHANGED),),
            ),
        ),
        left=("libra-web-ffffff-9 on app2: not made by Underway",),
        remarks=("web has no health check: a TCP probe is used",),
    )


def events(*bodies: tuple[Body, str | None]) -> list[Event]:
    """Bodies as events, one second apart."""
    return [
        Event(
            "r7",
            sequence,
            STARTED_AT + sequence,
            "kim@laptop",
            body,
            None if host is None else HostName(host),
        )
        for sequence, (body, host) in enumerate(bodies, start=1)
    ]


def undone_run() -> list[Event]:
    """A deploy whose second replica fails, taken back."""
    return events(
        (RunStarted("deploy", APP, ReleaseNumber(12)), None),
        (Output("build", "step 1 of 2"), None),
        (PlanMade("deploy", ("images", "start", "cut over"), 5, (ServiceName("db"),)), None),
        (StageStarted(1, "images", 2), None),
        (StepStarted(1, "PullImage", "libra:3f2a91c", "not here"), "app1"),
        (StepStarted(2, "PullImage", "libra:3f2a91c", "not here"), "app2"),
        (StepProgress(1, 1024 * 1024, 4 * 1024 * 1024), "app1"),
        (StepFinished(1, "PullImage", "libra:3f2a91c", 2.0), "app1"),
        (StepFinished(2, "PullImage", "libra:3f2a91c", 2.5), "app2"),
        (StageFinished(1, "images", 5.0), None),
        (StageStarted(2, "start", 2), None),
        (StepStarted(3, "AwaitContainer", "libra-web-7f3a2c-1", "started"), "app1"),
        (StepStarted(4, "AwaitContainer", "libra-web-7f3a2c-2", "started"), "app2"),
        (StepProgress(4, 3, 60, "starting"), "app2"),
        (StepFinished(3, "AwaitContainer", "libra-web-7f3a2c-1", 1.0, "passed", "healthy"), "app1"),
        (
            StepFailed(
                4,
                "AwaitContainer",
                "libra-web-7f3a2c-2",
                "replica-exited",
                "It exited with 1.",
                "Mend what its last lines say.",
                ("boom", "\x1b[31mred\x1b[0m \x07"),
            ),
            "app2",
        ),
        (UndoStarted(ReleaseNumber(11), "libra-web-7f3a2c-2 exited with 1"), None),
        (PlanMade("go back", ("remove",), 1), None),
        (StageStarted(1, "remove", 1), None),
        (Note(Level.WARNING, "slow-host", "app2 answers slowly"), "app2"),
        (StageFinished(1, "remove", 1.0), None),
        (RunFinished(Outcome.UNDONE, 10, ReleaseNumber(11), 22.0, "release 11 serves"), None),
    )


def status(**changes: object) -> StatusReport:
    """Two hosts, both on release 12, both live."""
    values: dict[str, object] = {
        "app": APP,
        "release": ReleaseNumber(12),
        "tag": "2026-03-01-3f2a91c",
        "hosts": tuple(
            HostStatus(
                host,
                f"ssh://deploy@{host}",
                is_reachable=True,
                engine_version="29.1.0",
                release=ReleaseNumber(12),
            )
            for host in HOSTS
        ),
        "services": (
            ServiceStatus(
                WEB,
                Strategy.BLUE_GREEN,
                2,
                2,
                Generation("7f3a2c" + "0" * 58),
                IMAGE.reference,
                tuple(replica(host) for host in HOSTS),
            ),
        ),
        "edges": (EdgeStatus(HOSTS[0], "3.2.4", 80, ("libra.test",)),),
        "taken_at": STARTED_AT,
    }
    return StatusReport(**{**values, **changes})  # type: ignore[arg-type]


def replica(host: HostName, **changes: object) -> ReplicaStatus:
    """A live, healthy replica of release 12, 200 s old."""
    values: dict[str, object] = {
        "name": NEW[host],
        "host": host,
        "status": ContainerStatus.RUNNING,
        "health": Health.HEALTHY,
        "release": ReleaseNumber(12),
        "standing": ReplicaStanding.CURRENT,
        "started_at": "2027-01-15T07:56:40.123456789Z",
        "traffic": (ReplicaTraffic(HOSTS[0], TrafficState.LIVE),),
    }
    return ReplicaStatus(**{**values, **changes})  # type: ignore[arg-type]
