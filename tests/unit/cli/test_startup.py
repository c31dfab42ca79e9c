import os
import resource
import subprocess
import sys

import pytest

HEAVY = {
    "asyncio",
    "dataclasses",
    "docker",
    "http.client",
    "msgspec",
    "pathlib",
    "requests",
    "rich",
    "shutil",
    "signal",
    "stamina",
    "urllib3",
    "yaml",
}
WATCH = (
    "import sys, atexit\n"
    "atexit.register(lambda: print('MODULES', *sys.modules, file=sys.stderr))\n"
    "sys.argv = ['underway', *{arguments!r}]\n"
    "from underway.cli.main import main\n"
    "main()\n"
)


def modules_loaded(*arguments: str) -> set[str]:
    code = WATCH.format(arguments=list(arguments))
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{code}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(done.stderr.rpartition("MODULES ")[2].split())


def test_version_loads_nothing_beyond_the_standard_library():
    before = set(sys.stdlib_module_names)
    loaded = {name for name in modules_loaded("--version") if name.split(".")[0] not in before}
    ours = {"underway", "underway.cli", "underway.cli.main", "__main__"}
    assert {name for name in loaded if name.split(".")[0] in {"click", "underway"}} <= ours


def test_help_loads_click_and_nothing_heavier():
    loaded = modules_loaded("--help")
    assert "click" in loaded
    assert not loaded & HEAVY
    assert not {name for name in loaded if name.startswith(("underway.report", "underway.api"))}


def cpu_seconds(*arguments: str) -> float:
    """User and system time of one process: what other work on the machine does not add to."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, *arguments],
        stdout=subprocess.DEVNULL,
        check=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


@pytest.mark.parametrize(("argument", "limit"), [("--version", 2.0), ("--help", 5.0)])
def test_start_up_costs_a_small_multiple_of_bare_python(argument: str, limit: float):
    bare, ours = [], []
    for _ in range(12):
        bare.append(cpu_seconds("-c", "pass"))
        ours.append(cpu_seconds("-m", "underway.cli.main", argument))
        if len(ours) >= 5 and min(ours) / min(bare) <= limit:
            break
    assert min(ours) / min(bare) <= limit, (min(ours), min(bare))
