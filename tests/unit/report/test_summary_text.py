from tests.unit.report.sample import undone_run
from underway.errors import StepFailedError
from underway.report.summary_text import summary_markdown
from underway.report.view import fold_all


def test_a_run_that_went_back_says_why_and_what_to_do():
    error = StepFailedError(
        "replica-crashed",
        "libra-web | <b>exited</b>",
        cause="it *ended*\nwith 1",
        hint="Look at `its` lines.",
        detail=("```", "\x1b[31mboom"),
    )
    text = summary_markdown(fold_all(undone_run()), error)
    assert text.startswith("## ❌ deploy libra: ")
    assert "| exit code | 10 |" in text
    assert "**`replica-crashed`** libra-web \\| \\<b\\>exited\\</b\\>" in text
    assert "Why: it \\*ended\\* with 1" in text
    assert "What to do: Look at \\`its\\` lines." in text
    assert "``````\n```\nboom\n``````\n" in text
    assert "<b>" not in text


def test_a_run_that_is_done_has_its_stages_and_no_failure():
    events = [event for event in undone_run() if type(event.body).__name__ != "UndoStarted"]
    text = summary_markdown(fold_all(events[:4]))
    assert text.startswith("## ✅ deploy libra: ")
    assert "|---|---|---|" in text
