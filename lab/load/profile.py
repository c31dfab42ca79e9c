"""Profiles: how to talk to an application and how its answers name version and replica."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Write:
    """How to send a body; `{id}` in the path is the sender's own identifier.

    With `form_field` the body travels as that file field of a multipart form. `digest_field` is the
    answer's JSON field with the SHA-256 of the body, `id_field` the one with an identifier that the
    application chose; both may be dotted paths.
    """

    method: str = "POST"
    path: str = "/echo"
    statuses: tuple[int, ...] = (200, 201)
    headers: Headers = field(default=(), repr=False)  # may hold a token
    content_type: str = "application/octet-stream"
    digest_field: str = ""
    id_field: str = ""
    form_field: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """One application's paths; empty field and header names mean that it does not tell."""

    name: str
    page_path: str
    slow_path: str
    socket_path: str
    post: Write
    upload: Write
    read_path: str = ""  # where `{id}` of an acknowledged upload is read back; empty: not kept
    headers: Headers = field(default=(), repr=False)
    version_header: str = ""
    replica_header: str = ""
    version_field: str = ""  # in the JSON of the page; a page without it is a wrong body
    replica_field: str = ""
    goodbye_codes: tuple[int, ...] = (1000, 1001)
    ping_text: str = "echo {token}"
    pong_text: str = "echo {token}"  # what a ping must bring back; `{token}` is new each time

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Profile:
        """Return the profile that `dataclasses.asdict` wrote."""
        writes = {name: _write(values[name]) for name in ("post", "upload")}
        codes = tuple(values["goodbye_codes"])
        headers = _pairs(values["headers"])
        return cls(**{**values, **writes, "goodbye_codes": codes, "headers": headers})


def _write(values: dict[str, Any]) -> Write:
    statuses = tuple(values["statuses"])
    return Write(**{**values, "statuses": statuses, "headers": _pairs(values["headers"])})


def _pairs(rows: list[list[str]]) -> Headers:
    return tuple((name, value) for name, value in rows)


_BEACON_ECHO = Write(digest_field="sha256")

BEACON = Profile(
    name="beacon",
    page_path="/version",
    slow_path="/slow?s=3",
    socket_path="/live",
    post=_BEACON_ECHO,
    upload=_BEACON_ECHO,
    version_header="x-version",
    replica_header="x-replica",
    version_field="version",
    replica_field="replica",
)

BEACON_FILES = Profile(
    name="beacon-files",
    page_path="/version",
    slow_path="/slow?s=3",
    socket_path="/live",
    post=_BEACON_ECHO,
    upload=Write("PUT", "/files/{id}", digest_field="sha256"),
    read_path="/files/{id}",
    version_header="x-version",
    replica_header="x-replica",
    version_field="version",
    replica_field="replica",
)


def libra(matter_id: str, token: str) -> Profile:
    """Return the profile of the sample application for one matter and a session's bearer token."""
    file = Write(
        path=f"/api/matters/{matter_id}/files?name={{id}}",
        statuses=(201,),
        digest_field="file.sha256",
        id_field="file.id",
    )
    return Profile(
        name="libra",
        page_path="/version",
        slow_path="/slow?s=3",
        socket_path="/live",
        post=file,
        upload=file,
        read_path="/api/files/{id}",
        headers=(("Authorization", f"Bearer {token}"),),
        version_field="version",
        replica_field="replica",
        ping_text='{"type": "ping", "token": "{token}"}',
        pong_text='{"type": "pong", "token": "{token}"}',
    )


PROFILES = {profile.name: profile for profile in (BEACON, BEACON_FILES)}
