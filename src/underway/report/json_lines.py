"""Events as JSON lines, and back: one object per line, versioned, stable names.

The envelope is `{"version", "run", "sequence", "time", "actor", "host", "type", "body"}`; `type`
is the kebab-case name of the body's class. Unknown keys are ignored when reading, so that an
older reader follows a newer writer as long as `version` is the same.
"""

import re
from typing import Final, get_args

import msgspec

from underway.errors import IntegrityError
from underway.model.event import EVENT_VERSION, Body, Event
from underway.model.names import HostName


def _type_name(kind: type) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", kind.__name__).lower()


BODY_TYPES: Final[dict[str, type[Body]]] = {_type_name(kind): kind for kind in get_args(Body)}


class Envelope(msgspec.Struct, frozen=True):
    """One line, its body still raw."""

    version: int
    run: str
    sequence: int
    time: float
    actor: str
    host: str | None
    type: str
    body: msgspec.Raw


def encode_event(event: Event) -> bytes:
    """One line of JSON, without its newline."""
    return msgspec.json.encode(
        Envelope(
            version=event.version,
            run=event.run,
            sequence=event.sequence,
            time=event.time,
            actor=event.actor,
            host=event.host,
            type=_type_name(type(event.body)),
            body=msgspec.Raw(msgspec.json.encode(event.body)),
        )
    )


def decode_event(data: bytes | str) -> Event:
    """The event of one line; IntegrityError `event-unreadable` if it is none of ours."""
    try:
        envelope = msgspec.json.decode(data, type=Envelope)
        if envelope.version != EVENT_VERSION or envelope.type not in BODY_TYPES:
            raise _unreadable(f"version {envelope.version}, type {envelope.type!r}")
        body = msgspec.json.decode(envelope.body, type=BODY_TYPES[envelope.type])
    except msgspec.MsgspecError as error:
        raise _unreadable(str(error)) from error
    return Event(
        run=envelope.run,
        sequence=envelope.sequence,
        time=envelope.time,
        actor=envelope.actor,
        body=body,
        host=None if envelope.host is None else HostName(envelope.host),
        version=envelope.version,
    )


def _unreadable(cause: str) -> IntegrityError:
    return IntegrityError(
        "event-unreadable",
        "This line is not an event that this version of Underway knows.",
        cause=cause,
        hint="Read it with the version of Underway that wrote it, or a newer one.",
    )


def event_schema_text() -> str:
    """The JSON Schema (2020-12) of one line, ended by a newline."""
    refs, definitions = msgspec.json.schema_components(
        tuple(BODY_TYPES.values()), ref_template="#/$defs/{name}"
    )
    branches = [
        {"properties": {"type": {"const": name}, "body": ref}}
        for name, ref in zip(BODY_TYPES, refs, strict=True)
    ]
    texts = {"type": "string"}
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Event",
        "type": "object",
        "required": ["version", "run", "sequence", "time", "actor", "host", "type", "body"],
        "properties": {
            "version": {"const": EVENT_VERSION},
            "run": texts,
            "sequence": {"type": "integer", "minimum": 1},
            "time": {"type": "number", "description": "Seconds since the epoch."},
            "actor": texts,
            "host": {"type": ["string", "null"]},
        },
        "oneOf": branches,
        "$defs": definitions,
    }
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"
