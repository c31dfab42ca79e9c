"""Container calls: create with files and networks, start, stop, remove, and what they hold."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

from underway.adapters.engine.archives import archive_of
from underway.adapters.engine.body import create_body, endpoint
from underway.adapters.engine.connection import Call, Connection
from underway.adapters.engine.images import ImageCalls, is_digest
from underway.adapters.engine.states import inspected_container, listed_container
from underway.errors import EngineError, UnderwayError
from underway.model.container import ContainerRequest
from underway.model.names import (
    LABEL_APP,
    LABEL_GENERATION,
    LABEL_REPLICA,
    LABEL_ROLE,
    LABEL_SERVICE,
    ContainerName,
)
from underway.model.sensitive import SensitiveValues
from underway.model.snapshot import ContainerState, ContainerStatus, Role
from underway.model.spec import FileSpec, Mount, MountKind

_IDENTITY: Final = (LABEL_APP, LABEL_SERVICE, LABEL_GENERATION, LABEL_REPLICA, LABEL_ROLE)
_CREATE_S: Final = 120.0
_START_S: Final = 60.0
_REMOVE_S: Final = 60.0
_UPLOAD_S: Final = 120.0
_STOP_MARGIN_S: Final = 20.0
_DEFAULT_STOP_S: Final = 10.0
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409
_FILES_ROOT: Final = "/files"
_SECRETS_ROOT: Final = "/run/secrets/"


class ContainerCalls:
    """All container calls of one engine."""

    def __init__(self, connection: Connection) -> None:
        """Use `connection`."""
        self._connection = connection

    def all(self) -> tuple[ContainerState, ...]:
        """See `ports.Engine.containers`."""
        entries = self._connection.read("/containers/json", "list containers", {"all": "1"})
        return tuple(sorted(map(listed_container, entries), key=lambda found: found.name))

    def one(self, name: str) -> ContainerState | None:
        """See `ports.Engine.container`."""
        body = self._connection.find(f"{_path(name)}/json", f"inspect container {name}")
        return None if body is None else inspected_container(body)

    def create(self, request: ContainerRequest, values: SensitiveValues) -> None:
        """See `ports.Engine.create`.

        One that was created and never started may lack its files, because its creator died: it
        holds nothing yet and is made anew.
        """
        body = create_body(request, values)
        archive = archive_of(request.files, values) if request.files else b""
        if not self._create(request, body):
            return
        try:
            for place in request.networks[1:] if not request.network_mode else ():
                self._connection.send(
                    Call(
                        "POST",
                        f"/networks/{quote(place.network, safe='')}/connect",
                        f"connect {request.name} to network {place.network}",
                        body={"Container": request.name, "EndpointConfig": endpoint(place)},
                    )
                )
            if archive:
                self.upload(request.name, "/", archive)
        except UnderwayError as error:
            self._discard(request.name, error)
            raise

    def start(self, name: str) -> None:
        """See `ports.Engine.start`."""
        what = f"start container {name}"
        self._connection.send(Call("POST", f"{_path(name)}/start", what, timeout_s=_START_S))

    def stop(self, name: str, grace_s: float | None) -> None:
        """See `ports.Engine.stop`."""
        what = f"stop container {name}"
        call = Call(
            "POST",
            f"{_path(name)}/stop",
            what,
            params={} if grace_s is None else {"t": str(max(0, round(grace_s)))},
            timeout_s=(self._own_grace_s(name) if grace_s is None else grace_s) + _STOP_MARGIN_S,
        )
        try:
            self._connection.send(call)
        except EngineError as error:
            if error.status != _NOT_FOUND:
                raise

    def rename(self, name: str, new_name: str) -> None:
        """See `ports.Engine.rename`; one that is gone or renamed already is fine."""
        call = Call(
            "POST",
            f"{_path(name)}/rename",
            f"rename container {name}",
            params={"name": new_name},
            timeout_s=_START_S,
        )
        try:
            self._connection.send(call)
        except EngineError as error:
            if error.status != _NOT_FOUND:
                raise

    def set_restart(self, name: str, restart: str) -> None:
        """See `ports.Engine.set_restart`."""
        policy, _, count = restart.partition(":")
        body = {"RestartPolicy": {"Name": policy, "MaximumRetryCount": int(count or 0)}}
        what = f"change the restart policy of container {name}"
        self._connection.send(Call("POST", f"{_path(name)}/update", what, body=body))

    def remove(self, name: str) -> None:
        """See `ports.Engine.remove`; one that is being removed already is fine too."""
        params = {"force": "1", "v": "1"}
        call = Call("DELETE", _path(name), f"remove container {name}", params, timeout_s=_REMOVE_S)
        try:
            self._connection.send(call)
        except EngineError as error:
            is_going = error.status == _CONFLICT and "already in progress" in error.message
            if error.status != _NOT_FOUND and not is_going:
                raise

    def upload(self, name: str, path: str, archive: bytes) -> None:
        """Unpack a tar archive at `path` of a container."""
        self._connection.send(
            Call(
                "PUT",
                f"{_path(name)}/archive",
                f"write files into {name}",
                params={"path": path},
                data=archive,
                headers={"Content-Type": "application/x-tar"},
                timeout_s=_UPLOAD_S,
            )
        )

    def write_files(
        self,
        volume: str,
        image: str,
        files: Sequence[FileSpec],
        values: SensitiveValues,
        labels: Mapping[str, str],
    ) -> None:
        """See `ports.Engine.write_files`."""
        inside = [replace(file, target=_inside_volume(file.target)) for file in files]
        archive = archive_of(inside, values)
        carrier = ContainerRequest(
            name=ContainerName(f"{volume}-writer"),
            image=image,
            labels=tuple(sorted({**labels, LABEL_ROLE: Role.FILES.value}.items())),
            command=("never-started",),
            mounts=(Mount(MountKind.VOLUME, volume, _FILES_ROOT, options='{"NoCopy":true}'),),
            network_mode="none",
        )
        self.remove(carrier.name)
        self.create(carrier, {})
        try:
            self.upload(carrier.name, _FILES_ROOT, archive)
        except UnderwayError as error:
            self._discard(carrier.name, error)
            raise
        self.remove(carrier.name)

    def _own_grace_s(self, name: str) -> float:
        """How long the engine itself waits for a container that gets its stop signal."""
        body = self._connection.find(f"{_path(name)}/json", f"inspect container {name}") or {}
        own = (body.get("Config") or {}).get("StopTimeout")
        return _DEFAULT_STOP_S if own is None else float(own)

    def _create(self, request: ContainerRequest, body: Mapping[str, object]) -> bool:
        """Create it; False where the one wished is there already."""
        call = Call(
            "POST",
            "/containers/create",
            f"create container {request.name}",
            params={"name": request.name},
            body=body,
            timeout_s=_CREATE_S,
        )
        try:
            send_creation(self._connection, call)
        except EngineError as error:
            holder = self.one(request.name) if error.status == _CONFLICT else None
            if holder is None:
                raise
            if any(holder.label(label) != request.label(label) for label in _IDENTITY):
                raise _name_taken(self._connection.host, holder, error) from error
            if holder.status is not ContainerStatus.CREATED:
                return False
            self.remove(request.name)
            send_creation(self._connection, call)
        return True

    def _discard(self, name: str, first: UnderwayError) -> None:
        """Remove a half-made container; a failure of that is noted on the first error."""
        try:
            self.remove(name)
        except UnderwayError as error:
            first.add_note(f"and the half-made container stays: {error}")


def send_creation(connection: Connection, call: Call) -> dict[str, Any]:
    """Create a container; its image may be named by the digest of its configuration.

    An engine with the containerd store knows that by a tag of ours only: see `ImageCalls.name_of`.
    """
    try:
        return dict(connection.post(call))
    except EngineError as error:
        body = call.body if isinstance(call.body, Mapping) else {}
        image = str(body.get("Image", ""))
        is_missing = error.code == "image-missing" and is_digest(image)
        name = ImageCalls(connection).name_of(image) if is_missing else ""
        if not name:
            raise
        return dict(connection.post(replace(call, body={**body, "Image": name})))


def _inside_volume(target: str) -> str:
    """Secrets name where the container sees them: `/run/secrets`, where the volume is mounted."""
    return target.removeprefix(_SECRETS_ROOT).lstrip("/")


def _path(name: str) -> str:
    return f"/containers/{quote(name, safe='')}"


def _name_taken(host: str, holder: ContainerState, error: EngineError) -> EngineError:
    owner = f"app {holder.app}, service {holder.service}" if holder.app else "not ours"
    return EngineError(
        "name-taken",
        f"{host}: the name {holder.name} is held by container {holder.id[:12]} ({owner})",
        status=error.status,
        hint="Rename or remove that container, or give the app another name.",
    )
