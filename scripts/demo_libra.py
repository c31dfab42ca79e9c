"""What a person does with Libra before a load can: demo users, a session, a matter."""

import http.client
import json
import subprocess
from collections.abc import Mapping
from typing import Any

PASSWORD = "libra-demo"  # noqa: S105 -- the sample's published demo password
LOSS = {
    "db": ("psql", "-U", "libra", "-d", "libra", "-c", "truncate files cascade"),
    "web": ("sh", "-c", "rm -rf /uploads/files/*"),
}


def grow_lawyers(env: Mapping[str, str]) -> None:
    """Make the demo users and matters, by the sample's own command in a replica."""
    _in_replica(env, "web", "/app/manage", "seed")


def lose_everything(env: Mapping[str, str]) -> None:
    """What a wrong command on a bad day does: all files, and all that is known of them."""
    for service, command in LOSS.items():
        _in_replica(env, service, *command)


def _in_replica(env: Mapping[str, str], service: str, *command: str) -> None:
    labels = ("underway.role=replica", f"underway.service={service}")
    filters = [word for label in labels for word in ("--filter", f"label={label}")]
    listed = subprocess.run(
        ["docker", "ps", "-q", *filters], env=env, check=True, capture_output=True, text=True
    )
    subprocess.run(
        ["docker", "exec", listed.stdout.split()[0], *command],
        env=env,
        check=True,
        stdout=subprocess.DEVNULL,
    )


class Visitor:
    """A user of Libra behind an edge."""

    def __init__(self, address: str, host: str, port: int = 80) -> None:
        """Speak to the edge at `address` about `host`."""
        self._address = address
        self._host = host
        self._port = port

    def log_in(self, name: str) -> str:
        """A session's token."""
        body = json.dumps({"name": name, "password": PASSWORD})
        answer = self._ask("POST", "/api/login", body, {"Content-Type": "application/json"})
        return str(answer["token"])

    def first_matter(self, token: str) -> str:
        """The matter all demo users share."""
        answer = self._ask("GET", "/api/matters", None, {"Authorization": f"Bearer {token}"})
        return str(answer["matters"][0]["id"])

    def _ask(self, method: str, path: str, body: str | None, headers: Mapping[str, str]) -> Any:
        connection = http.client.HTTPConnection(self._address, self._port, timeout=20)
        try:
            connection.request(method, path, body, {"Host": self._host, **headers})
            response = connection.getresponse()
            content = response.read()
            if response.status >= http.client.BAD_REQUEST:
                raise RuntimeError(f"{method} {path}: {response.status} {content[:200]!r}")
            return json.loads(content)
        finally:
            connection.close()
