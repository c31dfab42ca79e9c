"""Image calls: pull and push with progress, save and load as streams, and what a tag means."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final
from urllib.parse import quote

from underway.adapters.engine.border import registry_refusal
from underway.adapters.engine.connection import Call, Connection
from underway.adapters.engine.states import inspected_image, listed_image
from underway.errors import EngineError, UnreachableError
from underway.image.steps import keep_tag
from underway.model.image import ImageState
from underway.ports import Progress

_TRANSFER_SILENCE_S: Final = 300.0
"""How long a save or load may say nothing: packing one large layer is silent."""
_REGISTRY_SILENCE_S: Final = 90.0
"""How long a pull or push may say nothing; the engine itself waits for a frozen registry for ever.
While it downloads and unpacks it tells progress, and what has arrived stays for the next try."""
_REGISTRY_S: Final = 45.0
_NOT_FOUND: Final = 404
_NO_SUCH_CALL: Final = "Not Found"
"""What Podman says of a call that it does not know."""
_CONFLICT: Final = 409


class ImageCalls:
    """All image calls of one engine."""

    def __init__(self, connection: Connection) -> None:
        """Use `connection`."""
        self._connection = connection

    def all(self) -> tuple[ImageState, ...]:
        """See `ports.Engine.images`."""
        entries = self._connection.read("/images/json", "list images")
        return tuple(sorted(map(listed_image, entries), key=lambda image: image.id))

    def one(self, reference: str) -> ImageState | None:
        """See `ports.Engine.image`."""
        body = self._inspect(reference)
        if body is None and is_digest(reference):
            name = self.name_of(reference)
            body = self._inspect(name) if name else None
        return None if body is None else inspected_image(body)

    def _inspect(self, reference: str) -> Any:
        return self._connection.find(f"{_path(reference)}/json", f"inspect image {reference}")

    def name_of(self, config_digest: str) -> str:
        """The name under which an engine whose ids are manifest digests has a configuration, or "".

        It is the tag that the image got when its configuration was read and verified.
        """
        tag = f":{keep_tag(config_digest)}"
        names = (name for image in self.all() for name in image.repo_tags)
        return next((name for name in names if name.endswith(tag)), "")

    def pull(self, reference: str, progress: Progress | None) -> None:
        """See `ports.Engine.pull`."""
        repository, tag = split_reference(reference)
        call = Call(
            "POST",
            "/images/create",
            f"pull {reference}",
            params={"fromImage": repository, "tag": tag},
            headers=self._connection.registry_headers(repository),
            timeout_s=_REGISTRY_SILENCE_S,
            is_stream=True,
        )
        for _ in self._transfer(call, progress):
            pass

    def push(self, reference: str, progress: Progress | None) -> str:
        """See `ports.Engine.push`."""
        repository, tag = split_reference(reference)
        headers = self._connection.registry_headers(repository)
        call = Call(
            "POST",
            f"{_path(repository)}/push",
            f"push {reference}",
            params={"tag": tag},
            headers=headers or {"X-Registry-Auth": "e30="},  # "{}": the header must be there
            timeout_s=_REGISTRY_SILENCE_S,
            is_stream=True,
        )
        digest = ""
        for message in self._transfer(call, progress):
            digest = (message.get("aux") or {}).get("Digest", digest)
        if not digest:
            raise EngineError(
                "engine-refused",
                f"{self._connection.host}: push {reference}: the registry named no digest",
                hint="Push again; if it stays, look at the registry's log.",
            )
        return digest

    def tag(self, image: str, reference: str) -> None:
        """See `ports.Engine.tag`."""
        repository, tag = split_reference(reference)
        params = {"repo": repository, "tag": tag}
        self._connection.send(Call("POST", f"{_path(image)}/tag", f"tag {reference}", params))

    def save(self, image: str) -> Iterator[bytes]:
        """See `ports.Engine.save`."""
        path, what = f"{_path(image)}/get", f"save image {image}"
        return self._connection.stream(
            Call("GET", path, what, timeout_s=_TRANSFER_SILENCE_S, is_stream=True)
        )

    def load(self, archive: Iterable[bytes], progress: Progress | None) -> None:
        """See `ports.Engine.load`."""
        call = Call(
            "POST",
            "/images/load",
            "load an image",
            params={"quiet": "1"},
            data=_counted(archive, progress),
            headers={"Content-Type": "application/x-tar"},
            timeout_s=_TRANSFER_SILENCE_S,
            is_stream=True,
        )
        for _ in self._transfer(call, None):
            pass

    def resolve(self, reference: str) -> str:
        """See `ports.Engine.resolve`."""
        what = f"resolve {reference}"
        headers = self._connection.registry_headers(reference)
        path = f"/distribution/{quote(reference, safe='/:@')}/json"
        try:
            body = self._connection.post(
                Call("GET", path, what, headers=headers, timeout_s=_REGISTRY_S)
            )
        except EngineError as error:
            message = error.message.partition(f"{what}: ")[2] or error.message
            if error.status == _NOT_FOUND and message.strip() == _NO_SUCH_CALL:
                return self._pulled_digest(reference)
            raise registry_refusal(self._connection.host, what, error.status, message) from error
        return str(body["Descriptor"]["digest"])

    def _pulled_digest(self, reference: str) -> str:
        """The digest of a tag by pulling it: Podman's engine cannot ask a registry otherwise."""
        self.pull(reference, None)
        state = self.one(reference)
        repository = split_reference(reference)[0]
        for name in state.repo_digests if state else ():
            if name.startswith(f"{repository}@"):
                return name.partition("@")[2]
        raise EngineError(
            "image-missing",
            f"{self._connection.host}: {reference} was pulled, and its digest is not known",
            hint="Name the image by its digest in the file.",
        )

    def remove(self, image: str) -> None:
        """See `ports.Engine.remove_image`; an id with several names loses all of them."""
        try:
            self._delete(image)
        except EngineError as error:
            if error.status == _NOT_FOUND:
                return
            if error.status != _CONFLICT:
                raise
            if "multiple repositories" in error.message and not self._is_used(image):
                self._untag_all(image)

    def take_name(self, reference: str) -> None:
        """Take a name from an image, also where a container that ended was made from it."""
        self._delete(reference, params={"force": "1"})

    def _delete(self, image: str, params: Mapping[str, str] | None = None) -> None:
        call = Call("DELETE", _path(image), f"remove image {image}", params=params or {})
        self._connection.send(call)

    def _is_used(self, image: str) -> bool:
        params = {"all": "1", "filters": f'{{"ancestor":["{image}"]}}'}
        return bool(self._connection.read("/containers/json", "list containers", params))

    def _untag_all(self, image: str) -> None:
        state = self.one(image)
        for name in (*state.repo_tags, *state.repo_digests) if state else ():
            with suppress(EngineError):  # the last name may go with the one before
                self._delete(name)

    def _transfer(self, call: Call, progress: Progress | None) -> Iterator[dict[str, Any]]:
        """The messages of a transfer; an error among them is raised, as the API means it."""
        layers = _Layers(progress)
        host = self._connection.host
        try:
            for message in self._connection.messages(call):
                if "error" in message:
                    detail = message.get("errorDetail") or {}
                    text = str(detail.get("message") or message["error"])
                    raise registry_refusal(host, call.what, int(detail.get("code") or 0), text)
                layers.take(message)
                yield message
        except EngineError as error:
            text = error.message.partition(f"{call.what}: ")[2]
            if error.code == "engine-refused" and text:
                raise registry_refusal(host, call.what, error.status, text) from error
            raise
        except UnreachableError as error:
            if call.timeout_s == _REGISTRY_SILENCE_S and "in time" in error.message:
                text = f"i/o timeout: nothing arrived for {_REGISTRY_SILENCE_S:g} s"
                raise registry_refusal(host, call.what, 0, text) from error
            raise


class _Layers:
    """Adds up the progress of an image's layers."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._done: dict[str, float] = {}
        self._total: dict[str, float] = {}

    def take(self, message: dict[str, Any]) -> None:
        if self._progress is None:
            return
        layer, status = str(message.get("id", "")), str(message.get("status", ""))
        detail = message.get("progressDetail") or {}
        if status in {"Downloading", "Pushing"} and detail.get("total"):
            self._done[layer] = float(detail.get("current", 0))
            self._total[layer] = float(detail["total"])
        elif layer in self._total and status in {"Download complete", "Pull complete", "Pushed"}:
            self._done[layer] = self._total[layer]
        if status:
            text = f"{layer}: {status}" if layer else status
            self._progress(sum(self._done.values()), sum(self._total.values()), text)


def split_reference(reference: str) -> tuple[str, str]:
    """Repository and tag, or repository and digest; without either the tag is `latest`."""
    if "@" in reference:
        repository, _, digest = reference.partition("@")
        head, _, tail = repository.rpartition(":")
        return (head if head and "/" not in tail else repository), digest
    head, _, tail = reference.rpartition(":")
    if head and "/" not in tail:
        return head, tail
    return reference, "latest"


def _counted(archive: Iterable[bytes], progress: Progress | None) -> Iterator[bytes]:
    done = 0
    for chunk in archive:
        yield chunk
        done += len(chunk)
        if progress is not None:
            progress(done, 0, "sending the image")


def _path(reference: str) -> str:
    return f"/images/{quote(reference, safe='/:@')}"


def is_digest(reference: str) -> bool:
    """Whether a reference is a bare digest: of a configuration, or an id of the engine's own."""
    return reference.startswith("sha256:")
