"""Be ready: the recovery kit of an app, and a drill of every app in its repository."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager

from underway.api.backing_up import desk_of, home_of
from underway.api.moments import age_s
from underway.api.proving import verify
from underway.api.restore_points import Choice, manifest_of
from underway.api.session import Session
from underway.compose.keeping import needed_files
from underway.errors import RefusedError, UnderwayError
from underway.model.backup import SensitiveSource, shown_repository
from underway.model.drill import Drill, Kit
from underway.model.kept_project import KeptProject
from underway.model.names import AppName
from underway.model.restore_point import Manifest
from underway.ports.backup import Workplace

OpenApp = Callable[[Manifest], AbstractContextManager[Session]]
"""Opens another app of the repository, on the hosts that its newest point names."""


def kit(session: Session) -> Kit:
    """What is needed to come back. Nothing of it is a secret."""
    desk = desk_of(session)
    policy, kept = desk.policy, desk.kept or KeptProject("{}")
    carried = {file.path for file in kept.files}
    needed = [
        file.path
        for file in needed_files(json.loads(kept.compose))
        if not any(_is_below(path, file.path) for path in carried)
    ]
    return Kit(
        app=session.app,
        repository=shown_repository(policy.repository),
        is_on_host=policy.is_host_directory,
        password=_origin(policy.password),
        credentials=tuple((name, _origin(source)) for name, source in policy.credentials),
        variables=kept.given,
        files=tuple(dict.fromkeys(needed)),
        hosts=tuple(host.name for host in session.spec.hosts),
    )


def _is_below(kept: str, written: str) -> bool:
    path = written.removeprefix("./").rstrip("/")
    return kept == path or kept.startswith(f"{path}/")


def _origin(source: SensitiveSource) -> str:
    return f"{source.kind.value} `{' '.join(source.words)}`"


def drill(session: Session, open_app: OpenApp, *, wait_s: float = 0.0) -> tuple[Drill, ...]:
    """Verify the newest point of every app in the repository, one after the other.

    What fails is told of its app, and the others are tried all the same. Raises what opening the
    repository raises, and RefusedError `backup-point-unknown` where it holds no point.
    """
    with desk_of(session).open_store(Workplace(home_of(session), is_looking=True)) as store:
        store.open()
        apps = store.apps()
        found = {app: manifest_of(store, app, Choice()) for app in apps}
    if session.app not in found:
        raise RefusedError(
            "backup-point-unknown",
            f"{session.app} has no complete restore point: there is nothing to try",
            hint="`underway backup create` makes one",
        )
    return tuple(_drilled(session, found[app], open_app, wait_s) for app in sorted(found))


def _drilled(session: Session, manifest: Manifest, open_app: OpenApp, wait_s: float) -> Drill:
    app, choice = AppName(manifest.app), Choice(manifest.point)
    moment = manifest.summary.moment
    try:
        if app == session.app:
            _, proof = verify(session, choice, wait_s=wait_s)
        else:
            with open_app(manifest) as other:
                _, proof = verify(other, choice, wait_s=wait_s)
    except UnderwayError as error:
        if error.code == "interrupted":
            raise
        return Drill(
            app,
            manifest.point,
            moment,
            code=error.code,
            why=error.message,
            exit_code=int(error.exit_code),
        )
    age = round(age_s(moment, session.clock.now()), 1)
    return Drill(app, manifest.point, moment, proof.duration_s, age)
