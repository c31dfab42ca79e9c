"""Looking into containers: files, ended or never started, and what health checks said."""

from dataclasses import replace

from tests.contract.conftest import Bench
from tests.contract.patience import eventually
from tests.contract.test_engine import request_for
from underway.model.names import SensitiveName
from underway.model.sensitive import Sensitive
from underway.model.spec import FileSpec, HealthSpec

CONTENT = SensitiveName("config/report")
VALUES = {CONTENT: Sensitive(b"<testsuite/>\x00\xff")}
NAME = "libra-web-7f3a2c-1"


def test_files_of_a_container_that_does_not_run_are_read(bench: Bench) -> None:
    files = (FileSpec(CONTENT, "/tmp/out/a.xml"), FileSpec(CONTENT, "/tmp/out/deep/b.xml"))  # noqa: S108
    bench.engine.create(replace(request_for(bench), files=files), VALUES)
    whole = {file.target: VALUES[CONTENT].reveal() for file in files}
    assert bench.engine.read_files(NAME, "/tmp/out") == whole  # noqa: S108
    (first, *_) = whole.items()
    assert bench.engine.read_files(NAME, first[0]) == dict([first])
    assert bench.engine.read_files(NAME, "/tmp/nothing") == {}  # noqa: S108


def test_what_a_health_check_said_is_told(bench: Bench) -> None:
    health = HealthSpec(("CMD-SHELL", "echo no disk; exit 3"), interval_s=1, timeout_s=5, retries=1)
    bench.engine.create(replace(request_for(bench), health=health), {})
    assert bench.engine.health_log(NAME) == ()
    assert bench.engine.health_log("nobody") == ()
    if bench.site is None:
        return  # a fake runs no checks
    bench.engine.start(NAME)
    eventually(lambda: "status 3: no disk" in bench.engine.health_log(NAME))


def test_a_restart_policy_is_changed_and_seen(bench: Bench) -> None:
    bench.engine.create(request_for(bench), {})
    for restart in ("always", "on-failure:3", "no", "unless-stopped"):
        bench.engine.set_restart(NAME, restart)
        state = bench.engine.container(NAME)
        assert state is not None
        assert state.restart == restart
