import json
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.cli.conftest import LISTED, OLDER, RELEASE, HeldLocks, Stage
from tests.unit.report.sample import APP, HOSTS, NEW, plan, status
from underway import api
from underway.cli.program import run_program
from underway.errors import NotUndoneError, RefusedError, StepFailedError, UnderwayError
from underway.model.change import Comparison
from underway.model.event import Level, Outcome, PlanMade, RunFinished, RunStarted, StepFailed
from underway.model.lock import LockHolder
from underway.model.names import HostName, ReleaseNumber, RunNumber, ServiceName
from underway.model.plan import Plan
from underway.model.release import RunRecord
from underway.model.status import Drift, DriftKind, ReleaseDetail
from underway.wiring.options import Reading

Capture = pytest.CaptureFixture[str]
Deploy = Callable[[api.Session, api.DeployOptions], api.DeployResult]
HOLDER = LockHolder(HOSTS[0], "sam@desk", "2027-01-15T07:59:00Z", "8")


def deploys(options: list[api.DeployOptions]) -> Deploy:
    """A deploy that tells its beginning and its end, and keeps what it was asked."""

    def deploy(session: api.Session, chosen: api.DeployOptions) -> api.DeployResult:
        options.append(chosen)
        session.voice.say(RunStarted("deploy", session.app, chosen.release))
        session.voice.say(RunFinished(Outcome.DONE, 0, RELEASE.number, 42.0))
        return api.DeployResult(RELEASE, OLDER.number, Outcome.DONE, 16, 42.0)

    return deploy


def fails_with(error: Exception) -> Deploy:
    def deploy(session: api.Session, chosen: api.DeployOptions) -> api.DeployResult:
        session.voice.say(RunStarted("deploy", session.app, chosen.release))
        session.voice.say(
            StepFailed(3, "AwaitContainer", "web-1", "replica-exited", "It exited."), HOSTS[0]
        )
        raise error

    return deploy


def test_deploy_hands_on_what_was_asked(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: Capture
):
    asked: list[api.DeployOptions] = []
    monkeypatch.setattr(api, "deploy", deploys(asked))
    line = "deploy 9 --recreate --pull db --allow-interruption --skip-host app2 --wait 5m"
    assert run_program([*line.split(), "--current-secrets"]) == 0
    assert asked == [
        api.DeployOptions(
            release=ReleaseNumber(9),
            recreate=True,
            ship=api.ShipWish(frozenset({ServiceName("db")})),
            allow_interruption=True,
            skip_hosts=frozenset({HostName("app2")}),
            wait_s=300,
            current_secrets=True,
        )
    ]
    captured = capsys.readouterr()
    assert captured.out == "done: libra runs release 12 (v2), before it 11  16 steps in 42s\n"
    assert captured.err == "run   deploy libra release 9\nend   done in 42s (exit 0)\n"
    assert len(stage.sessions) == 1


def test_deploy_in_json_has_one_document_on_stdout_and_events_on_stderr(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: Capture
):
    monkeypatch.setattr(api, "deploy", deploys([]))
    assert run_program(["deploy", "--json"]) == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert (document["kind"], document["release"], document["error"]) == ("run", 12, None)
    types = [json.loads(line)["type"] for line in captured.err.splitlines()]
    assert types == ["run-started", "run-finished"]
    assert stage.sessions


@pytest.mark.parametrize(
    "failure",
    [
        (StepFailedError("replica-exited", "it exited", detail=("boom",)), 10, "undone"),
        (NotUndoneError("not-undone", "app2 is left"), 11, "not-undone"),
        (RefusedError("interruption", "this interrupts db"), 4, "refused"),
    ],
    ids=lambda failure: failure[2],
)
def test_a_failed_deploy_is_never_success(
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
    failure: tuple[UnderwayError, int, str],
):
    error, code, outcome = failure
    monkeypatch.setattr(api, "deploy", fails_with(error))
    assert run_program(["deploy"]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"error[{error.code}]: {error.message}\n" in captured.err
    assert run_program(["deploy", "--json"]) == code
    document = json.loads(capsys.readouterr().out)
    assert (document["kind"], document["exit_code"]) == ("run", code)
    assert document["outcome"] == outcome
    assert document["error"]["code"] == error.code
    assert document["failures"][0]["code"] == "replica-exited"
    assert len(stage.sessions) == 2


def test_a_summary_is_appended_where_it_is_asked_for(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Capture
):
    monkeypatch.setattr(api, "deploy", deploys([]))
    page = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    assert run_program(["deploy"]) == 0
    monkeypatch.setattr(api, "deploy", fails_with(StepFailedError("replica-exited", "it exited")))
    assert run_program(["deploy", "--json"]) == 10
    assert run_program(["deploy", "--summary", str(tmp_path / "none" / "x.md")]) == 10
    assert "the summary could not be written" in capsys.readouterr().err
    heads = [line for line in page.read_text().splitlines() if line.startswith("## ")]
    assert len(heads) == 2
    assert heads[0] == "## ✅ deploy libra: done"
    assert heads[1].startswith("## ❌ deploy libra: ")
    assert len(stage.sessions) == 3


def test_an_interrupt_reaches_the_session(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: Capture
):
    def deploy(session: api.Session, _chosen: api.DeployOptions) -> api.DeployResult:
        session.voice.say(PlanMade("deploy", ("images",), 1))
        os.kill(os.getpid(), signal.SIGINT)
        assert session.cancel.wait(10)
        raise StepFailedError("interrupted", "interrupted; release 11 serves")

    monkeypatch.setattr(api, "deploy", deploy)
    assert run_program(["deploy"]) == 10
    assert "error[interrupted]" in capsys.readouterr().err
    assert stage.sessions[0].cancel.is_set()


def test_an_interrupt_before_any_plan_changes_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: Capture
):
    def deploy(session: api.Session, _chosen: api.DeployOptions) -> api.DeployResult:
        os.kill(os.getpid(), signal.SIGINT)
        assert session.cancel.wait(10)
        raise AssertionError

    monkeypatch.setattr(api, "deploy", deploy)
    assert run_program(["deploy"]) == 130
    assert "interrupted: no host was changed" in capsys.readouterr().err
    assert not stage.sessions[0].cancel.is_set()


def test_a_question_is_no_where_nobody_is_there(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: Capture
):
    def deploy(session: api.Session, _chosen: api.DeployOptions) -> api.DeployResult:
        assert not session.confirm("this interrupts db. Go on?")
        raise RefusedError("interruption", "this interrupts db")

    monkeypatch.setattr(api, "deploy", deploy)
    assert run_program(["deploy", "--yes"]) == 4
    assert "Go on?" not in capsys.readouterr().out
    assert stage.sessions


def test_a_release_can_be_named_by_its_tag(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: Capture
):
    asked: list[api.DeployOptions] = []
    monkeypatch.setattr(api, "rollback", deploys(asked))
    monkeypatch.setattr(api, "release_list", lambda _session: LISTED)
    assert run_program(["rollback", "v1", "--past-migrations"]) == 0
    assert asked == [api.DeployOptions(release=ReleaseNumber(11), past_migrations=True)]
    assert run_program(["rollback", "v7"]) == 4
    said = capsys.readouterr().err
    assert "error[release-unknown]" in said
    assert "Did you mean `v2`?" in said
    assert run_program(["rollback", "v0"]) == 4
    said = capsys.readouterr().err
    assert "error[release-ambiguous]: 2 releases of" in said
    assert "|  10  created" in said
    assert ", failed" in said
    assert len(stage.sessions) == 3


def test_plan_shows_the_plan_and_its_document(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: Capture
):
    monkeypatch.setattr(api, "plan", lambda _session, _options: plan())
    assert run_program(["plan"]) == 0
    text = capsys.readouterr().out
    assert "interrupts: db" in text
    assert "app1\n" not in text
    assert run_program(["plan", "-v"]) == 0
    assert "   app1\n     pull image" in capsys.readouterr().out
    assert run_program(["plan", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["steps"]) == 16
    assert len(stage.sessions) == 3


def test_ship_shows_the_release(stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: Capture):
    monkeypatch.setattr(api, "ship", lambda _session, _wish, **_: RELEASE)
    assert run_program(["ship"]) == 0
    assert capsys.readouterr().out.startswith("release 12 (v2) of libra\n")
    assert run_program(["ship", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["release"]["tag"] == "v2"
    assert stage.sessions


def test_status_exits_with_what_it_found(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: Capture
):
    found = status()
    monkeypatch.setattr(api, "status", lambda _session: found)
    assert run_program(["status"]) == 0
    assert "no drift" in capsys.readouterr().out
    drift = Drift(DriftKind.REPLICA_MISSING, NEW[HOSTS[0]], "removed", "underway repair")
    found = status(drift=(drift,))
    assert run_program(["status", "--json"]) == 11
    assert json.loads(capsys.readouterr().out)["drift"][0]["remedy"] == "underway repair"
    assert stage.sessions


def test_history_lists_runs_or_releases(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: Capture
):
    run = RunRecord(RunNumber(1), "deploy", RELEASE.number, "kim", "2026-03-01T10:00:00Z")
    runs = (run, replace(run, number=RunNumber(2)), replace(run, number=RunNumber(3)))
    monkeypatch.setattr(api, "history", lambda _session: runs)
    monkeypatch.setattr(api, "release_list", lambda _session: LISTED)
    assert run_program(["history", "-n", "2"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["RUN", "3", "2"]
    assert run_program(["history", "--limit", "0", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["runs"]) == 3
    assert run_program(["history", "--releases"]) == 0
    assert "12       v2   current " in capsys.readouterr().out
    assert run_program(["history", "--releases", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["current"] == 12
    assert run_program(["releases", "-n", "1"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in shown] == ["RELEASE", "12"]
    assert stage.sessions


def test_show_and_diff_take_numbers_and_tags(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: Capture
):
    asked: list[tuple[int, ...]] = []

    def detail(_session: api.Session, number: ReleaseNumber) -> ReleaseDetail:
        asked.append((number,))
        return ReleaseDetail(LISTED[-1])

    def compare(_session: api.Session, *numbers: ReleaseNumber) -> Comparison:
        asked.append(numbers)
        return Comparison(*numbers)

    monkeypatch.setattr(api, "release_list", lambda _session: LISTED)
    monkeypatch.setattr(api, "release_detail", detail)
    monkeypatch.setattr(api, "compare", compare)
    for line in ("show", "show v1", "diff", "diff 11", "diff v1 v2"):
        assert run_program(line.split()) == 0
    assert asked == [(0,), (11,), (0, 0), (11, 0), (11, 12)]
    assert "release 12 (v2) of libra: current" in capsys.readouterr().out
    site, whole = Reading.SITE, Reading.WHOLE
    assert stage.readings == [site, site, whole, whole, site]
    assert run_program(["diff", "11", "12", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["is_same"]


def test_prune_and_repair_tell_what_was_done(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: Capture
):
    monkeypatch.setattr(
        api, "prune", lambda _session, wait_s: Plan(APP, ReleaseNumber(0), f"{wait_s}")
    )
    assert run_program(["prune"]) == 0
    assert capsys.readouterr().out == "nothing to do: everything there is needed\n"
    assert run_program(["prune", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["command"] == "prune"
    nothing = api.DeployResult(RELEASE, RELEASE.number, Outcome.NOTHING_TO_DO, 0, 0.1)
    monkeypatch.setattr(api, "repair", lambda _session, **_: nothing)
    assert run_program(["repair"]) == 0
    assert capsys.readouterr().out == "nothing to do: libra runs release 12 (v2) already\n"
    assert stage.sessions


def test_lock_shows_its_holder_and_is_released_only_with_a_yes(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: Capture
):
    stage.locks.holding = (HOLDER,)

    def lock_release(session: api.Session) -> tuple[LockHolder, ...]:
        session.locks = HeldLocks()
        return (HOLDER,)

    monkeypatch.setattr(api, "lock_release", lock_release)
    assert run_program(["lock"]) == 0
    assert "app1  sam@desk  2027-01-15T07:59:00Z (1m 00s ago)  8" in capsys.readouterr().out
    assert run_program(["lock", "release"]) == 4
    assert "error[not-confirmed]" in capsys.readouterr().err
    assert run_program(["lock", "release", "--yes"]) == 0
    assert capsys.readouterr().out == "free: nobody holds the lock of libra\n"
    assert run_program(["lock", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["holders"][0]["holder"] == "sam@desk"


def test_quiet_says_only_what_matters(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: Capture
):
    def deploy(session: api.Session, chosen: api.DeployOptions) -> api.DeployResult:
        session.voice.note(Level.INFO, "x", "by the way")
        session.voice.note(Level.WARNING, "y", "look out")
        return deploys([])(session, chosen)

    monkeypatch.setattr(api, "deploy", deploy)
    assert run_program(["-q", "deploy"]) == 0
    captured = capsys.readouterr()
    assert captured.err == "warn  look out [y]\n"
    assert captured.out.startswith("done: ")
    assert stage.sessions
