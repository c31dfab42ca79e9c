"""Records chained by hash: how they are written down, and how a chain is checked. Pure.

A record's file holds `{"hash": ..., "record": {...}}`; the hash is the SHA-256 of the record's
bytes as they stand in the file, and each record names the hash of the one before it. So a record
that was altered, left out or put in shows, whoever wrote it and with whatever version. With a team
key the file holds a `signature` too, over the same bytes.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final, Literal

import msgspec

from underway.adapters.decoding import decoded
from underway.adapters.signature import TeamKey
from underway.errors import IntegrityError
from underway.model.names import HostName, ReleaseNumber
from underway.model.release import Adjustment, Binding, LedgerState, Limit, Release, RunRecord
from underway.model.tagging import ReleaseTag
from underway.model.testing import Attestation

VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Current:
    """Which release the app runs, what stands behind its volumes, and what was asked beside it."""

    release: ReleaseNumber
    bindings: tuple[Binding, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    limit: Limit | None = None


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Somebody who holds the team key says that the records before this one are the right ones."""

    actor: str
    accepted_at: str


Body = Release | RunRecord | Current | Attestation | Acceptance | ReleaseTag
Kind = Literal["release", "run", "current", "attestation", "acceptance", "tag"]

_KINDS: Final[Mapping[str, type[Body]]] = {
    "release": Release,
    "run": RunRecord,
    "current": Current,
    "attestation": Attestation,
    "acceptance": Acceptance,
    "tag": ReleaseTag,
}


class Standing(Enum):
    """Whether a record is signed; UNCHECKED where there is no key to tell."""

    UNSIGNED = auto()
    UNCHECKED = auto()
    SIGNED = auto()
    MISSIGNED = auto()


class _File(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    hash: str
    record: msgspec.Raw
    signature: str = ""


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
    standing: Standing = Standing.UNSIGNED


def written(body: Body, after: Link | None, key: TeamKey | None = None) -> tuple[int, bytes]:
    """The next record's sequence number, and the bytes of its file, signed with `key`."""
    kind: Any = next(name for name, type_ in _KINDS.items() if isinstance(body, type_))
    sequence = after.sequence + 1 if after else 1
    previous = after.hash if after else ""
    record = msgspec.json.encode(
        _Record(VERSION, sequence, kind, previous, msgspec.Raw(msgspec.json.encode(body)))
    )
    signature = key.signature_of(record) if key else ""
    return sequence, msgspec.json.encode(_File(_digest(record), msgspec.Raw(record), signature))


def hash_of(file: bytes) -> str:
    """The hash that the bytes of a record's file name."""
    return decoded(file, _File).hash


def checked(
    host: HostName, files: Mapping[int, bytes], key: TeamKey | None = None
) -> tuple[Link, ...]:
    """The chain of all files by sequence number; IntegrityError where it does not hold.

    A chain may begin later than with 1: its beginning may have been cut off. Signatures are only
    looked at: what they mean for the whole is told by `doubts_of`.
    """
    links: list[Link] = []
    for sequence in sorted(files):
        link, previous = _link(host, sequence, files[sequence], key)
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
    tags: dict[str, ReleaseTag] = {}
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
            case ReleaseTag():
                tags[link.body.tag] = link.body
            case Acceptance():
                pass
    return LedgerState(
        host,
        releases=tuple(releases[number] for number in sorted(releases)),
        runs=tuple(runs[number] for number in sorted(runs)),
        bindings=current.bindings,
        current=current.release,
        head=links[-1].hash if links else "",
        attestations=tuple(attested[definition] for definition in sorted(attested)),
        tags=tuple(tags[name] for name in sorted(tags)),
        hashes=tuple(link.hash for link in links),
        adjustments=current.adjustments,
        limit=current.limit,
    )


def _link(host: HostName, sequence: int, data: bytes, key: TeamKey | None) -> tuple[Link, str]:
    try:
        file = decoded(data, _File)
        raw = bytes(file.record)
        if _digest(raw) != file.hash:
            raise _altered(host, sequence, "its content does not match its hash")
        version = decoded(raw, _Version).version
        if version != VERSION:
            raise IntegrityError(
                "record-version",
                f"{host}: record {sequence} of the ledger has format {version}",
                hint="Another version of Underway wrote it: upgrade this one.",
            )
        record = decoded(raw, _Record)
        body: Body = decoded(bytes(record.body), _KINDS[record.kind])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _altered(host, sequence, str(error)) from error
    if record.sequence != sequence:
        raise _altered(host, sequence, f"it says that it is record {record.sequence}")
    return Link(sequence, file.hash, body, _standing(raw, file.signature, key)), record.previous


def _standing(record: bytes, signature: str, key: TeamKey | None) -> Standing:
    if not signature:
        return Standing.UNSIGNED
    if key is None:
        return Standing.UNCHECKED
    return Standing.SIGNED if key.has_signed(record, signature) else Standing.MISSIGNED


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
