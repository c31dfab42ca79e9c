"""What taking an app off its hosts means: what goes for good, and what stays. Pure."""

from collections.abc import Iterable, Iterator
from typing import Final

from underway.model.plan import Plan
from underway.model.step import (
    RemoveContainer,
    RemoveImage,
    RemoveNetwork,
    RemoveProxy,
    RemoveUpstream,
    RemoveVolume,
    Step,
)
from underway.report.amounts import count_text
from underway.report.line import Line, bad, good, line

_RECORDS: Final = ("underway-ledger-", "underway-vault-", "underway-files-")
_RETIRED: Final = "-retired"


def removal_texts(plan: Plan) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What goes for good, and what stays, a sentence each."""
    steps = list(plan.steps())
    return tuple(_going(steps)), tuple(_staying(plan, steps))


def removal_question(plan: Plan) -> list[Line]:
    """The same as lines, red and green."""
    if plan.is_empty:
        return []
    goes, stays = removal_texts(plan)
    lines = [line(bad("goes for good: "), text) for text in goes]
    return [*lines, *(line(good("stays: "), text) for text in stays)]


def _going(steps: list[Step]) -> Iterator[str]:
    routes = [step.service for step in steps if isinstance(step, RemoveUpstream) and step.service]
    if routes:
        yield f"routes of {_names(routes)}: users get no answer any more"
    removed = [step.container for step in steps if isinstance(step, RemoveContainer)]
    containers = [name.removesuffix(_RETIRED) for name in removed]
    if containers:
        yield f"{count_text(len(containers), 'container')}: {_names(containers)}"
    volumes = [step.volume for step in steps if isinstance(step, RemoveVolume)]
    data = [name for name in volumes if not name.startswith(_RECORDS)]
    if data:
        yield f"data in volumes {_names(data)}: no command brings it back"
    if len(data) < len(volumes):
        yield "records of releases and runs, and the vault: nothing can be rolled back to any more"
    networks = [step.network for step in steps if isinstance(step, RemoveNetwork)]
    if networks:
        yield f"networks {_names(networks)}"
    images = [step.image for step in steps if isinstance(step, RemoveImage)]
    if images:
        yield f"{count_text(len(images), 'image')} that no other app uses"
    proxies = [step.host for step in steps if isinstance(step, RemoveProxy)]
    if proxies:
        yield f"the proxy on {_names(proxies)}, as no other app is behind it"


def _staying(plan: Plan, steps: list[Step]) -> Iterator[str]:
    yield from plan.remarks
    if not any(isinstance(step, RemoveProxy) for step in steps):
        yield "the proxy, with what other apps have there"
    yield "images in registries, and other apps"


def _names(names: Iterable[str]) -> str:
    return ", ".join(sorted(set(names)))
