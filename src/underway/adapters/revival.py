"""Makes an app's anchor run again where its records are and nobody can read them.

A client may die, and somebody may tidy up, between the removal of an anchor and its successor: the
volumes stay. Nothing else is touched, and an anchor that another run is making anew is waited for.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from underway.errors import UnderwayError
from underway.model.image import ImageIdentity
from underway.model.names import LABEL_APP, LABEL_ROLE, LABEL_TOOLS, AppName, VolumeName
from underway.model.snapshot import ContainerStatus, Role
from underway.model.spec import VolumeKind, VolumeSpec
from underway.ports import Engine
from underway.rollout.naming import anchor_name, ledger_volume, own_labels, vault_volume
from underway.rollout.request import anchor_request

_PATIENCE_S: Final = 8.0
"""An anchor is made anew in half a second; a slow engine takes a few."""
_POLL_S: Final = 0.2


def revive_anchor(engine: Engine, app: AppName, bring_tools: Callable[[], ImageIdentity]) -> bool:
    """Whether the app's anchor runs now; it is started, or made from a tools image on the host.

    `bring_tools` brings one where none is left. Never raises an UnderwayError.
    """
    try:
        if _is_at_work(engine, app) and _appears(engine, app):
            return True
        if not _is_running(engine, app):
            _start(engine, app, bring_tools)
        return _appears(engine, app)
    except UnderwayError:
        return False


def _start(engine: Engine, app: AppName, bring_tools: Callable[[], ImageIdentity]) -> None:
    name = anchor_name(app)
    if engine.container(name) is None:
        labels = own_labels(app, Role.ANCHOR)
        for volume in (ledger_volume(app), vault_volume(app)):
            made = VolumeSpec(VolumeName(volume), volume, VolumeKind.PER_HOST, labels=labels)
            engine.create_volume(made, {LABEL_APP: app})
        request = anchor_request(app, _tools_on(engine) or bring_tools(), ())
        with suppress(UnderwayError):  # another client may have made it meanwhile
            engine.create(request, {})
    engine.start(name)


def _tools_on(engine: Engine) -> ImageIdentity | None:
    """Any tools image that the host holds: the planner makes the anchor anew if it must."""
    held = [image for image in engine.images() if dict(image.labels).get(LABEL_TOOLS)]
    if not held:
        return None
    newest = max(held, key=lambda image: (image.created_at, image.id))
    return ImageIdentity(next(iter(newest.repo_tags), newest.id), newest.id)


def _is_at_work(engine: Engine, app: AppName) -> bool:
    """Whether a run holds the app's lock here: it may be making the anchor anew."""
    wanted = {(LABEL_APP, app), (LABEL_ROLE, Role.LOCK.value)}
    return any(wanted <= set(c.labels) for c in engine.containers())


def _is_running(engine: Engine, app: AppName) -> bool:
    seen = engine.container(anchor_name(app))
    return seen is not None and seen.status is ContainerStatus.RUNNING


def _appears(engine: Engine, app: AppName) -> bool:
    deadline = time.monotonic() + _PATIENCE_S
    while not _is_running(engine, app):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_S)
    return True
