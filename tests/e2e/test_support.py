"""The support itself must see what is wrong: a check that never fails would prove nothing."""

import pytest

from tests.e2e.project import Project, Wish
from tests.e2e.sight import identities

V1, V2 = Wish("v1"), Wish("v2")


def test_what_settled_means_is_told_apart_from_everything_else(project: Project) -> None:
    with pytest.raises(AssertionError):
        project.sight.expect_no_leftovers(V1)
    project.sight.expect_nothing()
    project.deploy(V1).expect(0)
    project.sight.expect_settled(V1)
    for wrong in (V2, Wish("v1", replicas=3)):
        with pytest.raises(AssertionError):
            project.sight.expect_settled(wrong)
    before = identities(project.sight.replicas())
    project.fleet.docker("h1", "restart", project.sight.replicas()[0].name)
    assert identities(project.sight.replicas()) != before
    project.fleet.docker("h1", "run", "-d", "--name", "web-retired", _image(project), "worker")
    with pytest.raises(AssertionError, match="left"):
        project.sight.expect_no_leftovers(V1)


def _image(project: Project) -> str:
    name = project.sight.replicas()[0].name
    return project.fleet.docker("h1", "inspect", "-f", "{{.Image}}", name)
