"""What commands share: a session opened as the options say, releases by name, questions."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from underway import api
from underway.cli.console import Console
from underway.cli.interruption import cancel_on_interrupt
from underway.errors import RefusedError
from underway.model.names import NO_RELEASE, ReleaseNumber


@contextmanager
def use_session(console: Console, *, is_changing: bool = False) -> Iterator[api.Session]:
    """Open the app's hosts and follow what happens; `is_changing` makes Ctrl-C end in order."""
    from underway import wiring

    interruption = cancel_on_interrupt() if is_changing else nullcontext(threading.Event())
    with console.follow() as sink, interruption as cancel:
        options = wiring.SessionOptions()
        with wiring.open_session(options, sink) as session:
            session.confirm = console.ask
            session.cancel = cancel
            yield session


def release_named(session: api.Session, name: str) -> ReleaseNumber:
    """The number of a release given by number or tag; 0 for "".

    Raises RefusedError `release-unknown` for a tag that no recorded release has.
    """
    if not name:
        return NO_RELEASE
    if name.isdecimal():
        return ReleaseNumber(int(name))
    tagged = [release.number for release in api.releases(session) if release.tag == name]
    if not tagged:
        raise RefusedError(
            "release-unknown",
            f"No recorded release of {session.app} has the tag {name!r}.",
            hint="`underway history --releases` lists them.",
        )
    return max(tagged)


def require_yes(console: Console, question: str) -> None:
    """Go on only if somebody says yes, or said so with --yes; RefusedError `not-confirmed`."""
    if console.options.assumes_yes or console.ask(question):
        return
    raise RefusedError(
        "not-confirmed",
        "Nothing was changed: nobody said yes.",
        hint="Say it on the terminal, or give --yes.",
    )
