"""What holds between services and hosts: volumes on one host, ports and host names taken once."""

from underway.compose.notebook import Notebook, refuse
from underway.compose.x_underway import KEY
from underway.model.names import HostName, VolumeName
from underway.model.spec import AppSpec, MountKind, ServiceSpec, VolumeKind


def check_placing(spec: AppSpec, notebook: Notebook) -> None:
    """Raise ConfigurationError where two services, or a service and its volume, contradict."""
    _check_volumes(spec, notebook)
    _check_writers(spec, notebook)
    _check_ports(spec, notebook)
    _check_host_names(spec, notebook)
    known = {network.name for network in spec.networks}
    for service in spec.services:
        for attachment in service.networks:
            if attachment.network not in known:
                refuse(
                    "network-unknown",
                    f"service `{service.name}` is in network `{attachment.network}`, "
                    "which does not exist",
                    place=service.place,
                    hint="Define it under `networks`.",
                )


def _mounted(service: ServiceSpec) -> set[VolumeName]:
    return {
        VolumeName(mount.source)
        for mount in service.mounts
        if mount.kind is MountKind.VOLUME and mount.source
    }


def _check_volumes(spec: AppSpec, notebook: Notebook) -> None:
    """A local volume stands on one host: all that mount it must stand there too."""
    for volume in spec.volumes:
        if volume.kind is not VolumeKind.LOCAL:
            continue
        users = [service for service in spec.services if volume.name in _mounted(service)]
        hosts: dict[HostName, None] = {}
        for user in users:
            hosts.update(dict.fromkeys(user.hosts))
        if len(hosts) > 1:
            names = ", ".join(f"`{user.name}`" for user in users)
            refuse(
                "volume-on-several-hosts",
                f"volume `{volume.name}` of {names} would stand on {len(hosts)} hosts",
                cause="a local volume is on one host: each host would have other data",
                place=notebook.positions.item(
                    "services", users[0].name, "volumes", holds=volume.name
                ),
                hint=f"Place the service on one host (`place: {{{users[0].name}: HOST}}`), or say "
                "`x-underway: {shared: true}` or `{kind: per-host}` at the volume.",
            )


def _check_writers(spec: AppSpec, notebook: Notebook) -> None:
    """A volume that says `single_writer` has one service that writes it."""
    for volume in spec.volumes:
        writers = [
            service
            for service in spec.services
            if any(
                mount.kind is MountKind.VOLUME
                and mount.source == volume.name
                and not mount.read_only
                for mount in service.mounts
            )
        ]
        if volume.is_single_writer and len(writers) > 1:
            refuse(
                "single-writer-services",
                f"volume `{volume.name}` takes a single writer, and "
                f"{', '.join(f'`{writer.name}`' for writer in writers)} mount it",
                place=notebook.place("volumes", volume.name, KEY),
                hint="Mount it `:ro` in all but one of them.",
            )


def _check_ports(spec: AppSpec, notebook: Notebook) -> None:
    taken: dict[tuple[HostName, str, int, str], ServiceSpec] = {}
    for service in spec.services:
        for port in service.ports:
            for host in service.hosts if port.fixed_port else ():
                key = (host, port.protocol, port.host_port, port.host_address)
                other = taken.setdefault(key, service)
                if other is not service:
                    refuse(
                        "port-clash",
                        f"services `{other.name}` and `{service.name}` publish port "
                        f"{port.host_port} on host `{host}`",
                        cause="one port of a host can be taken once",
                        place=notebook.positions.item(
                            "services", service.name, "ports", holds=str(port.host_port)
                        ),
                        hint="Give one of them another port.",
                    )


def _check_host_names(spec: AppSpec, notebook: Notebook) -> None:
    taken: dict[tuple[str, str], ServiceSpec] = {}
    for service in spec.services:
        for host in service.proxy.hosts if service.proxy else ():
            path = service.proxy.path if service.proxy else "/"
            other = taken.setdefault((host, path), service)
            if other is not service:
                refuse(
                    "proxy-host-twice",
                    f"services `{other.name}` and `{service.name}` both take {host}{path}",
                    cause="the proxy sends each host name and path to one service",
                    place=notebook.place("services", service.name, KEY, "proxy"),
                    hint="Give one of them another host or `path`.",
                )
