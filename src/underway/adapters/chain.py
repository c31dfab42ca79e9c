"""Records chained by hash: how they are written down, and how a chain is checked. Pure.

A record's file holds `{"hash": ..., "record": {...}}`; the hash is the SHA-256 of the record's
bytes as they stand in the file, and each record names the hash of the one before it. So a record
that was altered, left out or put in shows, whoever wrote it and with whatever version.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from underway.errors import IntegrityError
from underway.model.names import HostName, ReleaseNumber
from underway.model.release import Binding, LedgerState, Release, RunRecord
from underway.model.testing import Attestation

VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Current:
    """Which release the app runs, and what stands behind its volumes."""

    release: ReleaseNumber
    bindings: tuple[Binding, ...] = ()


Body = Release | RunRecord | Current | Attestation
Kind = Literal["release", "run", "current", "attestation"]

_KINDS: Final[Mapping[str, type[Body]]] = {
    "release": Release,
    "run": RunRecord,
    "current": Current,
    "attestation": Attestation,
}


class _File(msgspec.Struct, forbid_unknown_fields=True):
    hash: str
    record: msgspec.Raw


class _Version(msgspec.Struct):
    version: int


class _Record(msgspec.Struct, forbid_unknown_fields=True):
    version: int
    sequence: int
    kind: Kind
    previous: str
    body: msgspec.Raw


@dataclass(frozen=True, slots=True)
class Link:
    """One checked record of a chain."""

    sequence: int
    hash: str
    body: Body


def written(body: Body, after: Link | None) -> tuple[int, bytes]:
    """The next record's sequence number, and the bytes of its file."""
    kind: Any = next(name for name, type_ in _KINDS.items() if isinstance(body, type_))
    sequence = after.sequence + 1 if after else 1
    previous = after.hash if after else ""
    record = msgspec.json.encode(
        _Record(VERSION, sequence, kind, previous, msgspec.Raw(msgspec.json.encode(body)))
    )
    return sequence, msgspec.json.encode(_File(_digest(record), msgspec.Raw(record)))


def checked(host: HostName, files: Mapping[int, bytes]) -> tuple[Link, ...]:
    """The chain of all files by sequence number; IntegrityError where it does not hold.

    A chain may begin later than with 1: its beginning may have been cut off.
    """
    links: list[Link] = []
    for sequence in sorted(files):
        link, previous = _link(host, sequence, files[sequence])
        if links and links[-1].sequence + 1 != sequence:
            raise _altered(host, links[-1].sequence + 1, "it is missing")
        if (links and previous != links[-1].hash) or (sequence == 1 and previous):
            raise _altered(host, sequence, "it does not follow the record before it")
        links.append(link)
    return tuple(links)


def state(host: HostName, links: Sequence[Link]) -> LedgerState:
    """What a chain says all in all: the newest word on each release, run and binding counts."""
    releases: dict[int, Release] = {}
    runs: dict[int, RunRecord] = {}
    attested: dict[str, Attestation] = {}
    current = Current(ReleaseNumber(0))
    for link in links:
        match link.body:
            case Release():
                releases[link.body.number] = link.body
            case RunRecord():
                runs[link.body.number] = link.body
            case Current():
                current = link.body
            case Attestation():
                attested[link.body.definition] = link.body
    return LedgerState(
        host,
        releases=tuple(releases[number] for number in sorted(releases)),
        runs=tuple(runs[number] for number in sorted(runs)),
        bindings=current.bindings,
        current=current.release,
        head=links[-1].hash if links else "",
        attestations=tuple(attested[definition] for definition in sorted(attested)),
    )


def _link(host: HostName, sequence: int, data: bytes) -> tuple[Link, str]:
    try:
        file = msgspec.json.decode(data, type=_File)
        raw = bytes(file.record)
        if _digest(raw) != file.hash:
            raise _altered(host, sequence, "its content does not match its hash")
        version = msgspec.json.decode(raw, type=_Version).version
        if version != VERSION:
            raise IntegrityError(
                "record-version",
                f"{host}: record {sequence} of the ledger has format {version}",
                hint="Another version of Underway wrote it: upgrade this one.",
            )
        record = msgspec.json.decode(raw, type=_Record)
        body: Body = msgspec.json.decode(record.body, type=_KINDS[record.kind])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _altered(host, sequence, str(error)) from error
    if record.sequence != sequence:
        raise _altered(host, sequence, f"it says that it is record {record.sequence}")
    return Link(sequence, file.hash, body), record.previous


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _altered(host: HostName, sequence: int, why: str) -> IntegrityError:
    return IntegrityError(
        "record-altered",
        f"{host}: record {sequence} of the ledger was altered",
        cause=why,
        hint="Find out who changed the volume `underway-ledger-*` there. Another host's ledger, or"
        " the labels of the running containers, can rebuild it.",
    )
