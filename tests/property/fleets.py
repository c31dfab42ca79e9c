"""Random apps on random fleets: pairs of releases that a deploy leads from and to."""

from dataclasses import dataclass, replace
from typing import Final

from hypothesis import strategies as st

from tests.fakes.session import KEY
from tests.fakes.simulation import Simulation, fleet
from underway.model.image import ImageIdentity
from underway.model.names import (
    AppName,
    HostName,
    NetworkName,
    ReleaseNumber,
    SensitiveName,
    ServiceName,
    VolumeName,
)
from underway.model.release import Release, ServiceImage
from underway.model.sensitive import Sensitive, digests_of
from underway.model.spec import (
    AppSpec,
    Attachment,
    BeforeSpec,
    Dependency,
    DependencyCondition,
    EdgeSpec,
    EnvVar,
    FileSpec,
    HealthSpec,
    HostSpec,
    Mount,
    MountKind,
    NetworkSpec,
    ProxySpec,
    ServiceSpec,
    Strategy,
    UpdateSpec,
    VolumeSpec,
)

APP: Final = AppName("libra")
NETWORK: Final = NetworkName("default")
SECRET: Final = SensitiveName("secret/key")
DATA: Final = "libra_data"
HEALTH: Final = HealthSpec(("CMD", "true"), 1, 1, 3)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two releases of one app, and the hosts of both."""

    old: Release
    new: Release

    def fleet(self) -> Simulation:
        """Bare hosts for both releases."""
        addresses = {h.name: h.address for r in (self.old, self.new) for h in r.spec.hosts}
        made = fleet(APP, addresses, (self.old, self.new))
        made.single_writers = {
            volume.physical
            for release in (self.old, self.new)
            for volume in release.spec.volumes
            if volume.is_single_writer
        }
        return made


def image(service: str, version: int) -> ImageIdentity:
    """The image of a version of a service; its digest is readable."""
    digits = f"{service.encode().hex()}{version:02d}"
    return ImageIdentity(f"{service}:{version}", "sha256:" + digits.ljust(64, "0"))


def hosts(count: int) -> tuple[HostSpec, ...]:
    """Hosts app1, app2, ... with private addresses."""
    return tuple(
        HostSpec(HostName(f"app{i}"), f"ssh://app{i}", f"10.0.0.{i}") for i in range(1, count + 1)
    )


def service(name: str, where: tuple[HostSpec, ...], **changes: object) -> ServiceSpec:
    """A service on these hosts, in the app's network."""
    made = ServiceSpec(
        ServiceName(name),
        name,
        tuple(host.name for host in where),
        networks=(Attachment(NETWORK),),
        update=UpdateSpec(parallelism=1),
        expose=(8000,),
        stop_grace_s=10.0,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def proxied(name: str, where: tuple[HostSpec, ...], **changes: object) -> ServiceSpec:
    """A service that users reach."""
    return service(name, where, proxy=ProxySpec((f"{name}.test",), 8000), **changes)


def release(
    number: int,
    services: tuple[ServiceSpec, ...],
    where: tuple[HostSpec, ...],
    *,
    edges: int = 1,
    versions: dict[str, int] | None = None,
    value: str = "s1",
) -> Release:
    """A release of these services; each runs version `number` unless `versions` says another."""
    chosen = versions or {}
    spec = AppSpec(
        APP,
        tuple(sorted(services, key=lambda s: s.name)),
        where,
        edge=EdgeSpec(tuple(host.name for host in where[:edges])),
        networks=(NetworkSpec(NETWORK, "libra_default"),),
        volumes=(VolumeSpec(VolumeName("data"), DATA, is_single_writer=True),),
    )
    images = tuple(
        ServiceImage(s.name, image(s.name, chosen.get(s.name, number))) for s in services
    )
    digests = digests_of({SECRET: Sensitive(value.encode())}, KEY)
    return Release(ReleaseNumber(number), spec, tuple(sorted(images)), digests, f"v{number}")


def with_secret(made: ServiceSpec) -> ServiceSpec:
    """The service with a secret file."""
    return replace(made, files=(FileSpec(SECRET, "/run/secrets/key", is_secret=True),))


@st.composite
def services_on(draw: st.DrawFn, name: str, where: tuple[HostSpec, ...]) -> ServiceSpec:
    """One service of any shape."""
    made = service(
        name,
        where,
        replicas=draw(st.integers(1, 4)),
        strategy=draw(st.sampled_from(Strategy)),
        update=UpdateSpec(parallelism=draw(st.integers(0, 2)), is_monitored=draw(st.booleans())),
        health=draw(st.sampled_from([None, HEALTH])),
    )
    if draw(st.booleans()):
        made = replace(made, proxy=ProxySpec((f"{name}.test",), 8000))
    if draw(st.integers(0, 3)) == 0:
        made = with_secret(made)
    if draw(st.integers(0, 3)) == 0:
        made = replace(made, before=BeforeSpec(("migrate",)))
    if draw(st.integers(0, 4)) == 0:
        made = replace(made, is_global=True)
    return made


def database(where: tuple[HostSpec, ...]) -> ServiceSpec:
    """A single writer on a local volume of the last host."""
    return service(
        "db",
        where[-1:],
        strategy=Strategy.RECREATE,
        is_single_writer=True,
        mounts=(Mount(MountKind.VOLUME, "data", "/data"),),
        health=HEALTH,
        expose=(5432,),
    )


@st.composite
def pairs(draw: st.DrawFn, most_hosts: int = 3, most_services: int = 3) -> Pair:
    """A first release and what a team may make of it."""
    where = hosts(draw(st.integers(1, most_hosts)))
    names = ["web", "api", "worker"][: draw(st.integers(1, most_services))]
    services = [draw(services_on(name, where)) for name in names]
    if len(services) < most_services and draw(st.booleans()):
        services = [_needing_database(one) for one in services] + [database(where)]
    elif len(services) > 1 and draw(st.booleans()):
        services[0] = _needing(services[0], services[1])
    edges = draw(st.integers(1, min(2, len(where))))
    old = release(1, tuple(services), where, edges=edges)
    return Pair(old, draw(changes(services, where, edges)))


def _needing_database(one: ServiceSpec) -> ServiceSpec:
    dependency = Dependency(ServiceName("db"), DependencyCondition.HEALTHY)
    return replace(one, depends_on=(dependency,))


def _needing(one: ServiceSpec, other: ServiceSpec) -> ServiceSpec:
    return replace(one, depends_on=(Dependency(other.name),))


@st.composite
def changes(
    draw: st.DrawFn,
    services: list[ServiceSpec],
    where: tuple[HostSpec, ...],
    edges: int,
) -> Release:
    """What a team may change from one release to the next."""
    kinds = ["image", "image", "environment", "replicas", "strategy", "proxy", "none"]
    made = []
    versions: dict[str, int] = {}
    for one in services:
        kind = draw(st.sampled_from(kinds))
        versions[one.name] = 2 if kind == "image" else 1
        made.append(_changed(draw, one, kind))
    fate = draw(st.sampled_from(["keep", "keep", "drop", "add", "secret", "rename", "hand over"]))
    if fate == "drop" and len(made) > 1:
        made = made[:-1]
        left = {one.name for one in made}
        made = [
            replace(one, depends_on=tuple(d for d in one.depends_on if d.service in left))
            for one in made
        ]
    if fate == "rename":
        made, versions = _renamed(made, versions)
    if fate == "hand over":
        made = handed_round(made)
    if fate == "add":
        made.append(draw(services_on("extra", where)))
    value = "s2" if fate == "secret" else "s1"
    return release(2, tuple(made), where, edges=edges, versions=versions, value=value)


def _renamed(
    services: list[ServiceSpec], versions: dict[str, int]
) -> tuple[list[ServiceSpec], dict[str, int]]:
    """The first service under another name; those that need it know."""
    old, new = services[0].name, ServiceName(f"{services[0].name}-anew")
    made = [
        replace(
            one,
            name=new if one.name == old else one.name,
            depends_on=tuple(
                replace(d, service=new) if d.service == old else d for d in one.depends_on
            ),
        )
        for one in services
    ]
    return made, {new if name == old else name: v for name, v in versions.items()}


def handed_round(services: list[ServiceSpec]) -> list[ServiceSpec]:
    """Each service behind the proxy takes the host names of the next one."""
    behind = [one for one in services if one.proxy]
    proxies = [one.proxy for one in behind]
    taken = dict(zip((one.name for one in behind), [*proxies[1:], *proxies[:1]], strict=True))
    return [replace(one, proxy=taken.get(one.name)) for one in services]


def _changed(draw: st.DrawFn, one: ServiceSpec, kind: str) -> ServiceSpec:
    if kind == "environment":
        return replace(one, environment=(EnvVar("COLOR", "green"),))
    if kind == "replicas" and not one.is_single_writer:
        return replace(one, replicas=draw(st.integers(1, 4)))
    if kind == "strategy" and not one.is_single_writer:
        return replace(one, strategy=draw(st.sampled_from(Strategy)))
    if kind == "proxy" and one.proxy:
        return replace(one, proxy=replace(one.proxy, hosts=(f"other-{one.name}.test",)))
    return one
