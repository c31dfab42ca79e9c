"""Requests to one registry: how it is reached, who asks, and what its refusals mean.

Credentials are Docker's own (`docker login`, credential helpers). A registry is asked by HTTPS; one
that Docker itself takes for insecure (a loopback address, `insecure-registries` of the engine) by
HTTP too.
"""

import base64
import ipaddress
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import requests
from docker import auth
from docker.errors import DockerException
from requests.adapters import HTTPAdapter

from underway.errors import EngineError, UnreachableError

_TIMEOUT_S: Final = (10.0, 60.0)
_TRIES: Final = 2
_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_TOO_MANY: Final = 429
_BAD_REQUEST: Final = 400
_HUB: Final = "registry-1.docker.io"
_HUB_CREDENTIALS: Final = "https://index.docker.io/v1/"
_PARAMETER: Final = re.compile(r'(\w+)="([^"]*)"')

Scopes = tuple[tuple[str, str], ...]
"""Pairs of repository path and actions, such as `("libra", "pull,push")`."""


class Transport:
    """One registry; safe to use from several threads."""

    def __init__(self, registry: str, *, is_insecure: bool) -> None:
        """Reach `registry` ("" for Docker Hub); nothing is sent before the first request."""
        self._name = registry or "docker.io"
        self._host = registry or _HUB
        self._is_insecure = is_insecure
        self._guard = threading.Lock()
        self._start = ""
        self._challenge = ""
        self._tokens: dict[Scopes, str] = {}
        self._session = requests.Session()
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=_TRIES, pool_maxsize=16))
        self._session.verify = not is_insecure

    def send(
        self,
        method: str,
        path: str,
        scopes: Scopes,
        *,
        ok: Iterable[int] = (),
        **more: Any,
    ) -> requests.Response:
        """The answer to a request; what refuses is raised, unless its status is in `ok`."""
        with self._guard:
            if not self._start:
                self._greet()
        url = path if "://" in path else f"{self._start}{path}"
        headers = {**more.pop("headers", {}), **self._authorization(scopes)}
        answer = self._ask(method, url, headers=headers, **more)
        if answer.status_code < _BAD_REQUEST or answer.status_code in set(ok):
            return answer
        raise self._refusal(method, path, answer)

    def _greet(self) -> None:
        """Find out by which scheme the registry answers, and what it wants of who asks."""
        schemes = ("https", "http") if self._is_insecure else ("https",)
        for number, scheme in enumerate(schemes, start=1):
            try:
                answer = self._ask("GET", f"{scheme}://{self._host}/v2/")
            except UnreachableError:
                if number == len(schemes):
                    raise
                continue
            self._start = f"{scheme}://{self._host}/v2"
            self._challenge = answer.headers.get("WWW-Authenticate", "")
            return

    def _ask(self, method: str, url: str, **more: Any) -> requests.Response:
        try:
            return self._session.request(method, url, timeout=_TIMEOUT_S, **more)
        except requests.exceptions.RequestException as error:
            raise UnreachableError(
                "registry-unreachable",
                f"the registry {self._name} does not answer this machine",
                cause=type(error).__name__,
                hint="Check from this machine that the registry's name and port can be reached.",
            ) from error

    def _authorization(self, scopes: Scopes) -> dict[str, str]:
        kind, _, rest = self._challenge.partition(" ")
        if kind.lower() == "basic":
            found = self._credentials()
            pair = (found.get("Username", ""), found.get("Password", ""))
            return {"Authorization": _basic(*pair)} if pair[0] else {}
        if kind.lower() != "bearer":
            return {}
        with self._guard:
            if scopes not in self._tokens:
                self._tokens[scopes] = self._token(dict(_PARAMETER.findall(rest)), scopes)
            return {"Authorization": f"Bearer {self._tokens[scopes]}"}

    def _token(self, wanted: Mapping[str, str], scopes: Scopes) -> str:
        """A token by the distribution's token authentication, or its OAuth 2 where logged in so."""
        names = [f"repository:{path}:{actions}" for path, actions in scopes]
        service = wanted.get("service", "")
        found = self._credentials()
        if found.get("IdentityToken"):
            form = {
                "grant_type": "refresh_token",
                "service": service,
                "client_id": "underway",
                "scope": " ".join(names),
                "refresh_token": found["IdentityToken"],
            }
            answer = self._ask("POST", wanted.get("realm", ""), data=form)
        else:
            pair = (found.get("Username", ""), found.get("Password", ""))
            answer = self._ask(
                "GET",
                wanted.get("realm", ""),
                params={"service": service, "scope": names},
                auth=pair if pair[0] else None,
            )
        if answer.status_code >= _BAD_REQUEST:
            raise self._refusal("GET", "its token server", answer)
        told = answer.json()
        return str(told.get("token") or told.get("access_token") or "")

    def _credentials(self) -> Mapping[str, str]:
        """What Docker's configuration and its helpers say of this registry; {} without any."""
        try:
            is_hub = self._host == _HUB
            name = _HUB_CREDENTIALS if is_hub else self._name
            found = auth.load_config().resolve_authconfig(name) or {}
        except DockerException as error:
            raise UnreachableError(
                "registry-credentials",
                f"The credentials for {self._name} could not be read",
                cause=str(error),
                hint="Run `docker login` again, or mend the Docker configuration file.",
            ) from error
        known = {key.lower(): str(value) for key, value in found.items() if value}
        return {
            "Username": known.get("username", ""),
            "Password": known.get("password", ""),
            "IdentityToken": known.get("identitytoken", ""),
        }

    def _refusal(self, method: str, path: str, answer: requests.Response) -> EngineError:
        status = answer.status_code
        what = f"{self._name}: {method} {path.partition('?')[0]}: {status} {answer.reason}"
        if status in {_UNAUTHORIZED, _FORBIDDEN}:
            return EngineError(
                "registry-denied",
                what,
                status=status,
                hint="Run `docker login` for this registry on the machine that runs Underway.",
            )
        hint = "Wait a while: the registry limits how often it is asked."
        if status != _TOO_MANY:
            hint = "Run it again; if it stays, look at the registry's log."
        return EngineError("registry-refused", what, status=status, hint=hint)


def is_insecure(info: Callable[[], Mapping[str, Any]], registry: str) -> bool:
    """Whether Docker takes a registry for insecure; `info` asks the engine, where that decides."""
    host = registry.rpartition(":")[0] or registry
    address = _address(host)
    if host == "localhost" or (address is not None and address.is_loopback):
        return True
    if not registry:
        return False
    said = info().get("RegistryConfig") or {}
    if (said.get("IndexConfigs") or {}).get(registry, {}).get("Secure") is False:
        return True
    ranges = [ipaddress.ip_network(text) for text in said.get("InsecureRegistryCIDRs") or ()]
    return address is not None and any(address in network for network in ranges)


def _basic(name: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
