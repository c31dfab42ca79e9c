"""What Compose says of a build, typed: its canonical `build` section read key by key.

Every key is honoured or refused by name. A value that must not be seen is the name of a sensitive
value: `{"sensitive": NAME}` for a build argument, `secret/SOURCE` for a build secret.
"""

import hashlib
import json
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any, Final

from underway.errors import ConfigurationError
from underway.model.names import SensitiveName
from underway.model.sensitive import SensitiveValues
from underway.model.spec import BuildSpec

_KNOWN: Final = frozenset(
    {
        "additional_contexts",
        "args",
        "cache_from",
        "cache_to",
        "context",
        "dockerfile",
        "dockerfile_inline",
        "entitlements",
        "extra_hosts",
        "labels",
        "network",
        "no_cache",
        "platforms",
        "provenance",
        "pull",
        "sbom",
        "secrets",
        "shm_size",
        "ssh",
        "tags",
        "target",
        "ulimits",
    }
)
_REMOTE: Final = ("http://", "https://", "git://", "ssh://", "git@", "github.com/")


@dataclass(frozen=True, slots=True, order=True)
class BuildArgument:
    """A build argument: a public `value`, or the name of a `sensitive` one."""

    name: str
    value: str = ""
    sensitive: SensitiveName | None = None


@dataclass(frozen=True, slots=True, order=True)
class BuildSecret:
    """A secret the Dockerfile mounts under `id`; `content` names its bytes."""

    id: str
    content: SensitiveName


@dataclass(frozen=True, slots=True)
class BuildDefinition:
    """One image's build, whole.

    Attributes:
        context: a directory of this machine, or an address that the builder fetches itself.
        dockerfile: path as written: from the context's root, or absolute.
        inline: the Dockerfile's own text; `dockerfile` is "" then.
        extra_hosts: `name=address`.
        ulimits: `(name, soft, hard)`.
        platform: `os/architecture`, or "" for the builder's own.
    """

    context: str
    dockerfile: str = ""
    inline: str = ""
    target: str = ""
    arguments: tuple[BuildArgument, ...] = ()
    secrets: tuple[BuildSecret, ...] = ()
    ssh: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    contexts: tuple[tuple[str, str], ...] = ()
    cache_from: tuple[str, ...] = ()
    cache_to: tuple[str, ...] = ()
    extra_hosts: tuple[str, ...] = ()
    entitlements: tuple[str, ...] = ()
    ulimits: tuple[tuple[str, int, int], ...] = ()
    tags: tuple[str, ...] = ()
    network: str = ""
    platform: str = ""
    provenance: str = ""
    sbom: str = ""
    shm_size_bytes: int = 0
    no_cache: bool = False
    pull: bool = False

    @property
    def is_remote(self) -> bool:
        """Whether the builder fetches the context itself."""
        return self.context.startswith(_REMOTE)

    @property
    def dockerfile_path(self) -> str:
        """The Dockerfile as a path of this machine, or within a remote context."""
        name = self.dockerfile or "Dockerfile"
        return name if self.is_remote else str(PurePosixPath(self.context) / name)


def read_definition(build: BuildSpec) -> BuildDefinition:
    """Read Compose's canonical `build`; raises ConfigurationError (`build-key`)."""
    raw: dict[str, Any] = json.loads(build.definition or "{}")
    unknown = sorted(key for key in raw if key not in _KNOWN and not key.startswith("x-"))
    if unknown:
        raise _refused(unknown[0], "Underway does not build with it")
    inline = str(raw.get("dockerfile_inline") or "")
    return BuildDefinition(
        context=str(raw.get("context") or build.context),
        dockerfile="" if inline else str(raw.get("dockerfile") or build.dockerfile),
        inline=inline,
        target=str(raw.get("target") or ""),
        arguments=_arguments(raw.get("args")),
        secrets=_secrets(raw.get("secrets")),
        ssh=tuple(sorted(str(key).replace(": ", "=", 1) for key in _items(raw, "ssh"))),
        labels=_pairs(raw.get("labels")),
        contexts=_contexts(raw.get("additional_contexts")),
        cache_from=_items(raw, "cache_from"),
        cache_to=_items(raw, "cache_to"),
        extra_hosts=_extra_hosts(raw.get("extra_hosts")),
        entitlements=_items(raw, "entitlements"),
        ulimits=_ulimits(raw.get("ulimits")),
        tags=_items(raw, "tags"),
        network=str(raw.get("network") or ""),
        platform=_platform(_items(raw, "platforms")),
        provenance=_switch(raw.get("provenance")),
        sbom=_switch(raw.get("sbom")),
        shm_size_bytes=int(raw.get("shm_size") or 0),
        no_cache=bool(raw.get("no_cache")),
        pull=bool(raw.get("pull")),
    )


def fingerprint(build: BuildSpec, root: str) -> str:
    """Hex SHA-256 of what is built, whatever machine builds it: no values, no path above `root`.

    `root` is the checkout's directory. Labels and tags do not count: Underway adds its own; nor
    does the service, so that equal builds of two services stay one image when one of them changes.
    """
    raw: dict[str, Any] = json.loads(build.definition or "{}")
    raw = {key: value for key, value in raw.items() if key not in {"labels", "tags"}}
    raw["context"] = _below(root, str(raw.get("context") or build.context))
    raw["additional_contexts"] = [
        [name, _below(root, source)] for name, source in _pairs(raw.get("additional_contexts"))
    ]
    if isinstance(raw.get("args"), dict):
        raw["args"] = {key: _unnamed(value) for key, value in raw["args"].items()}
    text = json.dumps(raw, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _unnamed(argument: Any) -> Any:
    return {"sensitive": ""} if isinstance(argument, dict) else argument


def _below(root: str, path: str) -> str:
    if not path.startswith("/"):
        return path
    below = PurePosixPath(path)
    return str(below.relative_to(root)) if root and below.is_relative_to(root) else below.name


def sameness(build: BuildSpec, values: SensitiveValues) -> Hashable:
    """Equal for two builds that make the same image, whatever their sensitive values are named.

    Hold it in memory only: it carries the values.
    """

    def frozen(item: Any) -> Hashable:
        if isinstance(item, dict):
            if item.keys() == {"sensitive"}:
                return values.get(item["sensitive"], item["sensitive"])
            return tuple((key, frozen(item[key])) for key in sorted(item))
        return tuple(map(frozen, item)) if isinstance(item, list) else item

    return build.context, build.dockerfile, frozen(json.loads(build.definition or "{}"))


def with_labels(build: BuildSpec, labels: Mapping[str, str]) -> BuildSpec:
    """The same build with more labels; the team's own of the same name win."""
    raw: dict[str, Any] = json.loads(build.definition or "{}")
    raw["labels"] = {**labels, **dict(_pairs(raw.get("labels")))}
    return replace(build, definition=json.dumps(raw, sort_keys=True, separators=(",", ":")))


def with_platform(build: BuildSpec, platform: str) -> BuildSpec:
    """The same build for `platform`, unless the file names one."""
    raw: dict[str, Any] = json.loads(build.definition or "{}")
    if raw.get("platforms"):
        return build
    raw["platforms"] = [platform]
    return replace(build, definition=json.dumps(raw, sort_keys=True, separators=(",", ":")))


def _refused(key: str, why: str, hint: str = "") -> ConfigurationError:
    return ConfigurationError(
        "build-key", f"`build.{key}`: {why}", hint=hint or f"Take `build.{key}` out of the file."
    )


def _items(raw: Mapping[str, Any], key: str) -> tuple[str, ...]:
    return tuple(str(item) for item in raw.get(key) or ())


def _pairs(value: Any) -> tuple[tuple[str, str], ...]:
    """Compose's mapping, or its list of `name=value`, sorted."""
    if isinstance(value, Mapping):
        return tuple(sorted((str(name), _text(item)) for name, item in value.items()))
    pairs = (str(item).partition("=") for item in value or ())
    return tuple(sorted((name, text) for name, _, text in pairs))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _switch(value: Any) -> str:
    return "" if value is None else _text(value)


def _arguments(value: Any) -> tuple[BuildArgument, ...]:
    if not isinstance(value, Mapping):
        return tuple(BuildArgument(name, text) for name, text in _pairs(value))
    found = []
    for name, item in value.items():
        if isinstance(item, Mapping):
            found.append(BuildArgument(name, sensitive=SensitiveName(str(item["sensitive"]))))
        elif item is not None:
            found.append(BuildArgument(name, _text(item)))
    return tuple(sorted(found, key=lambda argument: argument.name))


def _secrets(value: Any) -> tuple[BuildSecret, ...]:
    found = []
    for item in value or ():
        source = item if isinstance(item, str) else str(item["source"])
        target = "" if isinstance(item, str) else str(item.get("target") or "")
        found.append(BuildSecret(target or source, SensitiveName(f"secret/{source}")))
    return tuple(sorted(found))


def _contexts(value: Any) -> tuple[tuple[str, str], ...]:
    pairs = _pairs(value)
    for name, source in pairs:
        if source.startswith("service:"):
            raise _refused(
                f"additional_contexts.{name}",
                "another service's image as a context is not supported",
                "Name the other build as a stage of the same Dockerfile.",
            )
    return pairs


def _extra_hosts(value: Any) -> tuple[str, ...]:
    if isinstance(value, Mapping):
        return tuple(
            f"{name}={address}"
            for name in sorted(value)
            for address in (value[name] if isinstance(value[name], list) else [value[name]])
        )
    texts = (str(item) for item in value or ())
    return tuple(text if "=" in text else text.replace(":", "=", 1) for text in texts)


def _ulimits(value: Any) -> tuple[tuple[str, int, int], ...]:
    limits = []
    for name, item in sorted((value or {}).items()):
        if isinstance(item, Mapping):
            limits.append((str(name), int(item["soft"]), int(item["hard"])))
        else:
            limits.append((str(name), int(item), int(item)))
    return tuple(limits)


def _platform(platforms: tuple[str, ...]) -> str:
    if len(platforms) > 1:
        raise _refused(
            "platforms",
            "one release runs one image, and each platform would have its own",
            "Name the platform of the hosts only.",
        )
    return platforms[0] if platforms else ""
