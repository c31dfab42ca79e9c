"""Going over every key of a project by the table, and over values that no key-wise rule can see."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from underway.compose.canonical import list_of, mapping_of
from underway.compose.keys import rule_of
from underway.compose.notebook import Notebook, refuse
from underway.compose.rules import Level, Verdict
from underway.compose.x_underway import refuse_misspelt

_SECTIONS: Final = {
    "volumes": Level.VOLUME,
    "networks": Level.NETWORK,
    "secrets": Level.SECRET,
    "configs": Level.CONFIG,
}
_SHARED_SPACES: Final = ("ipc", "network_mode", "pid", "uts")
_HOST_MODES: Final = {
    "ipc": "shares the host's memory segments",
    "network_mode": "uses the host's network",
    "pid": "sees and signals the host's processes",
    "userns_mode": "runs outside the user namespace",
    "uts": "may set the host's name",
}
_RESERVED_LABELS: Final = "underway."
_USUAL: Final = {(Level.PORT, "mode"): "ingress"}
"""What Compose writes where the file says nothing."""

_LISTS: Final = ((Level.PORT, "ports", "target"), (Level.MOUNT, "volumes", "target"))
"""Settings that are lists of mappings, and the key that tells their entries apart."""


def check_keys(notebook: Notebook) -> None:
    """Refuse or note every key of the project; raises ConfigurationError."""
    tree = notebook.canonical
    _check_level(tree, Level.TOP, (), notebook)
    for section, level in _SECTIONS.items():
        for name, definition in mapping_of(tree.get(section)).items():
            _check_level(mapping_of(definition), level, (section, name), notebook)
            ipam = mapping_of(mapping_of(definition).get("ipam"))
            _check_level(ipam, Level.IPAM, (section, name, "ipam"), notebook)
            for subnet in list_of(ipam.get("config")):
                _check_level(
                    mapping_of(subnet), Level.SUBNET, (section, name, "ipam", "config"), notebook
                )
    for name, definition in mapping_of(tree.get("services")).items():
        service = mapping_of(definition)
        path = ("services", name)
        _check_level(service, Level.SERVICE, path, notebook)
        for level, below, inner in _inner(service):
            _check_level(inner, level, (*path, *below), notebook)
        _check_values(service, name, notebook)
        _remark_privileges(service, name, notebook)


def _inner(service: Mapping[str, Any]) -> Iterator[tuple[Level, tuple[str, ...], dict[str, Any]]]:
    """The mappings within a service whose keys have rules: level, path, mapping."""
    deploy = mapping_of(service.get("deploy"))
    resources = mapping_of(deploy.get("resources"))
    yield Level.DEPLOY, ("deploy",), deploy
    reservations = mapping_of(resources.get("reservations"))
    yield Level.RESERVATION, ("deploy", "resources", "reservations"), reservations
    yield Level.BUILD, ("build",), mapping_of(service.get("build"))
    yield Level.HEALTHCHECK, ("healthcheck",), mapping_of(service.get("healthcheck"))
    for name, place in mapping_of(service.get("networks")).items():
        yield Level.ATTACHMENT, ("networks", name), mapping_of(place)
    linked = {str(link) for link in list_of(service.get("links"))}
    for name, dependency in mapping_of(service.get("depends_on")).items():
        if name not in linked:  # Compose writes those itself.
            yield Level.DEPENDENCY, ("depends_on", name), mapping_of(dependency)
    for level, key, mark in _LISTS:
        for entry in map(mapping_of, list_of(service.get(key))):
            yield level, (key, str(entry.get(mark, ""))), entry


def _check_level(
    tree: Mapping[str, Any], level: Level, path: tuple[str, ...], notebook: Notebook
) -> None:
    for key, value in sorted(tree.items()):
        refuse_misspelt(key, path, notebook.positions)
        is_empty = value in (None, "", False) or value in ([], {})
        if key.startswith("x-") or is_empty or value == _USUAL.get((level, key)):
            continue
        rule = rule_of(level, key)
        where = f"`{key}`" + (f" of `{'.'.join(path)}`" if path else "")
        if rule is None:
            refuse(
                "key-unknown",
                f"{where} is a key that Underway does not know",
                place=_place(level, path, key, notebook),
                hint="Remove it, or move it to a file that only the laptop reads.",
            )
        if rule.verdict is Verdict.REFUSED and level not in {Level.SECRET, Level.CONFIG}:
            refuse(
                "key-refused",
                f"{where} cannot be honoured",
                cause="replicas that come and go could not keep what it asks for",
                place=_place(level, path, key, notebook),
                hint=rule.text,
            )
        if rule.verdict is Verdict.NOTED:
            place = _place(level, path, key, notebook)
            notebook.remark("no-effect", f"{where} has no effect: {rule.text}", place)


def _place(level: Level, path: tuple[str, ...], key: str, notebook: Notebook) -> str:
    """`file:line`; entries of lists are found by their text."""
    if level in {Level.PORT, Level.MOUNT}:
        return notebook.positions.item(*path[:-1], holds=path[-1])
    return notebook.place(*path, key)


def _check_values(service: Mapping[str, Any], name: str, notebook: Notebook) -> None:
    """Refuse values that tie a container to another one, which a deploy would replace."""
    for key in _SHARED_SPACES:
        value = str(service.get(key) or "")
        if value.startswith(("service:", "container:")):
            refuse(
                "key-refused",
                f"`{key}: {value}` of service `{name}` ties it to one container",
                cause="containers are replaced one by one",
                place=notebook.place("services", name, key),
                hint="Put both into one network, or one image.",
            )
    mode = str(service.get("network_mode") or "")
    if mode not in {"", "host", "none"}:
        refuse(
            "key-refused",
            f"`network_mode: {mode}` of service `{name}` cannot be honoured",
            cause="each app has networks of its own, which replicas join and leave",
            place=notebook.place("services", name, "network_mode"),
            hint="Use `networks`, with `external: true` for a network that exists already.",
        )
    for link in list_of(service.get("links")):
        linked, _, alias = str(link).partition(":")
        if alias not in {"", linked}:
            refuse(
                "key-refused",
                f"service `{name}` links `{linked}` under another name, `{alias}`",
                place=notebook.positions.item("services", name, "links", holds=str(link)),
                hint=f"Write `networks: {{default: {{aliases: [{alias}]}}}}` in `{linked}`.",
            )
    for label in mapping_of(service.get("labels")):
        if label.startswith(_RESERVED_LABELS):
            refuse(
                "label-reserved",
                f"label `{label}` of service `{name}` is Underway's own",
                cause="what runs is known by labels of this name",
                place=notebook.place("services", name, "labels", label),
                hint="Choose another name.",
            )
    _check_deploy(mapping_of(service.get("deploy")), name, notebook)


def _check_deploy(deploy: Mapping[str, Any], name: str, notebook: Notebook) -> None:
    mode = str(deploy.get("mode") or "replicated")
    if mode not in {"replicated", "global"}:
        refuse(
            "key-refused",
            f"`deploy.mode: {mode}` of service `{name}` cannot be honoured",
            place=notebook.place("services", name, "deploy", "mode"),
            hint="Use `x-underway: {run_once: true}`.",
        )
    policy = mapping_of(deploy.get("restart_policy"))
    for key in ("delay", "window"):
        if policy.get(key):
            notebook.remark(
                "no-effect",
                f"`deploy.restart_policy.{key}` of service `{name}` has no effect: "
                "the engine waits longer after each failure",
                notebook.place("services", name, "deploy", "restart_policy", key),
            )


def _remark_privileges(service: Mapping[str, Any], name: str, notebook: Notebook) -> None:
    """Note what gives a container power over its host."""
    powers: list[tuple[str, str]] = []
    if service.get("privileged"):
        powers.append(("privileged", "is privileged: it rules the host"))
    for key, what in _HOST_MODES.items():
        if service.get(key) == "host":
            powers.append((key, what))
    powers += [("cap_add", f"gets the capability {one}") for one in list_of(service.get("cap_add"))]
    powers += [
        ("security_opt", f"runs with {option}")
        for option in list_of(service.get("security_opt"))
        if "unconfined" in str(option) or "disable" in str(option)
    ]
    if service.get("devices") or service.get("device_cgroup_rules"):
        powers.append(("devices", "gets devices of the host"))
    for key, what in powers:
        notebook.remark(
            "privileged", f"service `{name}` {what}", notebook.place("services", name, key)
        )
