"""One service of Compose's output as a ServiceSpec."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from underway.compose.builds import build_of
from underway.compose.canonical import Tree, mapping_of, text_of
from underway.compose.engine_words import engine_fragment
from underway.compose.environment import environment_of
from underway.compose.health import (
    before_of,
    dependencies_of,
    health_of,
    proxy_of,
    update_of,
)
from underway.compose.hosts import Fleet
from underway.compose.mounts import mounts_of
from underway.compose.networks import attachments_of
from underway.compose.notebook import Notebook, refuse
from underway.compose.published import check_ranges, exposed_ports, ports_of
from underway.compose.quantities import duration_s
from underway.compose.replacement import Facts, is_database_image, strategy_of
from underway.compose.travelling import files_of
from underway.compose.wishes import ServiceWish
from underway.compose.x_underway import KEY
from underway.model.names import HostName, ServiceName, VolumeName
from underway.model.spec import FileSpec, Mount, MountKind, ServiceSpec, VolumeSpec


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a service is read in: the fleet, the volumes, who waits for whom to complete.

    `denied` are the volumes whose file says that they take several writers.
    """

    fleet: Fleet
    volumes: Mapping[VolumeName, VolumeSpec]
    completed: frozenset[str]
    active: frozenset[str]
    denied: frozenset[VolumeName]


def service_of(
    service: Tree, name: str, wish: ServiceWish, around: Surroundings, notebook: Notebook
) -> ServiceSpec:
    """The service as wished; its hosts are placed already. Raises ConfigurationError."""
    mounts, travelling = mounts_of(service, name, notebook)
    proxy = proxy_of(wish, service, name, notebook)
    runs_once = wish.run_once if wish.run_once is not None else name in around.completed
    ports = ports_of(service, name, notebook, is_proxied=proxy is not None)
    is_writer = _is_single_writer(service, wish, mounts, around)
    facts = replace(
        _written_facts(service, wish),
        is_proxied=proxy is not None,
        is_single_writer=is_writer,
        has_fixed_port=any(port.fixed_port for port in ports),
    )
    spec = ServiceSpec(
        name=ServiceName(name),
        image=str(service.get("image") or ""),
        hosts=_hosts(name, wish, around.fleet, notebook),
        build=build_of(service, name, notebook, public=_public(wish, notebook)),
        engine=engine_fragment(service, name, notebook, runs_once=runs_once),
        environment=environment_of(service, name, notebook, public=_public(wish, notebook)),
        mounts=mounts,
        files=_all_files(service, name, travelling, notebook),
        ports=ports,
        networks=attachments_of(service),
        depends_on=dependencies_of(service, around.active),
        replicas=_replicas(service, mapping_of(service.get("deploy"))),
        is_global=_is_global(service),
        is_single_writer=is_writer,
        proxy=proxy,
        strategy=strategy_of(facts, name, notebook),
        update=update_of(service),
        before=before_of(wish, name, notebook),
        runs_once=runs_once,
        place=notebook.place("services", name),
    )
    spec = _with_plain_keys(spec, service)
    check_service(spec, facts, notebook)
    return spec


def _with_plain_keys(spec: ServiceSpec, service: Tree) -> ServiceSpec:
    """With the keys that are taken over as they are written."""
    return replace(
        spec,
        labels=_labels(service),
        health=health_of(service),
        stop_grace_s=duration_s(str(service.get("stop_grace_period") or "10s")),
        expose=exposed_ports(service),
        extra_hosts=_extra_hosts(service),
    )


def _public(wish: ServiceWish, notebook: Notebook) -> frozenset[str]:
    return notebook.public | frozenset(wish.public)


def _is_global(service: Tree) -> bool:
    return mapping_of(service.get("deploy")).get("mode") == "global"


def _written_facts(service: Tree, wish: ServiceWish) -> Facts:
    """What decides the strategy and stands in the file as such."""
    update = mapping_of(mapping_of(service.get("deploy")).get("update_config"))
    return Facts(
        wished=wish.strategy or "",
        order=str(update.get("order") or ""),
        has_fixed_name=bool(service.get("container_name")),
        has_host_network=service.get("network_mode") == "host",
    )


def check_service(spec: ServiceSpec, facts: Facts, notebook: Notebook) -> None:
    """Refuse what cannot hold with several replicas; raises ConfigurationError."""
    name = spec.name
    is_many = spec.replicas > 1 or (spec.is_global and len(spec.hosts) > 1)
    if is_many and facts.has_fixed_name:
        refuse(
            "container-name-replicas",
            f"service `{name}` has a `container_name` and {spec.replicas} replicas",
            cause="two containers cannot have one name",
            place=notebook.place("services", name, "container_name"),
            hint="Remove `container_name`: containers are named after their service.",
        )
    if is_many and spec.is_single_writer:
        refuse(
            "single-writer-replicas",
            f"service `{name}` is the single writer of its data and has {spec.replicas} replicas",
            cause="two processes that write one data directory destroy it",
            place=notebook.place("services", name, "deploy", "replicas"),
            hint="Run one replica, or say `single_writer: false`.",
        )
    if facts.has_fixed_port and not spec.is_global and spec.replicas > len(spec.hosts):
        refuse(
            "port-clash",
            f"{spec.replicas} replicas of service `{name}` cannot publish one port of a host",
            cause="one port of a host can be taken once",
            place=notebook.place("services", name, "ports"),
            hint="Give it a `proxy`, or drop the host port.",
        )
    check_ranges(spec, notebook)
    if facts.has_host_network and spec.proxy:
        refuse(
            "proxy-host-network",
            f"service `{name}` has a proxy and the host's network",
            cause="two generations cannot listen on one port",
            place=notebook.place("services", name, "network_mode"),
            hint="Remove `network_mode: host`: the edge reaches replicas over the private network.",
        )


def _is_single_writer(
    service: Tree, wish: ServiceWish, mounts: tuple[Mount, ...], around: Surroundings
) -> bool:
    """As declared by the service, else by a volume it writes, else by what its image is."""
    if wish.single_writer is not None:
        return wish.single_writer
    written = [m for m in mounts if m.kind is not MountKind.TMPFS and not m.read_only]
    named = {VolumeName(m.source) for m in written if m.kind is MountKind.VOLUME and m.source}
    if any(around.volumes[name].is_single_writer for name in named if name in around.volumes):
        return True
    if named and named <= around.denied:
        return False
    return is_database_image(str(service.get("image") or ""), has_volume=bool(written))


def _hosts(name: str, wish: ServiceWish, fleet: Fleet, notebook: Notebook) -> tuple[HostName, ...]:
    """Where the service is placed: its own `place`, the app's, the only host, or all."""
    app_place = mapping_of(mapping_of(notebook.canonical.get(KEY)).get("place"))
    written = wish.place if wish.place is not None else app_place.get(name)
    place = notebook.place(
        *(("services", name, KEY, "place") if wish.place is not None else (KEY, "place", name))
    )
    if written is not None:
        hosts = fleet.named([written] if isinstance(written, str) else written, place)
        if not hosts:
            refuse(
                "place-missing",
                f"service `{name}` is placed on no host",
                place=place,
                hint="Name a host or a group.",
            )
        return hosts
    if len(fleet.groups) > 1:
        refuse(
            "place-missing",
            f"service `{name}` is placed on no group",
            cause=f"there are groups {', '.join(f'`{group}`' for group in sorted(fleet.groups))}",
            place=notebook.place("services", name),
            hint=f"Add `place: {{{name}: GROUP}}` to x-underway.",
        )
    return fleet.order


def _all_files(
    service: Tree, name: str, travelling: tuple[FileSpec, ...], notebook: Notebook
) -> tuple[FileSpec, ...]:
    files = tuple(sorted((*files_of(service, name, notebook), *travelling)))
    seen: set[str] = set()
    for file in files:
        uploaded = not (file.is_secret and file.target.startswith("/run/secrets/"))
        if service.get("read_only") and uploaded:
            refuse(
                "file-on-read-only",
                f"`{file.target}` cannot be written into service `{name}`: it is `read_only`",
                place=notebook.place("services", name, "read_only"),
                hint="Use a secret below /run/secrets, put the file into the image, or a volume.",
            )
        if file.target in seen:
            refuse(
                "file-twice",
                f"two files of service `{name}` have the same place, `{file.target}`",
                place=notebook.place("services", name),
                hint="Give one of them another `target`.",
            )
        seen.add(file.target)
    return files


def _replicas(service: Tree, deploy: Mapping[str, Any]) -> int:
    scale, replicas = service.get("scale"), deploy.get("replicas")
    if replicas is not None:
        return int(replicas)
    return int(scale) if scale is not None else 1


def _labels(service: Tree) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((k, text_of(v)) for k, v in mapping_of(service.get("labels")).items()))


def _extra_hosts(service: Tree) -> tuple[tuple[str, str], ...]:
    """Compose writes `name=address`, older ones `name:address`, or a mapping."""
    value = service.get("extra_hosts")
    pairs: set[tuple[str, str]] = set()
    if isinstance(value, dict):
        for name, addresses in value.items():
            pairs |= {
                (name, str(a)) for a in (addresses if isinstance(addresses, list) else [addresses])
            }
    else:
        for entry in value or []:
            separator = "=" if "=" in entry else ":"
            name, _, address = entry.partition(separator)
            pairs.add((name, address))
    return tuple(sorted(pairs))
