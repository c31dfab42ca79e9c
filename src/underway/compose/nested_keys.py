"""What becomes of the keys inside a service's, a network's and a build's longer settings."""

from typing import Final

from underway.compose.rules import Level, honoured, noted, refused

_TWO_AT_ONCE: Final = (
    "Remove it, two generations of a service run at once and cannot share an address: "
    "reach the service by its name or an alias."
)
_EXTERNAL: Final = "Remove it, or create the network on the hosts and name it `external: true`."

_BUILD: Final = (
    *honoured(
        Level.BUILD,
        additional_contexts="Directories, images and addresses; `service:` is refused.",
        args="",
        cache_from="",
        cache_to="",
        context="",
        dockerfile="",
        dockerfile_inline="",
        entitlements="",
        extra_hosts="",
        labels="",
        network="",
        no_cache="",
        platforms="One: a release runs one image.",
        provenance="",
        pull="",
        sbom="",
        secrets="`file` and `environment`; they stand in no layer and no record.",
        shm_size="",
        ssh="",
        tags="",
        target="",
        ulimits="",
    ),
    *refused(
        Level.BUILD,
        isolation="For Windows only: remove it.",
        no_cache_filter="Write `no_cache: true`.",
        privileged="Write `entitlements: [security.insecure]`.",
    ),
)

_SERVICE: Final = (
    *honoured(
        Level.DEPENDENCY,
        condition="",
        required="A dependency that is not there and not required is left out.",
    ),
    *noted(
        Level.DEPENDENCY,
        restart="What it depends on is replaced beside the old one, or stops under its name.",
    ),
    *honoured(Level.RESERVATION, devices="", memory=""),
    *noted(
        Level.RESERVATION,
        cpus="An engine cannot reserve processors: Swarm alone places by it.",
        generic_resources="Swarm alone places by it.",
    ),
    *honoured(
        Level.HEALTHCHECK,
        disable="",
        interval="",
        retries="",
        start_interval="Engines before 25 do not know it and keep to `interval`.",
        start_period="",
        test="",
        timeout="",
    ),
    *honoured(Level.PORT, host_ip="", protocol="", published="", target=""),
    *noted(
        Level.PORT,
        app_protocol="It describes the port to others.",
        mode="Ports are published on the replicas' own hosts: there is no Swarm routing mesh.",
        name="It describes the port to others.",
    ),
    *honoured(
        Level.MOUNT,
        bind="`propagation`, `create_host_path`, `recursive`. `selinux` is refused.",
        read_only="",
        source="",
        target="",
        tmpfs="`size` and `mode`.",
        type="`volume`, `bind` and `tmpfs`.",
        volume="`nocopy`, `subpath` and `labels`.",
    ),
    *noted(Level.MOUNT, consistency="Engines on Linux share files directly."),
    *refused(Level.MOUNT, image="Copy its files into your own image (`COPY --from=IMAGE`)."),
    *honoured(
        Level.ATTACHMENT,
        aliases="",
        priority="The highest comes first: edges reach the replica there.",
    ),
    *refused(
        Level.ATTACHMENT,
        driver_opts="Write them as `driver_opts` of the network.",
        gw_priority="Remove it; the network with the highest `priority` comes first.",
        interface_name="Remove it: the engine names interfaces.",
        ipv4_address=_TWO_AT_ONCE,
        ipv6_address=_TWO_AT_ONCE,
        link_local_ips=_TWO_AT_ONCE,
        mac_address=_TWO_AT_ONCE,
    ),
)

_NETWORK: Final = (
    *honoured(Level.IPAM, config="", driver="`default` only."),
    *refused(Level.IPAM, options=_EXTERNAL),
    *honoured(
        Level.SUBNET,
        gateway="",
        subnet="The engine hands out its upper half; replicas behind the edge have fixed "
        "addresses in the lower one.",
    ),
    *refused(
        Level.SUBNET,
        aux_addresses=_EXTERNAL,
        ip_range=_EXTERNAL,
    ),
)

NESTED: Final = (*_BUILD, *_SERVICE, *_NETWORK)
