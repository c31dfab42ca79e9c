"""The shape of `x-underway`: strict, with defaults for a team with one host.

The reference and the JSON Schema are generated from these structs; their docstrings are its text.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from underway.compose.backup_wishes import BackupWish, Command, Duration, VolumeBackupWish

Names = Annotated[str | list[str], Meta(description="One name, or a list of names.")]


class HealthWish(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """How the edge asks a replica whether it can serve."""

    path: Annotated[str, Meta(description="HTTP GET this path; without it, a TCP connection.")] = ""
    interval: Annotated[Duration, Meta(description="Time between two probes.")] = "1s"
    timeout: Annotated[Duration, Meta(description="How long one probe may take.")] = "2s"
    rise: Annotated[int, Meta(ge=1, description="Good probes in a row until it serves.")] = 1
    fall: Annotated[int, Meta(ge=1, description="Bad probes in a row until it is out.")] = 3


class ProxyWish(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """How users reach a service through the edge."""

    host: Annotated[Names, Meta(description="The host names of its requests.")]
    port: Annotated[
        int,
        Meta(
            ge=0,
            le=65535,
            description="The container's port; 0: the only one of `expose` and `ports`, "
            "else the image's EXPOSE.",
        ),
    ] = 0
    path: Annotated[str, Meta(description="Only requests below this path.")] = "/"
    health: Annotated[
        str | HealthWish, Meta(description="A path to probe by HTTP, or the probe in full.")
    ] = ""
    drain: Annotated[
        Duration, Meta(description="How long a retiring replica may finish what it has.")
    ] = "30s"
    deploy_timeout: Annotated[
        Duration, Meta(description="How long a new replica may take until it can serve.")
    ] = "60s"
    response_timeout: Annotated[
        Duration, Meta(description="How long the application may take to answer.")
    ] = "60s"
    tunnel_timeout: Annotated[
        Duration, Meta(description="How long an upgraded connection may be silent.")
    ] = "1h"


class BeforeWish(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A command run once, from the new image, before any replica of the new release starts."""

    command: Command
    timeout: Annotated[Duration, Meta(description="How long it may take.")] = "10m"
    undo: Annotated[Command, Meta(description="The command that takes it back.")] = ""


class ServiceWish(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """`services.NAME.x-underway`."""

    proxy: Annotated[
        str | ProxyWish | None, Meta(description="The host name users ask for, or the whole.")
    ] = None
    strategy: Annotated[
        Literal["rolling", "blue-green", "recreate"] | None,
        Meta(description="How one generation is replaced; default from `update_config.order`."),
    ] = None
    before: Annotated[
        str | list[str] | BeforeWish | None, Meta(description="What runs before a deploy.")
    ] = None
    place: Annotated[
        str | list[str] | None, Meta(description="Hosts or groups its replicas stand on.")
    ] = None
    public: Annotated[
        list[str], Meta(description="Variables whose values are not sensitive in this service.")
    ] = []
    single_writer: Annotated[
        bool | None, Meta(description="Two generations never run at once; true for databases.")
    ] = None
    run_once: Annotated[
        bool | None, Meta(description="It runs to its end instead of staying up.")
    ] = None


class VolumeWish(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """`volumes.NAME.x-underway`."""

    shared: Annotated[bool | None, Meta(description="Every host sees the same data.")] = None
    kind: Annotated[
        Literal["local", "shared", "per-host"] | None,
        Meta(description="`local`: one host; `shared`: all hosts; `per-host`: each its own cache."),
    ] = None
    single_writer: Annotated[
        bool | None, Meta(description="Only one generation may have it open.")
    ] = None
    backup: Annotated[
        bool | VolumeBackupWish | None,
        Meta(description="How it is backed up; `false` leaves it out on purpose."),
    ] = None


class PortWish(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """`x-underway` of a port in its long form."""

    public: Annotated[
        bool, Meta(description="Publish on every address of the host, past its firewall.")
    ] = False


class HostWish(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One Docker host."""

    url: Annotated[
        str,
        Meta(
            description="`ssh://user@host`, `tcp://host:2376` with TLS, `unix:///path`, or a "
            "Docker context's name."
        ),
    ]
    address: Annotated[
        str, Meta(description="Its private address; default: the URL's, if that is private.")
    ] = ""
    name: Annotated[str, Meta(description="What it is called; default: the URL's host.")] = ""
    certificates: Annotated[
        str,
        Meta(
            description="For `tcp://`: the directory of `ca.pem`, `cert.pem` and `key.pem`, from "
            "the file's directory or `~`; default: `DOCKER_CERT_PATH`, else Docker's own."
        ),
    ] = ""


class EdgeWish(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The hosts that take users' traffic."""

    hosts: Names = []
    http_port: Annotated[int, Meta(ge=1, le=65535, description="Where the proxy listens.")] = 80


class SourceWish(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A command that prints a sensitive value."""

    command: Command
    timeout: Annotated[Duration, Meta(description="How long it may take.")] = "60s"


class ResultWish(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What makes a suite pass beside exit status 0."""

    last_line: Annotated[
        str,
        Meta(
            description="What its last line that is not blank must be, on standard output "
            "(on standard error where it writes nothing else)."
        ),
    ] = ""


class SuiteWish(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A suite of tests that runs in the image as it would be shipped."""

    service: Annotated[str, Meta(description="The service whose image is tested.")]
    command: Annotated[
        Command, Meta(description="The command that tests; default: the service's own.")
    ] = ""
    entrypoint: Annotated[Command, Meta(description="Instead of the image's entrypoint.")] = ""
    environment: Annotated[
        dict[str, str | int | float | bool | None] | list[str],
        Meta(description="Variables beside the service's own, such as one that switches tests on."),
    ] = {}
    needs: Annotated[
        Names | None,
        Meta(
            description="Services that run beside it, with what they depend on; default: what "
            "the service depends on."
        ),
    ] = None
    timeout: Annotated[Duration, Meta(description="How long it may take.")] = "10m"
    needs_timeout: Annotated[
        Duration, Meta(description="How long the services it needs may take to get healthy.")
    ] = "2m"
    result: Annotated[
        ResultWish | None, Meta(description="What must hold beside exit status 0.")
    ] = None
    junit: Annotated[
        str, Meta(description="Where it writes JUnit XML: a file or directory in the container.")
    ] = ""
    on: Annotated[
        str, Meta(description="The host it runs on; default: the engine that builds.")
    ] = ""
    internet: Annotated[
        bool, Meta(description="Its network reaches the internet, not only what it needs.")
    ] = False


class TagsWish(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """How images are tagged, in full."""

    names: Annotated[
        list[str],
        Meta(
            description="Immutable tags, of text and `{semver}`, `{date}`, `{commit}`, `{build}`, "
            "`{environment}`; the first one names the release. Default: `{semver}` where `semver` "
            "is given, else `{date}-{commit}`."
        ),
    ] = []
    semver: Annotated[
        Literal["major", "minor", "patch"] | None,
        Meta(
            description="Which part of the last version grows where a commit has no version tag; "
            "default: none, and it has no version."
        ),
    ] = None
    moving: Annotated[
        list[str],
        Meta(
            description="Tags that are moved to what serves after each deploy, of text and "
            "`{environment}`."
        ),
    ] = []


class PolicyWish(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What must hold before anything is pushed or deployed."""

    require: Annotated[
        list[Literal["clean", "tests"]],
        Meta(
            description="`tests`, the default: every suite of `test` passed. `clean`: nothing is "
            "uncommitted. `[]`: nothing, and only `underway test` runs tests."
        ),
    ] = field(default_factory=lambda: ["tests"])


class KeyWish(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Where a key comes from: one of the three. It has at least 32 bytes."""

    command: Annotated[Command, Meta(description="A command that prints it.")] = ""
    timeout: Annotated[Duration, Meta(description="How long the command may take.")] = "60s"
    file: Annotated[str, Meta(description="A file of this machine that holds it.")] = ""
    variable: Annotated[
        str, Meta(description="A variable of the environment, or of `.env`, that holds it.")
    ] = ""


class SigningWish(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Records are signed with the team's key, and unsigned ones are refused."""

    key: KeyWish


class AppWish(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """`x-underway` at the top of the file."""

    hosts: Annotated[
        str | list[str | HostWish] | dict[str, list[str | HostWish]],
        Meta(description="The hosts, or named groups of them; without it, the local engine."),
    ] = []
    place: Annotated[
        dict[str, str | list[str]], Meta(description="Service to the hosts or groups it runs on.")
    ] = {}
    edge: Annotated[
        str | list[str] | EdgeWish | None, Meta(description="The hosts that run the proxy.")
    ] = None
    tags: Annotated[
        list[str] | TagsWish, Meta(description="How images are tagged: the names, or the whole.")
    ] = []
    tools: Annotated[str, Meta(description="The team's own reference of the tools image.")] = ""
    test: Annotated[
        dict[str, Any] | None,
        Meta(
            description="A suite of tests (see below), or a mapping of names to suites.",
        ),
    ] = None
    policy: Annotated[
        PolicyWish | None, Meta(description="What must hold before a release goes out.")
    ] = None
    backup: Annotated[BackupWish | None, Meta(description="Where backups go.")] = None
    public: Annotated[list[str], Meta(description="Variables whose values are not sensitive.")] = []
    sensitive: Annotated[
        dict[str, SourceWish], Meta(description="Variables of the file that a command prints.")
    ] = {}
    signing: Annotated[
        SigningWish | None, Meta(description="Sign the records on the hosts with the team's key.")
    ] = None
    aliases: Annotated[
        dict[str, str],
        Meta(
            description="Commands of the team's own, each short for another: `console: exec web`."
        ),
    ] = {}
    subnet: Annotated[
        str, Meta(description="Networks take their subnets from it; default `10.213.0.0/16`.")
    ] = ""
