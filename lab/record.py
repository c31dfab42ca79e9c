"""What is written down about a laboratory before anything is made, so that `down` finds it."""

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from lab.errors import LabError
from lab.layout import MAX_HOSTS, RUN_ROOT, LabLayout

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,19}")
_FILE = "laboratory.json"


@dataclass(frozen=True, slots=True)
class Record:
    """The wish behind one laboratory: its network, how many hosts, which engine."""

    name: str
    network: int
    hosts: int
    engine: str
    live_restore: bool

    @property
    def layout(self) -> LabLayout:
        """Return the names and paths that follow from the record."""
        return LabLayout(self.name, self.network)


def check_wish(name: str, hosts: int) -> None:
    """Raise LabError for a name or a number of hosts that cannot be."""
    if not _NAME.fullmatch(name):
        raise LabError(f"bad name {name!r}", "use at most 20 of a-z, 0-9 and -")
    if not 1 <= hosts <= MAX_HOSTS:
        raise LabError(f"{hosts} hosts cannot be", f"choose 1 to {MAX_HOSTS}")


def read_record(name: str) -> Record | None:
    """Return what is recorded under a name; None when nothing is."""
    try:
        return Record(**json.loads((RUN_ROOT / name / _FILE).read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise LabError(
            f"{RUN_ROOT / name / _FILE} is not readable: {error}",
            f"run `python -m lab down --name {name}`",
        ) from error


def write_record(record: Record) -> None:
    """Write a record so that it is there whole or not at all."""
    directory = RUN_ROOT / record.name
    directory.mkdir(mode=0o755, parents=True, exist_ok=True)
    partial = directory / f".{_FILE}"
    partial.write_text(json.dumps(asdict(record)))
    partial.rename(directory / _FILE)


def recorded_names() -> list[str]:
    """Return the names under which there is state, complete or not."""
    if not RUN_ROOT.is_dir():
        return []
    return sorted(path.name for path in RUN_ROOT.iterdir() if path.is_dir())


def recorded_networks() -> set[int]:
    """Return the network numbers that laboratories hold."""
    files = [Path(RUN_ROOT / name / _FILE) for name in recorded_names()]
    return {json.loads(file.read_text())["network"] for file in files if file.exists()}
