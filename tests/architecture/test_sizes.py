"""Files and functions stay small enough to be read in one go."""

import ast

from tests.architecture.sources import Source, package, sources, type_of_function

MOST_LINES = 350
MOST_FUNCTION_LINES = 40
MOST_PARAMETERS = 6

# Tables that are one value: splitting them would hide that they are complete.
LONG_FILES: dict[str, str] = {
    "src/underway/errors/codes.py": "the table of all error codes, one entry each",
}


def test_no_file_is_longer_than_can_be_read_in_one_go():
    long = {
        source.name: source.text.count("\n")
        for source in sources()
        if source.text.count("\n") > MOST_LINES and source.name not in LONG_FILES
    }
    assert not long, "\n".join(f"{name}: {lines} lines" for name, lines in long.items())


def test_every_file_that_may_be_long_is():
    lengths = {source.name: source.text.count("\n") for source in sources()}
    assert [name for name in LONG_FILES if lengths.get(name, 0) <= MOST_LINES] == []


def test_no_function_is_longer_than_a_screen():
    long = {
        f"{source.name}: {name}": length
        for source in sources("src", "lab", "scripts", "bench")
        for name, function in source.functions()
        if (length := (function.end_lineno or 0) - function.lineno + 1) > MOST_FUNCTION_LINES
    }
    assert not long, "\n".join(f"{name}: {lines} lines" for name, lines in long.items())


def test_public_functions_take_few_parameters():
    bad = [
        f"{source.name}: {name}{signature(function)}"
        for source in package()
        for name, function in source.functions()
        if is_public(name) and not is_command(source) and takes_too_much(function)
    ]
    assert not bad, "\n".join(bad)


def is_public(name: str) -> bool:
    return all(not part.startswith("_") for part in name.split("."))


def is_command(source: Source) -> bool:
    """Click passes one keyword argument per option: their number is the command's width."""
    return source.name.startswith("src/underway/cli/") and source.name.endswith("_commands.py")


def takes_too_much(function: type_of_function) -> bool:
    arguments = function.args
    positional = [
        argument.arg
        for argument in arguments.posonlyargs + arguments.args
        if argument.arg not in {"self", "cls"}
    ]
    return len(positional) + len(arguments.kwonlyargs) > MOST_PARAMETERS


def signature(function: type_of_function) -> str:
    return f"({ast.unparse(function.args)})"
