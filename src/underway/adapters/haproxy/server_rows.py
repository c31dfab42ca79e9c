"""Servers as HAProxy tells them in `show servers state` and `show stat`. Pure; 2.6 to 3.2."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from underway.model.traffic import ObservedServer, ServerMode
from underway.rollout.haproxy_config import BackendName, parsed_backend

_RUNNING = "2"


@dataclass(frozen=True, slots=True)
class ServerRow:
    """One line of `show servers state` that belongs to a backend of ours."""

    backend: BackendName
    name: str
    address: str
    port: int
    weight: int
    is_administered: bool
    is_running: bool

    @property
    def takes_requests(self) -> bool:
        """Whether the proxy may choose it for a new request."""
        return self.weight > 0 and not self.is_administered

    def observed(self, check: str) -> ObservedServer:
        """The server as the domain names it, with the check's status from `show stat`."""
        return ObservedServer(
            name=self.name,
            side=self.backend.side,
            address=self.address,
            port=self.port,
            mode=ServerMode.READY if self.takes_requests else ServerMode.DRAIN,
            check=check,
            is_up=self.is_running and not self.is_administered,
        )


def server_rows(lines: Iterable[str]) -> Iterator[ServerRow]:
    """Read `show servers state`, columns by their names in its heading."""
    columns: dict[str, int] = {}
    for line in lines:
        if line.startswith("# "):
            columns = {name: place for place, name in enumerate(line[2:].split())}
            continue
        words = line.split()
        if not columns or len(words) < len(columns):
            continue
        backend = parsed_backend(words[columns["be_name"]])
        if backend is not None:
            yield ServerRow(
                backend=backend,
                name=words[columns["srv_name"]],
                address=words[columns["srv_addr"]],
                port=int(words[columns["srv_port"]]),
                weight=int(words[columns["srv_uweight"]]),
                is_administered=words[columns["srv_admin_state"]] != "0",
                is_running=words[columns["srv_op_state"]] == _RUNNING,
            )


def check_statuses(lines: Iterable[str]) -> dict[tuple[BackendName, str], str]:
    """Read check statuses from `show stat`; "" before the first check has ended."""
    found: dict[tuple[BackendName, str], str] = {}
    for row in csv.DictReader(line.removeprefix("# ") for line in lines if line):
        backend = parsed_backend(row["pxname"])
        if backend is not None:
            status = row["check_status"].removeprefix("* ")
            found[backend, row["svname"]] = "" if status in {"INI", "UNK"} else status
    return found
