from dataclasses import replace

from tests.unit.report.sample import STARTED_AT, events, undone_run
from underway.model.event import Outcome, Output, RunFinished, StageFinished, StepProgress
from underway.model.names import HostName, ReleaseNumber
from underway.report.view import RunView, StageState, fold_all


def test_running_steps_stand_in_the_lane_of_their_host():
    view = fold_all(undone_run()[:7])
    assert [(lane.host, [step.number for step in lane.running]) for lane in view.lanes] == [
        (HostName("app1"), [1]),
        (HostName("app2"), [2]),
    ]
    assert view.lanes[0].running[0].done == 1024 * 1024
    assert view.lanes[0].running[0].started_at == STARTED_AT + 5


def test_stages_follow_the_run():
    states = [stage.state for stage in fold_all(undone_run()[:14]).stages]
    assert states == [StageState.DONE, StageState.RUNNING, StageState.WAITING]


def test_a_failed_step_fails_its_stage_and_keeps_its_details():
    view = fold_all(undone_run()[:16])
    assert view.stages[1].state is StageState.FAILED
    assert view.failures[0].code == "replica-exited"
    assert view.failures[0].detail[0] == "boom"
    assert not view.failures[0].is_in_undo
    assert view.finished == 4


def test_an_undo_starts_stages_anew_and_keeps_failures():
    view = fold_all(undone_run()[:18])
    assert [stage.title for stage in view.stages] == ["remove"]
    assert view.undo is not None
    assert view.plans == 2
    assert len(view.failures) == 1


def test_the_end_tells_what_serves():
    view = fold_all(undone_run())
    assert view.outcome is Outcome.UNDONE
    assert view.exit_code == 10
    assert view.release == ReleaseNumber(11)
    assert view.lanes == ()


def test_after_an_undo_the_older_release_serves_even_if_the_end_names_none():
    *before, end = undone_run()
    ended = RunFinished(Outcome.UNDONE, 10, ReleaseNumber(0), 22.0)
    assert fold_all([*before, replace(end, body=ended)]).release == ReleaseNumber(11)


def test_events_of_unknown_steps_and_stages_do_no_harm():
    view = fold_all(
        events((StepProgress(9, 1, 2), "app1"), (StageFinished(4, "late", 1.0), None)), RunView()
    )
    assert view.lanes == ()
    assert [stage.title for stage in view.stages] == ["late"]


def test_only_the_last_output_is_kept():
    lines = [(Output("build", f"line {number}"), None) for number in range(50)]
    view = fold_all(events(*lines))
    assert view.output[-1].line == "line 49"
    assert len(view.output) == 20
