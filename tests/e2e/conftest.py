"""Projects for the end-to-end tests: one per test, on the laboratory its `lab` marker names."""

import os
from pathlib import Path

import pytest

from tests.e2e.project import Project
from tests.laboratories import Fleet


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of this directory runs whole commands on real engines."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)
            if os.geteuid() != 0:
                item.add_marker(pytest.mark.skip(reason="laboratories need root"))


@pytest.fixture
def project(fleet: Fleet, tmp_path: Path) -> Project:
    """A project on empty hosts. Images are sent on one host, pushed on a fleet."""
    return Project(fleet, tmp_path, has_registry=len(fleet.laboratory.hosts) > 1)
