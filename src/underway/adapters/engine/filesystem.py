"""A container's file system: frozen by its engine for a moment, then read at leisure."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

from underway.adapters.engine.connection import Call, Connection

_COMMIT_S: Final = 300.0
_EXPORT_SILENCE_S: Final = 300.0


class FilesystemCalls:
    """The calls that take a file system from one engine."""

    def __init__(self, connection: Connection) -> None:
        """Use `connection`."""
        self._connection = connection

    def commit(self, container: str) -> str:
        """An image without a name of a container, which is paused meanwhile; its id."""
        call = Call(
            "POST",
            "/commit",
            f"commit {container[:12]}",
            params={"container": container, "pause": "1"},
            timeout_s=_COMMIT_S,
        )
        return str(self._connection.post(call)["Id"])

    def make(self, image: str) -> str:
        """A container of an image, which is never started; its id."""
        body = {"Image": image, "Entrypoint": [], "Cmd": ["never-started"], "Volumes": {}}
        call = Call("POST", "/containers/create", f"create a copy of {image[:19]}", body=body)
        return str(self._connection.post(call)["Id"])

    def export(self, container: str) -> Iterator[bytes]:
        """The file system as a tar stream, without volumes."""
        path = f"/containers/{quote(container)}/export"
        what = f"export {container[:12]}"
        return self._connection.stream(
            Call("GET", path, what, timeout_s=_EXPORT_SILENCE_S, is_stream=True)
        )
