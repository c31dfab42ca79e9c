"""Probes of `check` in the eyes of plans: a running one is left alone, what is left goes."""

import pytest

from underway.model.image import ImageIdentity
from underway.model.names import AppName, ContainerName, HostName, ReleaseNumber
from underway.model.release import Release
from underway.model.snapshot import (
    ContainerState,
    ContainerStatus,
    EngineFacts,
    HostState,
    Role,
    Snapshot,
)
from underway.model.spec import AppSpec, HostSpec
from underway.model.step import RemoveContainer
from underway.rollout.naming import own_labels
from underway.rollout.plan import plan_release
from underway.rollout.removal import plan_removal
from underway.rollout.scene import Policy

APP, H1 = AppName("libra"), HostName("h1")
RELEASE = Release(ReleaseNumber(1), AppSpec(APP, (), (HostSpec(H1, ""),)), ())
POLICY = Policy(tools=ImageIdentity("tools:1", "sha256:" + "1" * 64))
PROBE = ContainerName("underway-probe-libra-r1-h1-look")


def snapshot(status: ContainerStatus) -> Snapshot:
    labels = own_labels(APP, Role.PROBE)
    probe = ContainerState("1", PROBE, "sha256:1", status, labels)
    return Snapshot(APP, (HostState(H1, EngineFacts("29", "1.52"), (probe,)),))


@pytest.mark.parametrize(
    ("status", "is_removed"),
    [
        (ContainerStatus.RUNNING, False),
        (ContainerStatus.CREATED, True),
        (ContainerStatus.EXITED, True),
    ],
)
def test_a_deploy_removes_a_probe_that_does_not_run(status: ContainerStatus, *, is_removed: bool):
    steps = plan_release(RELEASE, snapshot(status), POLICY).steps()
    removed = [step for step in steps if isinstance(step, RemoveContainer)]
    assert [step.container for step in removed] == ([PROBE] if is_removed else [])


@pytest.mark.parametrize("status", [ContainerStatus.RUNNING, ContainerStatus.EXITED])
def test_removing_the_app_removes_its_probes(status: ContainerStatus):
    plan = plan_removal(RELEASE, snapshot(status), POLICY)
    assert PROBE in [step.container for step in plan.steps() if isinstance(step, RemoveContainer)]
