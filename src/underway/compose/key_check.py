"""Going over every key of a project by the table, and over values that no key-wise rule can see."""

from collections.abc import Mapping
from typing import Any, Final

from underway.compose.canonical import list_of, mapping_of
from underway.compose.keys import Level, Verdict, rule_of
from underway.compose.notebook import Notebook, refuse
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


def check_keys(notebook: Notebook) -> None:
    """Refuse or note every key of the project; raises ConfigurationError."""
    tree = notebook.canonical
    _check_level(tree, Level.TOP, (), notebook)
    for section, level in _SECTIONS.items():
        for name, definition in mapping_of(tree.get(section)).items():
            _check_level(mapping_of(definition), level, (section, name), notebook)
    for name, definition in mapping_of(tree.get("services")).items():
        service = mapping_of(definition)
        path = ("services", name)
        _check_level(service, Level.SERVICE, path, notebook)
        _check_level(mapping_of(service.get("deploy")), Level.DEPLOY, (*path, "deploy"), notebook)
        _check_values(service, name, notebook)
        _remark_privileges(service, name, notebook)


def _check_level(
    tree: Mapping[str, Any], level: Level, path: tuple[str, ...], notebook: Notebook
) -> None:
    for key, value in sorted(tree.items()):
        refuse_misspelt(key, path, notebook.positions)
        if key.startswith("x-") or value in (None, "", False) or value in ([], {}):
            continue
        rule = rule_of(level, key)
        where = f"`{key}`" + (f" of `{'.'.join(path)}`" if path else "")
        if rule is None:
            refuse(
                "key-unknown",
                f"{where} is a key that Underway does not know",
                place=notebook.place(*path, key),
                hint="Remove it, or move it to a file that only the laptop reads.",
            )
        if rule.verdict is Verdict.REFUSED and level not in {Level.SECRET, Level.CONFIG}:
            refuse(
                "key-refused",
                f"{where} cannot be honoured",
                place=notebook.place(*path, key),
                hint=rule.text,
            )
        if rule.verdict is Verdict.NOTED:
            notebook.remark(
                "no-effect", f"{where} has no effect: {rule.text}", notebook.place(*path, key)
            )


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
            place=notebook.place("services", name, "network_mode"),
            hint="Use `networks`, with `external: true` for a network that exists already.",
        )
    for label in mapping_of(service.get("labels")):
        if label.startswith(_RESERVED_LABELS):
            refuse(
                "label-reserved",
                f"label `{label}` of service `{name}` is Underway's own",
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
