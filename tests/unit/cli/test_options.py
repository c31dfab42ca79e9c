import click
import pytest

from underway.cli.options import GlobalOptions, read_duration

CONTEXT = click.Context(click.Command("x"))
OPTION = click.Option(["--wait"])


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("45", 45), ("30s", 30), ("5m", 300), ("1h30m", 5400)]
)
def test_durations(text: str, seconds: float):
    assert read_duration(CONTEXT, OPTION, text) == seconds


@pytest.mark.parametrize("text", ["", "s", "5x", "-3s", "1m1h", "m5", "1.5"])
def test_what_is_no_duration_is_refused(text: str):
    with pytest.raises(click.BadParameter):
        read_duration(CONTEXT, OPTION, text)


def test_lists_add_up_and_single_values_replace():
    before = GlobalOptions(files=("a.yaml",), environment="staging", is_verbose=True)
    after = before.merged(
        {"files": ("b.yaml",), "environment": "production", "is_verbose": False, "other": 1}
    )
    assert after == GlobalOptions(
        files=("a.yaml", "b.yaml"), environment="production", is_verbose=True
    )


def test_what_was_not_given_stays():
    before = GlobalOptions(files=("a.yaml",), project_name="libra", is_json=True)
    assert before.merged({"files": (), "project_name": None, "is_json": False}) == before
