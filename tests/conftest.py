"""What all tests share: laboratories, the order of tests, and an orderly end when told to stop."""

import os
import signal
from collections.abc import Iterator
from types import FrameType

import pytest

from tests.laboratories import Fleet, Laboratories, clear

os.environ.pop("GITHUB_STEP_SUMMARY", None)  # the deploys of tests are none of that build's
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # each client would compile every module anew


@pytest.fixture(scope="session")
def laboratory() -> Iterator[Laboratories]:
    """`laboratory(hosts, engine="26")`: shared by the session, not cleared between tests."""
    if os.geteuid() != 0:
        pytest.skip("laboratories need root")
    made = Laboratories()
    try:
        yield made
    finally:
        made.down()


@pytest.fixture
def fleet(request: pytest.FixtureRequest, laboratory: Laboratories) -> Iterator[Fleet]:
    """Healthy, empty hosts as the test's `lab` marker asks for; healed and emptied afterwards."""
    hosts, engine = _shape(request.node)
    lab = laboratory(hosts, engine=engine)
    clear(lab)
    yield Fleet(lab)
    clear(lab)


def pytest_configure(config: pytest.Config) -> None:
    """Let a termination end the session as Ctrl-C does: fixtures are torn down.

    Ctrl-C too where whoever started this one ignores it, as a shell does for the background.
    """
    del config

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what needs no engine first, then tests of the same laboratory side by side."""
    for item in items:
        if item.get_closest_marker("lab"):
            item.add_marker(pytest.mark.engine)
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> tuple[int, str, int]:
    is_real = any(item.get_closest_marker(name) for name in ("engine", "e2e"))
    if not is_real:
        return (0, "", 0)
    hosts, engine = _shape(item)
    return (1, engine, hosts)


def _shape(item: pytest.Item) -> tuple[int, str]:
    marker = item.get_closest_marker("lab")
    settings = marker.kwargs if marker else {}
    unknown = set(settings) - {"hosts", "engine"}
    if unknown or (marker and marker.args):
        raise pytest.UsageError(f"{item.nodeid}: lab takes hosts= and engine=, not {unknown}")
    return int(settings.get("hosts", 1)), str(settings.get("engine", "26"))
