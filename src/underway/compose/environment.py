"""A service's variables: public ones by value, those from outside the file by name."""

from underway.compose.canonical import Tree, mapping_of, text_of
from underway.compose.interpolation import outside_variables
from underway.compose.notebook import Notebook
from underway.model.spec import EnvVar


def environment_of(
    service: Tree, name: str, notebook: Notebook, *, public: frozenset[str]
) -> tuple[EnvVar, ...]:
    """The variables, sorted; what came from outside the file is put aside as sensitive.

    A variable is public if its own name is listed, or every variable its value is made of.
    """
    raw = mapping_of(notebook.raw_service(name).get("environment"))
    variables = []
    for key, value in sorted(mapping_of(service.get("environment")).items()):
        if value is None:
            continue
        text = text_of(value)
        if key in public or not _is_outside(key, raw, notebook, public):
            variables.append(EnvVar(key, text))
        else:
            sensitive = notebook.keep(f"env/{name}/{key}", text.encode())
            variables.append(EnvVar(key, sensitive=sensitive))
    return tuple(variables)


def _is_outside(
    key: str, raw: dict[str, object], notebook: Notebook, public: frozenset[str]
) -> bool:
    """Whether the value came from an environment file, the shell, or an interpolation."""
    if key not in raw:
        return True
    template = raw[key]
    if template is None:
        return True
    return bool(outside_variables(text_of(template), notebook.variables) - public)
