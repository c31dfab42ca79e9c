"""Looking into containers past their logs: files, and what health checks said."""

import io
import posixpath
import tarfile
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import quote

from underway.adapters.engine.connection import Call, Connection
from underway.adapters.engine.states import usage_sample
from underway.errors import EngineError
from underway.model.usage import UsageSample

_NOT_FOUND: Final = 404
_MOST_BYTES: Final = 32 * 1024 * 1024
_READ_S: Final = 60.0
_CHECKS: Final = 3
_LONGEST: Final = 400


class Inspection:
    """What can be read of one engine's containers."""

    def __init__(self, connection: Connection) -> None:
        """Use `connection`."""
        self._connection = connection

    def read_files(self, name: str, path: str) -> Mapping[str, bytes]:
        """See `ports.Engine.read_files`."""
        what = f"read {path} in {name}"
        call = Call(
            "GET",
            f"/containers/{quote(name, safe='')}/archive",
            what,
            {"path": path},
            timeout_s=_READ_S,
            is_stream=True,
        )
        try:
            archive = self._limited(call, what)
        except EngineError as error:
            if error.status == _NOT_FOUND and error.code != "container-missing":
                return {}
            raise
        return dict(_files(archive, posixpath.dirname(path.rstrip("/"))))

    def health_log(self, name: str) -> tuple[str, ...]:
        """See `ports.Engine.health_log`; the last checks only, each on one line."""
        body = self._connection.find(
            f"/containers/{quote(name, safe='')}/json", f"inspect container {name}"
        )
        entries = (((body or {}).get("State") or {}).get("Health") or {}).get("Log") or []
        return tuple(
            f"status {entry.get('ExitCode')}: {' '.join(str(entry.get('Output', '')).split())}"[
                :_LONGEST
            ]
            for entry in entries[-_CHECKS:]
        )

    def inspect(self, name: str) -> Mapping[str, object] | None:
        """See `ports.Engine.inspect`."""
        body = self._connection.find(
            f"/containers/{quote(name, safe='')}/json", f"inspect container {name}"
        )
        return None if body is None else dict(body)

    def usage(self, name: str) -> UsageSample | None:
        """See `ports.Engine.usage`; EngineError `container-missing` where it is not there."""
        body = self._connection.read(
            f"/containers/{quote(name, safe='')}/stats",
            f"ask what {name} uses",
            {"stream": "0", "one-shot": "1"},
        )
        return usage_sample(body)

    def _limited(self, call: Call, what: str) -> bytes:
        pieces, size = [], 0
        for piece in self._connection.stream(call):
            size += len(piece)
            if size > _MOST_BYTES:
                raise EngineError(
                    "file-too-large",
                    f"{self._connection.host}: {what}: more than {_MOST_BYTES >> 20} MiB",
                    hint="Name the file itself, not a directory with more in it.",
                )
            pieces.append(piece)
        return b"".join(pieces)


def _files(archive: bytes, directory: str) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isfile() else None
            if content is not None:
                yield posixpath.join(directory, member.name), content.read()
