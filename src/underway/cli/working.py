"""What commands share: a session opened as the options say, releases by name, questions."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from underway import api
from underway.cli.aliases import require_free_aliases, session_options
from underway.cli.console import Console
from underway.cli.interruption import cancel_on_interrupt
from underway.cli.options import GlobalOptions
from underway.cli.sections import COMMANDS
from underway.errors import RefusedError, UsageError
from underway.errors.suggestion import meant_hint
from underway.model.history import Stance
from underway.model.names import NO_RELEASE, ReleaseNumber, ServiceName
from underway.wiring.options import Reading

if TYPE_CHECKING:
    from underway.wiring import SessionOptions


@contextmanager
def use_session(
    console: Console,
    *,
    is_changing: bool = False,
    is_quiet: bool = False,
    reading: Reading = Reading.SITE,
    accepts_history: bool = False,
) -> "Iterator[api.Session]":
    """Open the app's hosts and follow what happens.

    `is_changing` makes Ctrl-C end in order; `is_quiet` leaves what only a deploy needs to say.
    `reading` is how much of the file is needed: by default what works on any machine that has it.
    A history in doubt is refused by what changes the app, and told by what only looks, which is
    quiet or changes nothing; `accepts_history` takes it.
    """
    from underway import wiring

    looks = is_quiet or not is_changing
    stance = Stance.TELL if looks else Stance.ACCEPT if accepts_history else Stance.REFUSE
    options = project_options(console.options)
    interruption = (
        cancel_on_interrupt(lambda: console.has_begun)
        if is_changing
        else nullcontext(threading.Event())
    )
    with (
        console.follow(is_quiet=is_quiet) as sink,
        interruption as cancel,
        wiring.open_session(options, sink, reading=reading, stance=stance) as session,
    ):
        session.confirm = console.ask
        session.cancel = cancel
        session.changes_environment = console.options.assumes_yes
        yield session


@contextmanager
def use_target(
    console: Console, source: "api.Session", environment: str, *, is_changing: bool
) -> "Iterator[api.Session]":
    """Open the same files as another environment, beside the one that is open.

    UsageError where both would be one app by the command line.
    """
    from underway import wiring

    if environment == console.options.environment or console.options.project_name:
        raise UsageError(
            "usage",
            "--to names another environment than the one it comes from, and each has its own name.",
            hint="Name the source with -E, the target with --to, and leave -p out.",
        )
    options = replace(project_options(console.options), environment=environment)
    stance = Stance.REFUSE if is_changing else Stance.TELL
    sink = source.voice.sink
    with wiring.open_session(options, sink, reading=Reading.WHOLE, stance=stance) as target:
        target.confirm = source.confirm
        target.cancel = source.cancel
        yield target


def project_options(options: GlobalOptions) -> "SessionOptions":
    """Which project, as wiring takes it; ConfigurationError where its aliases are wrong."""
    require_free_aliases(options, COMMANDS)
    return session_options(options)


def ship_wish(pull: Iterable[str], semver: str, bump: str | None) -> "api.ShipWish":
    """What the options ask of shipping; UsageError where they are at odds."""
    version = version_wish(semver, bump)
    return api.ShipWish(frozenset(map(ServiceName, pull)), version)


def version_wish(semver: str, bump: str | None) -> "api.VersionWish":
    """What --semver and --bump ask for; UsageError where both are given."""
    if semver and bump:
        raise UsageError(
            "usage", "--semver and --bump both say which version it is.", hint="Give one of them."
        )
    return api.VersionWish(semver, api.Bump(bump) if bump else None)


def release_named(session: "api.Session", name: str) -> ReleaseNumber:
    """The number of a release given by number or tag; 0 for "".

    Raises RefusedError: `release-unknown` for a tag that no recorded release has,
    `release-ambiguous` for one that several have.
    """
    if not name:
        return NO_RELEASE
    if name.isdecimal():
        return ReleaseNumber(int(name))
    listed = api.release_list(session)
    tagged = [known for known in listed if name in (known.release.tag, *known.names)]
    if not tagged:
        raise RefusedError(
            "release-unknown",
            f"No recorded release of {session.app} has the tag {name!r}.",
            hint=meant_hint(
                name,
                {tag for known in listed for tag in (known.release.tag, *known.names) if tag},
                "`underway releases` lists them.",
            ),
        )
    if len(tagged) > 1:
        raise RefusedError(
            "release-ambiguous",
            f"{len(tagged)} releases of {session.app} have the tag {name!r}.",
            cause="they differ in configuration or sensitive values, which the tag does not tell",
            hint="Name one by its number.",
            detail=tuple(
                f"{known.release.number}  created {known.release.created_at}, {known.standing}"
                for known in tagged
            ),
        )
    return tagged[0].release.number


def require_yes(console: Console, question: str, told: tuple[str, ...] = ()) -> None:
    """Go on only if somebody says yes, or said so with --yes; RefusedError `not-confirmed`.

    `told` is what the question is about, where it is not shown otherwise.
    """
    if console.options.assumes_yes or console.ask(question):
        return
    raise RefusedError(
        "not-confirmed",
        "Nothing was changed: nobody said yes.",
        hint="Say it on the terminal, or give --yes.",
        detail=told,
    )
