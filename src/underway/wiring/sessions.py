"""From options to a session with open connections, all of which are closed in the end."""

import getpass
import platform
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from underway.api.session import Session, Workshop, seen_names
from underway.errors import ConfigurationError
from underway.kernel.telling import Voice
from underway.kernel.trust import Trust
from underway.model.event import Level
from underway.model.history import Stance
from underway.ports import EventSink
from underway.wiring.backups import backup_desk
from underway.wiring.commands import command_desk
from underway.wiring.fleet import Fleet, Seals
from underway.wiring.options import Reading, SessionOptions
from underway.wiring.snapshots import image_shelf
from underway.wiring.workshop import HostWorkshop

if TYPE_CHECKING:
    from underway.adapters.connector import DockerConnector
    from underway.adapters.signature import TeamKey
    from underway.compose.sources import Understood
    from underway.wiring.project import Project, ReadProject


class SystemClock:
    """`ports.Clock` of this machine; `monotonic` counts suspended time where Linux tells it."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that only grow."""
        if hasattr(time, "CLOCK_BOOTTIME"):
            return time.clock_gettime(time.CLOCK_BOOTTIME)
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def understand(options: SessionOptions) -> "Understood":
    """Load and understand the project; raises ConfigurationError. No host is asked."""
    from underway.wiring.project import Project

    return Project(options).whole()


@contextmanager
def open_session(
    options: SessionOptions,
    sink: EventSink,
    *,
    reading: Reading = Reading.WHOLE,
    stance: Stance = Stance.REFUSE,
) -> Iterator[Session]:
    """Understand the file, connect to every host at once, and close all in the end.

    A host that does not answer is no error here: it is observed as unreachable. `stance` says what
    becomes of a history that is in doubt; where it is only told, a missing signing key is too.
    """
    from underway.adapters.connector import DockerConnector
    from underway.adapters.heads import StateHeads, heads_directory
    from underway.wiring.keeping import journalled
    from underway.wiring.project import Project

    warming = threading.Thread(target=_warm_up, daemon=True)
    warming.start()
    project = Project(options)
    read = project.read(reading)
    project.require_urls(read.spec)
    warming.join()
    voice = Voice(secrets.token_hex(6), actor(), journalled(options, sink), SystemClock())
    for remark in read.spec.remarks:
        where = f"{remark.place}: " if remark.place else ""
        voice.note(Level.INFO, remark.code, where + remark.message)
    heads = StateHeads(
        heads_directory(options.environ),
        lambda text: voice.note(Level.INFO, "history-not-remembered", text),
    )
    seals = Seals(team_key(project, read, voice, stance), heads)
    with DockerConnector(project.sources.directory) as connector:
        session = assembled(options, read, connector, voice, seals)
        session.trust = Trust(heads, stance)
        with closing(session):
            yield session


@contextmanager
def closing(session: Session) -> Iterator[Session]:
    """Give back in the end what the session claimed of locks, those of backups too."""
    with ExitStack() as stack:
        stack.callback(session.locks.close)
        if session.backups:
            stack.callback(session.backups.locks.close)
        yield session


def team_key(
    project: "Project", read: "ReadProject", voice: Voice, stance: Stance = Stance.REFUSE
) -> "TeamKey | None":
    """The key that signs records, None without one; ConfigurationError where it is needed."""
    from underway.adapters.signature import TeamKey

    if read.signing is None:
        return None
    try:
        return TeamKey(read.spec.name, project.signing_key(read.signing))
    except ConfigurationError as error:
        if stance is not Stance.TELL:
            raise
        text = f"signatures of records are not checked: {error.message}"
        voice.note(Level.WARNING, error.code, text)
        return None


def _warm_up() -> None:
    """Load what speaks to engines while Compose reads the file: neither waits for the other."""
    import underway.adapters.engine_builder
    import underway.adapters.haproxy
    import underway.adapters.ledger
    import underway.adapters.lock
    import underway.adapters.vault
    import underway.image.shipment  # noqa: F401


def actor() -> str:
    """Who runs this: `user@machine`."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "somebody"
    return f"{name}@{platform.node()}"


def assembled(
    options: SessionOptions,
    read: "ReadProject",
    connector: "DockerConnector",
    voice: Voice,
    seals: Seals,
) -> Session:
    """A session of what was read, with its hosts connected; whoever asks for it is `closing` it."""
    from underway.adapters.lock import AttachedLocks
    from underway.adapters.signature import AttestationKey
    from underway.wiring.outline import names_of

    spec = read.spec
    names = names_of(options.environ)
    fleet = Fleet(spec.name, connector, spec.hosts, seals=seals)
    engines = fleet.engines
    workshop = HostWorkshop(options, spec, read.values, engines, connector)
    return Session(
        spec=spec,
        values=read.runtime_values,
        world=fleet.world(workshop.revive),
        locks=AttachedLocks(
            engines.values(), lambda _: workshop.tools_reference(), bring=workshop.bring_tools
        ),
        workshop=_functions_of(workshop),
        clock=SystemClock(),
        voice=voice,
        way_to=lambda name: engines[name].connection.way,
        unread=read.unread,
        testing=read.testing,
        backups=backup_desk(read, options, engines, workshop),
        commands=command_desk(engines, workshop),
        requires_clean=read.requires_clean,
        signer=AttestationKey(seals.key.secret) if seals.key else None,
        noticed=lambda snapshot: names.remember(seen_names(snapshot)),
        shelf=image_shelf(spec.name, options, engines, workshop),
    )


def _functions_of(workshop: HostWorkshop) -> Workshop:
    return Workshop(
        ship=workshop.ship,
        tools=workshop.tools,
        pull=workshop.pull,
        send=workshop.send,
        bench=workshop.bench,
        registry=workshop.registry,
        carry=workshop.carry,
    )
