"""The entry point: answers `--version` from the standard library alone, else runs the program."""

import gc
import sys

from underway import __version__


def main() -> None:
    """Run `underway` with the process's arguments and exit with its code."""
    arguments = sys.argv[1:]
    if arguments in (["--version"], ["-V"]):
        sys.stdout.write(f"underway {__version__}\n")
        return
    gc.disable()  # loading makes objects that stay: looking for garbage among them is waste
    from underway.cli.program import run_program

    gc.freeze()
    gc.enable()
    sys.exit(run_program(arguments))


if __name__ == "__main__":
    main()
