"""Commands between deploys that change how many replicas run: scale, restart, stop, start."""

from collections.abc import Callable
from typing import Any

import click

from underway import api
from underway.cli.console import Console
from underway.cli.options import SERVICES, SKIP_HOST, WAIT, command
from underway.cli.release_commands import INTERRUPT, show_result
from underway.cli.working import use_session
from underway.model.names import HostName, ServiceName


def _counts(
    _context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]
) -> dict[ServiceName, int]:
    found: dict[ServiceName, int] = {}
    for text in given:
        name, _, count = text.partition("=")
        if not name or not (count.isascii() and count.isdecimal()):
            raise click.BadParameter(f"{text!r} is not SERVICE=NUMBER.")
        found[ServiceName(name)] = int(count)
    return found


def _adjusted(
    console: Console,
    use_case: "Callable[[api.Session, api.AdjustOptions], api.DeployResult]",
    given: dict[str, Any],
) -> None:
    options = api.AdjustOptions(
        allow_interruption=given["allow_interruption"],
        skip_hosts=frozenset(map(HostName, given["skip_hosts"])),
        wait_s=given["wait_s"],
    )
    with use_session(console, is_changing=True) as session:
        result = use_case(session, options)
    show_result(console, result)


@command()
@click.argument("counts", nargs=-1, required=True, callback=_counts, metavar="SERVICE=NUMBER...")
@INTERRUPT
@SKIP_HOST
@WAIT
def scale(console: Console, *, counts: dict[ServiceName, int], **given: Any) -> None:
    """Run more or fewer replicas of services.

    New replicas get users' requests once they passed every edge's check; surplus ones finish what
    they have before they stop. It holds through deploys and rollbacks, until you scale again, or
    until a release says another number than when you scaled; `status` shows it. 0 stops a service.
    """
    _adjusted(console, lambda session, options: api.scale(session, counts, options), given)


@command()
@SERVICES
@INTERRUPT
@SKIP_HOST
@WAIT
def restart(console: Console, *, services: tuple[str, ...], **given: Any) -> None:
    """Replace the replicas of services by the same anew.

    All that are not stopped without SERVICE. It is a rollout of the release that runs, by each
    service's own strategy: started beside the old ones, probed, routed, drained. A service that
    cannot run twice stops for a moment: that is asked for, or allowed with --allow-interruption.
    """
    names = tuple(map(ServiceName, services))
    _adjusted(console, lambda session, options: api.restart(session, names, options), given)


@command()
@SERVICES
@INTERRUPT
@SKIP_HOST
@WAIT
def stop(console: Console, *, services: tuple[str, ...], **given: Any) -> None:
    """Stop services, and keep them stopped until `start`.

    All without SERVICE. They take no more requests, finish what they have, and stop; their
    containers go, their volumes stay. Users of a proxied service get 503 meanwhile: that is asked
    for, or allowed with --allow-interruption. Deploys and rollbacks leave stopped services stopped,
    and say so.
    """
    names = tuple(map(ServiceName, services))
    _adjusted(console, lambda session, options: api.stop(session, names, options), given)


@command()
@SERVICES
@INTERRUPT
@SKIP_HOST
@WAIT
def start(console: Console, *, services: tuple[str, ...], **given: Any) -> None:
    """Bring back services that were stopped.

    All without SERVICE, with as many replicas as before, as the release that runs now has them.
    """
    names = tuple(map(ServiceName, services))
    _adjusted(console, lambda session, options: api.start(session, names, options), given)
