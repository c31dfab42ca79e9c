"""A service's build: Compose's own canonical section, with sensitive values by name."""

import json
from typing import Any

from underway.compose.canonical import Tree, list_of, mapping_of, text_of
from underway.compose.interpolation import outside_variables
from underway.compose.notebook import Notebook
from underway.compose.travelling import keep_build_secret
from underway.model.spec import BuildSpec


def build_of(
    service: Tree, name: str, notebook: Notebook, *, public: frozenset[str]
) -> BuildSpec | None:
    """The build, or None. Secrets it mounts are put aside as `secret/NAME`."""
    build = mapping_of(service.get("build"))
    if not build:
        return None
    raw = mapping_of(mapping_of(notebook.raw_service(name).get("build")).get("args"))
    definition: dict[str, Any] = {key: build[key] for key in sorted(build)}
    arguments = mapping_of(build.get("args"))
    if arguments:
        definition["args"] = {
            key: _argument(
                key, text_of(value), raw.get(key), name=name, notebook=notebook, public=public
            )
            for key, value in sorted(arguments.items())
            if value is not None
        }
    for use in list_of(build.get("secrets")):
        source = str(use["source"]) if isinstance(use, dict) else str(use)
        keep_build_secret(source, name, notebook)
    if service.get("platform") and not build.get("platforms"):
        definition["platforms"] = [str(service["platform"])]
    return BuildSpec(
        context=str(build.get("context") or ""),
        dockerfile=str(build.get("dockerfile") or "Dockerfile"),
        definition=json.dumps(definition, sort_keys=True, separators=(",", ":")),
    )


def _argument(
    key: str,
    value: str,
    template: object,
    *,
    name: str,
    notebook: Notebook,
    public: frozenset[str],
) -> str | dict[str, str]:
    """A build argument: its text, or the name of the sensitive value it is."""
    if key in public:
        return value
    if template is not None and not (
        outside_variables(text_of(template), notebook.variables) - public
    ):
        return value
    notebook.remark(
        "interpolated-in-the-open",
        f"build argument `{key}` of service `{name}` comes from outside the file, "
        "and stands in the image's history: use a build secret, or list it as `public`",
        notebook.place("services", name, "build", "args", key),
    )
    return {"sensitive": notebook.keep(f"build/{name}/{key}", value.encode())}
