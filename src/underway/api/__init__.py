"""The use cases as a Python library: what the command line does, without the command line.

A `Session` (made by `underway.wiring.open_session`) holds the file understood and the open
connections; each use case is a function over it. Outcomes are values, failures are
`underway.errors.UnderwayError`. A use case is loaded when it is first named, so that a command
that looks does not wait for what deploys.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from underway.api import (
        adopting,
        backing_up,
        drilling,
        keeping,
        proving,
        recovering,
        restore_points,
        restoring,
        running_due,
        snapshotting,
    )
    from underway.api.addressing import urls
    from underway.api.adjusting import AdjustOptions, restart, scale, start, stop
    from underway.api.adopting import AdoptOptions
    from underway.api.checking import check
    from underway.api.commanding import RunWish, Streams, execute, run_once
    from underway.api.comparing import compare
    from underway.api.deploying import (
        DeployOptions,
        DeployResult,
        deploy,
        plan,
        repair,
        rollback,
        ship,
    )
    from underway.api.happenings import events, follow_events
    from underway.api.inspecting import status
    from underway.api.maintaining import lock_holders, lock_release, plan_remove, prune, remove
    from underway.api.measuring import usage
    from underway.api.ordering import ShipWish
    from underway.api.output import LogFilter, ReplicaLine, logs
    from underway.api.past import history, release_detail, release_list, releases
    from underway.api.promoting import plan_promotion, promote
    from underway.api.replicas import Choice
    from underway.api.reporting import evidence
    from underway.api.retesting import retest
    from underway.api.session import Session
    from underway.api.tag_list import list_tags
    from underway.api.tagging import add_tag, remove_tag
    from underway.api.testing import SuiteOptions, SuiteReport, test
    from underway.image.versions import Bump, VersionWish
    from underway.ports.conversation import CommandWish
    from underway.rollout.scene import ProxyRenewal

_HOMES: Final = {
    "addressing": ("urls",),
    "adjusting": ("AdjustOptions", "restart", "scale", "start", "stop"),
    "adopting": ("AdoptOptions",),
    "checking": ("check",),
    "commanding": ("RunWish", "Streams", "execute", "run_once"),
    "comparing": ("compare",),
    "deploying": (
        "DeployOptions",
        "DeployResult",
        "deploy",
        "plan",
        "repair",
        "rollback",
        "ship",
    ),
    "happenings": ("events", "follow_events"),
    "inspecting": ("status",),
    "maintaining": ("lock_holders", "lock_release", "plan_remove", "prune", "remove"),
    "measuring": ("usage",),
    "ordering": ("ShipWish",),
    "output": ("LogFilter", "ReplicaLine", "logs"),
    "past": ("history", "release_detail", "release_list", "releases"),
    "promoting": ("plan_promotion", "promote"),
    "replicas": ("Choice",),
    "reporting": ("evidence",),
    "retesting": ("retest",),
    "session": ("Session",),
    "tag_list": ("list_tags",),
    "tagging": ("add_tag", "remove_tag"),
    "testing": ("SuiteOptions", "SuiteReport", "test"),
}
"""Where each use case stands."""
_ELSEWHERE: Final = {
    "CommandWish": "underway.ports.conversation",
    "Bump": "underway.image.versions",
    "ProxyRenewal": "underway.rollout.scene",
    "VersionWish": "underway.image.versions",
}
_MODULES: Final = (
    "adopting",
    "backing_up",
    "drilling",
    "keeping",
    "proving",
    "recovering",
    "restore_points",
    "restoring",
    "running_due",
    "snapshotting",
)
_HOME_OF: Final = {
    **{name: f"{__name__}.{module}" for module, names in _HOMES.items() for name in names},
    **_ELSEWHERE,
}


def __getattr__(name: str) -> object:
    """Load what is named for the first time; AttributeError for what is not public."""
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = found
    return found


__all__ = [
    "AdjustOptions",
    "AdoptOptions",
    "Bump",
    "Choice",
    "CommandWish",
    "DeployOptions",
    "DeployResult",
    "LogFilter",
    "ProxyRenewal",
    "ReplicaLine",
    "RunWish",
    "Session",
    "ShipWish",
    "Streams",
    "SuiteOptions",
    "SuiteReport",
    "VersionWish",
    "add_tag",
    "adopting",
    "backing_up",
    "check",
    "compare",
    "deploy",
    "drilling",
    "events",
    "evidence",
    "execute",
    "follow_events",
    "history",
    "keeping",
    "list_tags",
    "lock_holders",
    "lock_release",
    "logs",
    "plan",
    "plan_promotion",
    "plan_remove",
    "promote",
    "proving",
    "prune",
    "recovering",
    "release_detail",
    "release_list",
    "releases",
    "remove",
    "remove_tag",
    "repair",
    "restart",
    "restore_points",
    "restoring",
    "retest",
    "rollback",
    "run_once",
    "running_due",
    "scale",
    "ship",
    "snapshotting",
    "start",
    "status",
    "stop",
    "test",
    "urls",
    "usage",
]
