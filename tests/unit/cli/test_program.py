import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable

import click
import pytest

from underway.cli.program import program, run_program
from underway.cli.sections import SECTIONS
from underway.errors import CODES, RefusedError


def failing(error: BaseException) -> click.Command:
    @click.command()
    def fail() -> None:
        raise error

    return fail


FailWith = Callable[[BaseException], None]


@pytest.fixture
def fail_with(monkeypatch: pytest.MonkeyPatch) -> FailWith:
    def use(error: BaseException) -> None:
        monkeypatch.setattr(program, "get_command", lambda _context, _name: failing(error))

    return use


def test_no_arguments_show_the_help(capsys: pytest.CaptureFixture[str]):
    assert run_program([]) == 0
    assert "Deploy:\n  plan " in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["--nope"], ["nope"], ["errors", "a", "b"]])
def test_a_wrong_command_line_exits_2_and_says_where_help_is(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
):
    assert run_program(arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error[usage]: ")
    assert "--help` shows what can be given" in captured.err
    assert captured.out == ""


def test_a_mistyped_command_is_told_the_one_that_was_meant(capsys: pytest.CaptureFixture[str]):
    assert run_program(["deploi"]) == 2
    assert "Did you mean `deploy`?" in capsys.readouterr().err


def test_a_wrong_command_line_in_json_is_a_document(capsys: pytest.CaptureFixture[str]):
    assert run_program(["nope", "--json"]) == 2
    captured = capsys.readouterr()
    assert json.loads(captured.out)["error"]["code"] == "usage"
    assert captured.err == ""


def test_an_error_exits_with_its_own_code(fail_with: FailWith, capsys: pytest.CaptureFixture[str]):
    fail_with(RefusedError("no-way", "It would interrupt db.", hint="Allow it."))
    assert run_program(["status"]) == 4
    assert capsys.readouterr().err == ("error[no-way]: It would interrupt db.\n  help: Allow it.\n")


def test_a_bug_exits_70_and_shows_neither_traceback_nor_its_own_words(
    fail_with: FailWith, capsys: pytest.CaptureFixture[str]
):
    fail_with(ValueError("the-password"))
    assert run_program(["status"]) == 70
    captured = capsys.readouterr()
    assert captured.err.startswith("error[bug]: Underway met a ValueError")
    assert "Traceback" not in captured.err
    assert "the-password" not in captured.err + captured.out


def test_a_bug_shows_the_way_there_when_asked(
    fail_with: FailWith, capsys: pytest.CaptureFixture[str]
):
    fail_with(ValueError("the-password"))
    assert run_program(["-v", "status"]) == 70
    captured = capsys.readouterr()
    assert "test_program.py:" in captured.err
    assert "the-password" not in captured.err


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_an_interrupt_exits_130(fail_with: FailWith, error: BaseException):
    fail_with(error)
    assert run_program(["status"]) == 130


@pytest.mark.parametrize("name", [name for names in SECTIONS.values() for name in names])
def test_the_list_of_commands_says_what_each_command_says(name: str):
    context = click.Context(program)
    command = program.get_command(context, name)
    assert command is not None
    assert command.name == name
    entry = next(names[name] for names in SECTIONS.values() if name in names)
    first = (command.help or "").strip().splitlines()[0]
    assert first == entry.text


@pytest.mark.parametrize("name", [name for names in SECTIONS.values() for name in names])
def test_every_command_has_help_for_itself_and_each_option(
    name: str, capsys: pytest.CaptureFixture[str]
):
    assert run_program([name, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"Usage: underway {name} ")
    command = program.get_command(click.Context(program), name)
    assert command is not None
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name


def test_options_may_stand_before_and_after_the_command(capsys: pytest.CaptureFixture[str]):
    assert run_program(["--json", "errors", "bug"]) == 0
    before = capsys.readouterr().out
    assert run_program(["errors", "--json", "bug"]) == 0
    assert capsys.readouterr().out == before
    assert json.loads(before)["kind"] == "error-code"


def test_an_unknown_code_is_told_its_nearest(capsys: pytest.CaptureFixture[str]):
    assert run_program(["errors", "host-unreachabel"]) == 2
    assert "Did you mean `host-unreachable`?" in capsys.readouterr().err
    assert run_program(["errors"]) == 0
    listed = capsys.readouterr().out
    assert all(f"\n{code} " in listed for code in CODES)


def test_colour_needs_a_terminal_and_no_objection():
    command = [sys.executable, "-m", "underway.cli.main", "errors", "bug"]
    plain = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    colours = {**plain, "TERM": "xterm"}
    assert b"\x1b[" in _on_terminal(command, colours)
    assert b"\x1b[" not in _on_terminal([*command, "--no-color"], colours)
    assert b"\x1b[" not in _on_terminal(command, {**colours, "NO_COLOR": "1"})
    piped = subprocess.run(command, env=colours, capture_output=True, check=True, timeout=60)
    assert b"\x1b[" not in piped.stdout


def _on_terminal(command: list[str], environment: dict[str, str]) -> bytes:
    controller, terminal = pty.openpty()
    try:
        subprocess.run(command, env=environment, stdout=terminal, check=True, timeout=60)
        return os.read(controller, 65536)
    finally:
        os.close(controller)
        os.close(terminal)


def test_a_reader_that_goes_away_is_no_error():
    command = f"{sys.executable} -m underway.cli.main errors | head -n 1"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 0
    assert done.stderr == b""
