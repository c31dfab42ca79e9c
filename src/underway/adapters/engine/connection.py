"""One engine's HTTP connection: opened when first used, opened anew after it broke.

Retries live here, and only for reads whose connection broke: a restarted engine drops every
connection, and asking again is harmless.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import docker
import requests
import stamina
from docker import auth

from underway.adapters.engine.border import border, refusal, silence
from underway.adapters.engine.route import Route
from underway.errors import EngineError, UnreachableError
from underway.model.look import Way
from underway.model.names import HostName

_READING: Final = {"GET", "HEAD"}
READ_S: Final = 30.0
OLDEST_API: Final = (1, 41)
NEWEST_API: Final = (1, 47)
_HELLO_S: Final = 10.0
_FIRST_ERROR: Final = 400
_PING_S: Final = 4.0
_SILENT_S: Final = 10.0
_BASE: Final = "http+docker://localhost"

# stamina reports each retry as a log record; without any handler Python prints it on the terminal.
logging.getLogger("stamina").addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the Engine API. `what` says in words what is tried; `path` has no version."""

    method: str
    path: str
    what: str
    params: Mapping[str, str] = field(default_factory=dict)
    body: object = None
    data: bytes | Iterable[bytes] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float | None = READ_S
    is_stream: bool = False


def _nothing() -> None:
    return None


class Connection:
    """A negotiated connection to one engine. Safe to use from several threads at once."""

    def __init__(self, host: HostName, route: Route) -> None:
        """Nothing is opened yet."""
        self.host = host
        self._route = route
        self._guard = threading.Lock()
        self._client: docker.APIClient | None = None
        self._client_path: Path | None = None
        self._api = ""
        self._closing: list[Callable[[], None]] = []
        self._fence: Callable[[], None] = _nothing
        self._greeting = threading.Lock()
        self._silence: UnreachableError | None = None
        self._asked_at = -_SILENT_S

    def on_close(self, callback: Callable[[], None]) -> None:
        """Call `callback` ahead of closing: streams of their own end first."""
        self._closing.append(callback)

    def fence(self, check: Callable[[], None] | None) -> None:
        """Ask `check` right ahead of every call that may change something; None ends that.

        A client that was frozen wakes up in the middle of anything: what it was about to send is
        held back here if its lock has gone meanwhile.
        """
        self._fence = check or _nothing

    def confirm(self) -> None:
        """Raise what the fence raises: nothing may be changed any more."""
        self._fence()

    @property
    def api_version(self) -> str:
        """The negotiated version (`1.41`); connects if need be."""
        self.open()
        return self._api

    @property
    def way(self) -> Way:
        """How the engine is reached."""
        return self._route.way

    def socket_path(self) -> Path:
        """The socket behind the connection, for streams of their own."""
        return self._route.socket_path()

    def open(self) -> docker.APIClient:
        """The HTTP session; UnreachableError if the engine does not answer."""
        path = self._route.socket_path()
        with self._guard:
            if self._client is None or path != self._client_path:
                self._drop()
                self._client, self._client_path = self._session(path), path
            if not self._api:
                self._api = self._negotiate(self._client)
            return self._client

    def send(self, call: Call) -> requests.Response:
        """Make one call; raises EngineError for an answer that is an error.

        The response of a streaming call must be closed by the caller.
        """
        client = self.open()
        self._greet(client)
        if call.method not in _READING:
            self.confirm()
        with border(self.host, call.what):
            try:
                response = self._request(client, call, f"{_BASE}/v{self._api}{call.path}")
            except requests.exceptions.ReadTimeout as error:
                self._silence = silence(self.host, call.what, error)
                raise
            if response.status_code >= _FIRST_ERROR:
                raise refusal(self.host, call.what, response.status_code, message_of(response))
        return response

    def post(self, call: Call) -> Any:
        """Make one call that answers with JSON, or with nothing (None)."""
        response = self.send(call)
        return response.json() if response.content else None

    def read(self, path: str, what: str, params: Mapping[str, str] | None = None) -> Any:
        """GET JSON, asking again if the connection broke under it."""
        call = Call("GET", path, what, params=params or {})
        for attempt in stamina.retry_context(
            on=_is_broken, attempts=3, timeout=5, wait_initial=0.2
        ):
            with attempt:
                return self.send(call).json()
        raise AssertionError("unreachable: the last attempt raises")

    def find(self, path: str, what: str) -> Any:
        """GET JSON, or None where the engine knows no such thing."""
        try:
            return self.read(path, what)
        except EngineError as error:
            if error.status == requests.codes.not_found:
                return None
            raise

    def stream(self, call: Call) -> Iterator[bytes]:
        """Make one call and yield its answer in pieces as they come."""
        response = self.send(call)
        try:
            with border(self.host, call.what):
                for chunk in response.raw.stream(65536, decode_content=True):
                    if chunk:
                        yield chunk
        finally:
            response.close()

    def messages(self, call: Call) -> Iterator[dict[str, Any]]:
        """Make one call and yield the JSON objects of its answer as they come."""
        rest = b""
        for chunk in self.stream(call):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                if line.strip():
                    yield json.loads(line)
        if rest.strip():
            yield json.loads(rest)

    def registry_headers(self, reference: str) -> dict[str, str]:
        """The credentials header for a reference, from the Docker configuration and its helpers."""
        client = self.open()
        try:
            registry, _ = auth.resolve_repository_name(reference)
            header = auth.get_config_header(client, registry)
        except docker.errors.DockerException as error:
            raise UnreachableError(
                "registry-credentials",
                f"The credentials for {reference} could not be read",
                cause=str(error),
                hint="Run `docker login` again, or mend the Docker configuration file.",
            ) from error
        return {"X-Registry-Auth": header.decode()} if header else {}

    def close(self) -> None:
        """Give up the connection and the way to it; never raises."""
        for callback in self._closing:
            callback()
        with self._guard:
            self._drop()
        self._route.close()

    def _greet(self, client: docker.APIClient) -> None:
        """Ask an engine that fell silent whether it is there, before it is waited for again.

        A frozen engine takes connections and never answers: without this, each call to it would
        cost its whole deadline.
        """
        silent = self._silence
        if silent is None:
            return
        with self._greeting:
            if time.monotonic() - self._asked_at < _SILENT_S:
                raise silent
            try:
                with border(self.host, "ask whether it is there"):
                    self._request(client, Call("GET", "", "", timeout_s=_PING_S), f"{_BASE}/_ping")
            except UnreachableError:
                self._asked_at = time.monotonic()
                raise
            self._silence = None

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = None

    @staticmethod
    def _session(path: Path) -> docker.APIClient:
        oldest = ".".join(map(str, OLDEST_API))
        return docker.APIClient(
            base_url=f"unix://{path}", version=oldest, timeout=int(READ_S), max_pool_size=32
        )

    def _negotiate(self, client: docker.APIClient) -> str:
        """The newest version both sides know."""
        call = Call("GET", "/version", "connect", timeout_s=_HELLO_S)
        with border(self.host, call.what):
            response = self._request(client, call, f"{_BASE}/version")
        if response.status_code >= _FIRST_ERROR:
            raise refusal(self.host, call.what, response.status_code, message_of(response))
        version = response.json()
        newest, oldest = _parsed(version["ApiVersion"]), _parsed(version.get("MinAPIVersion", "0"))
        if newest < OLDEST_API or oldest > NEWEST_API:
            is_new = oldest > NEWEST_API
            raise UnreachableError(
                "engine-version",
                f"{self.host}: the engine speaks API {version['ApiVersion']}",
                hint=f"Upgrade Underway: the engine takes API {version['MinAPIVersion']} and newer."
                if is_new
                else "Underway needs an engine from 20.10 (API 1.41) on; upgrade it.",
            )
        return ".".join(map(str, min(newest, NEWEST_API)))

    @staticmethod
    def _request(client: docker.APIClient, call: Call, url: str) -> requests.Response:
        data: Any = call.data
        headers = dict(call.headers)
        if call.body is not None:
            data = json.dumps(call.body)
            headers["Content-Type"] = "application/json"
        return client.request(
            call.method,
            url,
            params=dict(call.params),
            data=data,
            headers=headers,
            timeout=call.timeout_s,
            stream=call.is_stream,
        )


def message_of(response: requests.Response) -> str:
    """What the engine says in an answer that is an error."""
    text = response.text
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text


def _is_broken(error: Exception) -> bool:
    """Whether a read failed because its connection broke, not because time ran out."""
    return (
        isinstance(error, UnreachableError)
        and error.code == "host-unreachable"
        and isinstance(error.__cause__, (ConnectionError, requests.exceptions.ConnectionError))
    )


def _parsed(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
