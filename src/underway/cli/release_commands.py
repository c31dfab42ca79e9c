"""Commands around a release: plan, ship, deploy, rollback."""

from typing import TYPE_CHECKING, Any, Final

import click

from underway import api
from underway.cli.console import Console
from underway.cli.options import (
    ACCEPT_HISTORY,
    BUMP,
    LIMIT,
    ONLY,
    SEMVER,
    SKIP_HOST,
    SUMMARY,
    WAIT,
    command,
    offered,
)
from underway.cli.working import release_named, ship_wish, use_session, use_target
from underway.model.names import HostName, ServiceName
from underway.wiring.options import Reading

if TYPE_CHECKING:
    from underway.model.plan import Plan

_AS_THEY_ARE: Final = (
    "recreate",
    "allow_interruption",
    "wait_s",
    "current_secrets",
    "past_migrations",
    "skip_backup",
    "untested",
)
_RELEASE = click.argument(
    "release", default="", metavar="[RELEASE]", shell_complete=offered("release_names")
)
_RECREATE = click.option("--recreate", is_flag=True, help="Replace replicas that are as wished.")
_PULL = click.option(
    "--pull",
    multiple=True,
    metavar="SERVICE",
    shell_complete=offered("service_names"),
    help="Resolve the service's image anew; may be repeated. "
    "Others keep the digest of the running release.",
)
INTERRUPT = click.option(
    "--allow-interruption",
    is_flag=True,
    help="Allow services to stop serving for a moment, without asking.",
)
_PROXY = click.option(
    "--renew-proxy/--keep-proxy",
    "renew_proxy",
    default=None,
    help="Renew proxies that another tools image would make, though other apps share them; or "
    "keep all as they are. No request is lost either way.",
)
_UNTESTED = click.option(
    "--untested",
    is_flag=True,
    help="Run no tests; the release is recorded as untested.",
)
_BACKUP = click.option(
    "--skip-backup",
    is_flag=True,
    help="Make no backup first, although the file says before_deploy.",
)
_SECRETS = click.option(
    "--current-secrets",
    is_flag=True,
    help="Take today's sensitive values instead of the release's own.",
)


@command()
@_RELEASE
@ONLY
@LIMIT
@_RECREATE
@_PULL
@SEMVER
@BUMP
@_PROXY
@SKIP_HOST
def plan(console: Console, *, release: str, **given: Any) -> None:
    """Show what a deploy would do, and why.

    Builds what the file says to build, asks every host, and changes none. With RELEASE, a number
    or a tag of `underway history --releases`, it plans that one. What a deploy would interrupt
    stands in red; -v shows every step.
    """
    with use_session(console, reading=_reading(release)) as session:
        options = _options(session, release, given)
        made = api.plan(session, options)
    show_plan(console, made)


@command()
@_PULL
@SEMVER
@BUMP
@_UNTESTED
@WAIT
def ship(
    console: Console,
    *,
    pull: tuple[str, ...],
    semver: str,
    bump: str | None,
    untested: bool,
    wait_s: float,
) -> None:
    """Build, test, push the images, and record the release.

    Builds once, runs the tests that the file declares, tags, pushes where there is a registry, and
    brings images and record to every host. A test that fails ends it before anything is pushed.
    What serves is not touched: `underway deploy RELEASE` does that, from any machine.
    """
    with use_session(console, is_changing=True, reading=Reading.WHOLE) as session:
        wish = ship_wish(pull, semver, bump)
        release = api.ship(session, wish, wait_s=wait_s, untested=untested)
    if console.options.is_json:
        from underway.report.history_documents import release_document

        console.print_document(release_document(release))
    else:
        from underway.report.history_text import release_lines

        console.print(release_lines(release))


@command()
@_RELEASE
@ONLY
@LIMIT
@_RECREATE
@_PULL
@INTERRUPT
@SEMVER
@BUMP
@_PROXY
@_UNTESTED
@_BACKUP
@SKIP_HOST
@WAIT
@_SECRETS
@ACCEPT_HISTORY
@SUMMARY
def deploy(
    console: Console, *, release: str, current_secrets: bool, accept_history: bool, **given: Any
) -> None:
    """Replace what runs by a release, under load.

    Without RELEASE it ships the file first, tests included. The new generation starts beside the
    old one, takes over when every edge's own check passed, and the old one finishes what it has.
    If anything fails before that, every host goes back: exit code 10. The same again changes
    nothing.
    """
    reading = _reading(release, takes_values=current_secrets)
    with use_session(
        console, is_changing=True, accepts_history=accept_history, reading=reading
    ) as session:
        options = _options(session, release, given | {"current_secrets": current_secrets})
        result = api.deploy(session, options)
    show_result(console, result)


@command()
@_RELEASE
@ONLY
@LIMIT
@INTERRUPT
@SKIP_HOST
@WAIT
@_SECRETS
@click.option(
    "--past-migrations",
    is_flag=True,
    help="Go back although what later `before` commands did to the data stays.",
)
@ACCEPT_HISTORY
@SUMMARY
def rollback(
    console: Console, *, release: str, current_secrets: bool, accept_history: bool, **given: Any
) -> None:
    """Go back to an older release.

    Without RELEASE it is the one that ran before. The older release comes with its own images,
    configuration and sensitive values, by the same careful way as a deploy.
    """
    reading = Reading.WHOLE if current_secrets else Reading.SITE
    with use_session(
        console, is_changing=True, accepts_history=accept_history, reading=reading
    ) as session:
        options = _options(session, release, given | {"current_secrets": current_secrets})
        result = api.rollback(session, options)
    show_result(console, result)


@command()
@_RELEASE
@click.option("--to", "target", required=True, metavar="NAME", help="The environment it goes to.")
@click.option("--plan", "is_plan", is_flag=True, help="Show what it would do, and change nothing.")
@INTERRUPT
@_UNTESTED
@SKIP_HOST
@WAIT
def promote(
    console: Console,
    *,
    release: str,
    target: str,
    is_plan: bool,
    allow_interruption: bool,
    untested: bool,
    skip_hosts: tuple[str, ...],
    wait_s: float,
) -> None:
    """Bring a release to another environment, with the same images.

    RELEASE is one of the environment given with -E, by default the one that runs there. Nothing is
    built: the other environment gets the same manifest, its own configuration and its own values.
    """
    options = api.DeployOptions(
        allow_interruption=allow_interruption,
        untested=untested,
        skip_hosts=frozenset(map(HostName, skip_hosts)),
        wait_s=wait_s,
    )
    with (
        use_session(console, is_changing=not is_plan) as source,
        use_target(console, source, target, is_changing=not is_plan) as session,
    ):
        number = release_named(source, release)
        if is_plan:
            show_plan(console, api.plan_promotion(source, session, number, options))
        else:
            show_result(console, api.promote(source, session, number, options))


def _reading(release: str, *, takes_values: bool = False) -> Reading:
    """A recorded release comes with its own configuration and values; the file's are shipped."""
    return Reading.WHOLE if takes_values or not release else Reading.SITE


def _options(session: "api.Session", release: str, given: dict[str, Any]) -> "api.DeployOptions":
    """What the options of plan, deploy and rollback ask for; each has only some of them."""
    chosen: dict[str, Any] = {name: given[name] for name in _AS_THEY_ARE if name in given}
    if "pull" in given:
        chosen["ship"] = ship_wish(given["pull"], given["semver"], given["bump"])
        chosen["proxy_renewal"] = _renewal(given["renew_proxy"])
    return api.DeployOptions(
        release=release_named(session, release),
        only=frozenset(map(ServiceName, given["only"])),
        limit=frozenset(map(HostName, given["limit"])),
        skip_hosts=frozenset(map(HostName, given["skip_hosts"])),
        **chosen,
    )


def _renewal(renew_proxy: bool | None) -> "api.ProxyRenewal":  # noqa: FBT001 (an option)
    """What becomes of proxies, with None those that are due."""
    if renew_proxy is None:
        return api.ProxyRenewal.DUE
    return api.ProxyRenewal.ALWAYS if renew_proxy else api.ProxyRenewal.NEVER


def show_plan(console: Console, made: "Plan") -> None:
    """Print what would be done."""
    if console.options.is_json:
        from underway.report.document_making import plan_document

        console.print_document(plan_document(made))
    else:
        from underway.report.plan_text import plan_lines

        console.print(plan_lines(made, is_verbose=console.options.is_verbose))


def show_result(console: Console, result: "api.DeployResult") -> None:
    """Print what a run came to."""
    if console.options.is_json:
        console.print_run(click.get_current_context().command.name or "", result.release.spec.name)
    else:
        from underway.report.result_text import deployed_lines

        console.print(
            deployed_lines(
                result.release,
                result.previous,
                result.outcome,
                steps=result.steps,
                duration_s=result.duration_s,
            )
        )
