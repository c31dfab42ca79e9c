"""The site of a project: the app's name and its hosts.

It is all that a command needs of the file which looks, tidies, or goes back to what was recorded.
It is read without services, so that a value that is missing on this machine matters only where the
site itself is made of it, and nothing stands in for one.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from underway.compose.canonical import Tree, mapping_of
from underway.compose.hosts import edge_of, fleet_of
from underway.compose.interpolation import templates_in, unset_variables
from underway.compose.notebook import refuse
from underway.compose.positions import Positions
from underway.compose.wishes import AppWish
from underway.compose.x_underway import KEY, app_wish, refuse_misspelt
from underway.model.names import AppName
from underway.model.spec import AppSpec

_BESIDE_IT: Final = frozenset(AppWish.__struct_fields__) - {"hosts", "edge", "tools"}
"""Settings that no site is made of. What is unknown stays, to be refused: it may be `hosts`."""


def site_templates(raw: Tree, name: str) -> dict[str, Any]:
    """What a site is made of, as the user wrote it; `name` only if it is interpolated."""
    written = mapping_of(raw.get(KEY))
    site = {key: value for key, value in written.items() if key not in _BESIDE_IT}
    return {**({"name": name} if name else {}), KEY: site}


def require_site_values(
    templates: Tree, variables: Mapping[str, str], positions: Positions
) -> None:
    """Refuse an app's name, or hosts, in which Compose would leave out what nobody set.

    It would be another app, or another host. Raises ConfigurationError `variable-missing`.
    """
    for path, template in _entries(templates):
        for variable in sorted(unset_variables(template, variables)):
            refuse(
                "variable-missing",
                f"`{'.'.join(path)}` needs variable {variable}, which nobody set on this machine",
                cause="without it, no command knows which app on which hosts is meant",
                place=positions.place(*path),
                hint=f"Set {variable} in the shell, in .env or with --env-file, or write "
                f"${{{variable}:-}} where it may be empty.",
            )


def site_of(raw: Tree, site: Tree, positions: Positions) -> AppSpec:
    """A nameless app with its hosts and edge, and no service. Raises ConfigurationError.

    `raw` is the file as it was written, `site` what its `site_templates` became.
    """
    for key in raw:
        refuse_misspelt(key, (), positions)
    wish = app_wish(site, positions)
    fleet = fleet_of(wish, positions)
    # The edge of a fleet is named in the file; a single host is the edge where anything has one.
    proxied = [fleet.order] if _has_proxy(raw) and not fleet.is_fleet else []
    return AppSpec(
        name=AppName(""),
        services=(),
        hosts=fleet.hosts,
        edge=edge_of(wish, fleet, proxied, positions),
        tools=wish.tools,
    )


def _entries(templates: Tree) -> Iterator[tuple[tuple[str, ...], str]]:
    for template in templates_in(templates.get("name")):
        yield ("name",), template
    for key, value in mapping_of(templates.get(KEY)).items():
        for template in templates_in(value):
            yield (KEY, key), template


def _has_proxy(raw: Tree) -> bool:
    services = mapping_of(raw.get("services")).values()
    return any(mapping_of(mapping_of(service).get(KEY)).get("proxy") for service in services)
