"""Sessions for other apps whose restore points stand in the same repository."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

from underway.api.backing_up import desk_of
from underway.api.session import Session
from underway.kernel.telling import Voice
from underway.kernel.trust import Trust
from underway.model.history import Stance
from underway.model.restore_point import Manifest
from underway.model.spec import AppSpec
from underway.wiring.fleet import Seals
from underway.wiring.options import SessionOptions
from underway.wiring.project import ReadProject
from underway.wiring.sessions import SystemClock, actor, assembled, closing


def neighbours(
    options: SessionOptions, origin: Session
) -> Callable[[Manifest], AbstractContextManager[Session]]:
    """Opens the app of a manifest, with the repository and the password of `origin`."""

    @contextmanager
    def open_app(manifest: Manifest) -> Iterator[Session]:
        from underway.adapters.connector import DockerConnector
        from underway.adapters.heads import StateHeads, heads_directory

        said = desk_of(origin).policy
        policy = replace(
            manifest.policy or said,
            repository=said.repository,
            password=said.password,
            credentials=said.credentials,
        )
        recorded = manifest.release.spec
        spec = AppSpec(recorded.name, (), recorded.hosts, tools=recorded.tools)
        voice = Voice(secrets.token_hex(6), actor(), origin.voice.sink, SystemClock())
        heads = StateHeads(heads_directory(options.environ), lambda _: None)
        with DockerConnector(Path.cwd()) as connector:
            read = ReadProject(spec, backup=policy)
            session = assembled(options, read, connector, voice, Seals(None, heads))
            session.trust = Trust(heads, Stance.TELL)
            session.cancel = origin.cancel
            with closing(session):
                yield session

    return open_app
