"""The use cases as a Python library: what the command line does, without the command line.

A `Session` (made by `underway.wiring.open_session`) holds the file understood and the open
connections; each use case is a function over it. Outcomes are values, failures are
`underway.errors.UnderwayError`.
"""

from underway.api import backing_up, keeping, proving, restore_points, restoring
from underway.api.checking import check
from underway.api.deploying import (
    DeployOptions,
    DeployResult,
    deploy,
    plan,
    repair,
    rollback,
    ship,
)
from underway.api.inspecting import status
from underway.api.maintaining import lock_holders, lock_release, plan_remove, prune, remove
from underway.api.output import ReplicaLine, logs
from underway.api.past import history, release_list, releases
from underway.api.session import Session
from underway.api.testing import SuiteOptions, SuiteReport, test
from underway.rollout.scene import ProxyRenewal

__all__ = [
    "DeployOptions",
    "DeployResult",
    "ProxyRenewal",
    "ReplicaLine",
    "Session",
    "SuiteOptions",
    "SuiteReport",
    "backing_up",
    "check",
    "deploy",
    "history",
    "keeping",
    "lock_holders",
    "lock_release",
    "logs",
    "plan",
    "plan_remove",
    "proving",
    "prune",
    "release_list",
    "releases",
    "remove",
    "repair",
    "restore_points",
    "restoring",
    "rollback",
    "ship",
    "status",
    "test",
]
