"""What becomes of every Compose key: honoured, noted as without effect, or refused with a remedy.

The one table; the reference page is generated from it, and a key that is missing here is refused.
"""

from typing import Final

from underway.compose.nested_keys import NESTED
from underway.compose.rules import Level, Rule, honoured, noted, refused

_TOP: Final = (
    *honoured(
        Level.TOP,
        name="The app's name.",
        services="See the service keys.",
        volumes="See the volume keys.",
        networks="See the network keys.",
        secrets="See the secret keys.",
        configs="See the config keys.",
        include="Resolved by Compose.",
    ),
    *noted(Level.TOP, version="Compose itself ignores it."),
    *refused(
        Level.TOP,
        jobs="Run it once for each release by `x-underway: {run_once: true}` or `{before: ...}` of "
        "a service; for a schedule, call it from a timer of a host.",
        models="Run the model as a service of its own.",
    ),
)

_SERVICE_IDENTITY: Final = honoured(
    Level.SERVICE,
    annotations="",
    build="See the build keys. Built with buildx; values from outside in `args` never stand in a "
    "record.",
    command="",
    configs="`file`, `content` and `environment`; uploaded before the first start.",
    container_name="Only with one replica: containers carry their generation in their name, "
    "and this one becomes a network alias. The service is recreated, not overlapped.",
    depends_on="See the keys of a dependency. A service that others wait to complete runs once.",
    deploy="See the deploy keys.",
    domainname="",
    entrypoint="",
    env_file="Resolved by Compose; its values are sensitive unless listed `public`.",
    environment="Values from outside the file are sensitive unless listed `public`.",
    expose="",
    extends="Resolved by Compose.",
    extra_hosts="",
    healthcheck="See the healthcheck keys.",
    hostname="",
    image="",
    label_file="Resolved by Compose.",
    labels="Names that begin with `underway.` are refused.",
    links="The linked service comes first. One with another name is refused: use `aliases`.",
    logging="",
    network_mode="`none` and `host`; a service with `host` has no proxy. Others are refused.",
    networks="See the keys of a service in a network.",
    ports="Without an address: loopback on one host, the private address on a fleet. On a "
    "proxied service they are for the laptop. `x-underway: {public: true}` opens one. "
    "Of a range of host ports the engine takes a free one; it must have room for the replicas "
    "that run beside each other.",
    profiles="Resolved by Compose: `--profile` chooses.",
    restart="Without it: `unless-stopped`.",
    scale="",
    secrets="`file` and `environment`, with uid, gid and mode.",
    stdin_open="",
    stop_grace_period="",
    stop_signal="",
    tmpfs="",
    tty="",
    user="",
    volumes="Volumes, binds, tmpfs. Small read-only binds of relative paths travel with the "
    "release; other relative binds are refused on remote hosts.",
    working_dir="",
)

_SERVICE_LIMITS: Final = honoured(
    Level.SERVICE,
    blkio_config="",
    cap_add="Shown in the plan.",
    cap_drop="",
    cgroup="",
    cgroup_parent="",
    cpu_period="",
    cpu_quota="",
    cpu_rt_period="",
    cpu_rt_runtime="",
    cpu_shares="",
    cpus="",
    cpuset="",
    device_cgroup_rules="Shown in the plan.",
    devices="Shown in the plan. Names of the Container Device Interface (`vendor.com/gpu=0`) too.",
    dns="",
    dns_opt="",
    dns_search="",
    gpus="The host needs the vendor's container runtime.",
    group_add="",
    init="",
    ipc="`host`, `private`, `shareable`. `service:` and `container:` are refused.",
    mem_limit="",
    mem_reservation="",
    mem_swappiness="",
    memswap_limit="",
    oom_kill_disable="",
    oom_score_adj="",
    pid="`host`, shown in the plan. `service:` and `container:` are refused.",
    pids_limit="",
    privileged="Shown in the plan.",
    read_only="With it, configs and travelling files need a place below /run/secrets or a volume.",
    runtime="",
    security_opt="`unconfined` is shown in the plan.",
    shm_size="",
    storage_opt="",
    sysctls="",
    ulimits="",
    userns_mode="`host` is shown in the plan.",
    uts="`host` is shown in the plan.",
)

_SERVICE_REST: Final = (
    *noted(
        Level.SERVICE,
        attach="Underway never attaches.",
        develop="For the laptop.",
        platform="A build takes it; a pulled image is the host's own platform, by digest.",
        pull_policy="Images are resolved once for a deploy and verified by digest.",
        pull_refresh_after="Images are resolved once for a deploy and verified by digest.",
    ),
    *refused(
        Level.SERVICE,
        cpu_count="For Windows only: use `cpus`.",
        cpu_percent="For Windows only: use `cpus`.",
        credential_spec="For Windows only: remove it.",
        external_links="Put both services into one `external` network.",
        isolation="For Windows only: remove it.",
        mac_address="Two generations run at once and cannot share an address: remove it.",
        models="Run the model as a service of its own.",
        pre_start="Use `x-underway: {before: ...}`, once for a release, or a service that others "
        "wait for by `condition: service_completed_successfully`.",
        post_start="Start it from the image's entrypoint, or use `x-underway: {before: ...}`.",
        pre_stop="Handle the stop signal in the application.",
        provider="Underway runs containers only: run it beside the app.",
        use_api_socket="Mount the engine's socket by `volumes`, if it must be.",
        volumes_from="Mount the same named volume in both services.",
    ),
)

_DEPLOY: Final = (
    *honoured(
        Level.DEPLOY,
        mode="`replicated` and `global`. Jobs are refused: use `x-underway: {run_once: true}`.",
        replicas="Over all hosts of the service.",
        resources="`limits` (cpus, memory, pids) and `reservations` (memory, devices).",
        restart_policy="`condition` and `max_attempts`; `restart` wins. "
        "`delay` and `window` are without effect.",
        update_config="All keys. `order` decides the strategy.",
    ),
    *noted(
        Level.DEPLOY,
        endpoint_mode="Traffic comes through the edge.",
        labels="Labels of a Swarm service: use `labels` of the service.",
        rollback_config="A rollback follows `update_config`.",
    ),
    *refused(
        Level.DEPLOY,
        placement="Name hosts or groups in `x-underway`: `place: {SERVICE: GROUP}`.",
    ),
)

_RESOURCES: Final = (
    *honoured(
        Level.VOLUME,
        driver="",
        driver_opts="A network file system makes the volume shared. A directory relative to the "
        "file is refused on remote hosts.",
        external="",
        labels="",
        name="",
    ),
    *honoured(
        Level.NETWORK,
        driver="`bridge`; others only as `external`.",
        driver_opts="",
        external="",
        internal="",
        ipam="One IPv4 subnet; see the keys of `ipam`.",
        labels="",
        name="",
    ),
    *noted(
        Level.NETWORK, attachable="For Swarm.", enable_ipv4="IPv4 is always on; `false` is refused."
    ),
    *refused(Level.NETWORK, enable_ipv6="Create the network on the hosts and name it `external`."),
    *honoured(Level.SECRET, environment="", file="", name=""),
    *noted(Level.SECRET, labels="For Swarm."),
    *refused(
        Level.SECRET,
        driver="Name a command under x-underway `sensitive`.",
        driver_opts="Name a command under x-underway `sensitive`.",
        external="Give it a `file:` or an `environment:`.",
        template_driver="Write the content as it shall be.",
    ),
    *honoured(Level.CONFIG, content="", environment="", file="", name=""),
    *noted(Level.CONFIG, labels="For Swarm."),
    *refused(
        Level.CONFIG,
        external="Give it a `file:`, a `content:` or an `environment:`.",
        template_driver="Write the content as it shall be.",
    ),
)

RULES: Final = (
    *_TOP,
    *_SERVICE_IDENTITY,
    *_SERVICE_LIMITS,
    *_SERVICE_REST,
    *_DEPLOY,
    *_RESOURCES,
    *NESTED,
)

_BY_KEY: Final = {(rule.level, rule.key): rule for rule in RULES}


def rule_of(level: Level, key: str) -> Rule | None:
    """The rule of a key, or None for one that Underway does not know."""
    return _BY_KEY.get((level, key))
