import io
from dataclasses import replace

from tests.unit.report.sample import STARTED_AT, events, undone_run
from underway.model.event import Event, Level, Note, Outcome, RunFinished
from underway.model.names import ReleaseNumber
from underway.report.event_text import OUTCOME_TEXTS, event_lines
from underway.report.json_lines import decode_event
from underway.report.line import draw
from underway.report.plain import JsonProgress, PlainProgress
from underway.report.progress_text import progress_lines
from underway.report.view import StageState, fold_all

PLAIN = """\
run   deploy libra release 12
out   build | step 1 of 2
plan  deploy: 5 steps in 3 stages  interrupts: db
stage 1 images  2 steps
start [app1] pull image libra:3f2a91c  because not here
start [app2] pull image libra:3f2a91c  because not here
done  [app1] pull image libra:3f2a91c  2.0s
done  [app2] pull image libra:3f2a91c  2.5s
stage 2 start  2 steps
start [app1] await libra-web-7f3a2c-1  because started
start [app2] await libra-web-7f3a2c-2  because started
done  [app1] await libra-web-7f3a2c-1  1.0s  passed, healthy
fail  [app2] await libra-web-7f3a2c-2: It exited with 1. [replica-exited]
fail  [app2] | boom
fail  [app2] | red \\x07
fail  [app2] help: Mend what its last lines say.
undo  back to release 11 because libra-web-7f3a2c-2 exited with 1
plan  go back: 1 step in 1 stage
stage 1 remove  1 step
warn  [app2] app2 answers slowly [slow-host]
end   failed and undone in 22s (exit 10)
"""

QUIET = """\
fail  [app2] await libra-web-7f3a2c-2: It exited with 1. [replica-exited]
fail  [app2] | boom
fail  [app2] | red \\x07
fail  [app2] help: Mend what its last lines say.
undo  back to release 11 because libra-web-7f3a2c-2 exited with 1
warn  [app2] app2 answers slowly [slow-host]
end   failed and undone in 22s (exit 10)
"""

LIVE = """\
deploy libra release 12  13s  2/5 steps
  ✓ images  5.0s
  ⠋ start  0/2
      app1  await libra-web-7f3a2c-1  2.0s
      app2  await libra-web-7f3a2c-2  3.0s of 1m 00s, starting
  · cut over
"""


def written(events_taken: list[Event], *, is_quiet: bool = False) -> str:
    stream = io.StringIO()
    progress = PlainProgress(stream, is_quiet=is_quiet)
    for event in events_taken:
        progress(event)
    return stream.getvalue()


def test_plain_progress_is_one_line_per_event_with_stable_prefixes():
    assert written(undone_run()) == PLAIN


def test_quiet_progress_leaves_failures_warnings_the_undo_and_a_bad_end():
    assert written(undone_run(), is_quiet=True) == QUIET
    good_end = events(
        (Note(Level.INFO, "x", "fine"), None),
        (RunFinished(Outcome.DONE, 0, ReleaseNumber(12), 1.0), None),
    )
    assert not written(good_end, is_quiet=True)


def test_json_progress_can_be_read_back():
    stream = io.StringIO()
    progress = JsonProgress(stream)
    for event in undone_run():
        progress(event)
    read = [decode_event(entry) for entry in stream.getvalue().splitlines()]
    assert read == undone_run()


def test_a_reader_that_went_away_does_not_end_the_run():
    stream = io.StringIO()
    stream.close()
    PlainProgress(stream)(undone_run()[0])


def test_live_part_shows_stages_and_what_each_host_is_at():
    view = fold_all(undone_run()[:14])
    assert draw(progress_lines(view, STARTED_AT + 14)) == LIVE


def test_a_plan_without_a_command_is_headed_by_its_goal():
    view = fold_all(undone_run()[17:18])
    assert draw(progress_lines(view, STARTED_AT)) == "go back  0/1 steps\n  · remove\n"


def test_live_part_fits_the_terminal():
    view = fold_all(undone_run()[:14])
    drawn = progress_lines(view, STARTED_AT + 14, limit=4)
    assert len(drawn) == 4
    assert draw(drawn).endswith("  … 3 lines more\n")


def test_live_part_is_gone_once_the_run_is_over():
    assert progress_lines(fold_all(undone_run()), STARTED_AT) == []


def test_every_outcome_has_its_words():
    assert set(OUTCOME_TEXTS) == set(Outcome)


def test_a_message_cannot_move_the_cursor():
    note = replace(undone_run()[0], body=Note(Level.INFO, "", "a\x1b[2J\x1b]0;t\x07\rb\u202ec"))
    text = draw(event_lines(note))
    assert text == "note  a\\x0db\\x202ec\n"


def test_live_part_folds_finished_stages_so_that_the_running_one_is_seen():
    view = fold_all(undone_run()[:14])
    running = next(s for s in view.stages if s.state is StageState.RUNNING)
    done = [replace(running, title=f"done {n}", state=StageState.DONE) for n in range(30)]
    view = replace(view, stages=(*done, *view.stages))
    drawn = draw(progress_lines(view, STARTED_AT + 14, limit=12))
    assert running.title in drawn
    assert drawn.count("\n") == 12
    assert " stages\n" in drawn
