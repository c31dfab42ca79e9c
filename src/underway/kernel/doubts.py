"""What a doubt about a history is called, and what ends it. Pure."""

from collections.abc import Sequence
from typing import Final, assert_never

from underway.errors import IntegrityError
from underway.model.history import Doubt, DoubtKind
from underway.model.names import HostName

_ACCEPT: Final = (
    "`--accept-history` of `deploy`, `rollback`, `repair` or `remove` goes on with what is there"
)


def refusal(host: HostName, doubts: Sequence[Doubt]) -> IntegrityError:
    """The error for what is doubted first of a host's history; the others are its details."""
    first = doubts[0]
    place = f"{host}:ledger/records/{first.sequence:06}.json" if first.sequence else ""
    others = tuple(_message(host, doubt) for doubt in doubts[1:])
    return IntegrityError(
        first.kind.value,
        _message(host, first),
        cause=_cause(first.kind),
        hint=_hint(first.kind),
        place=place,
        detail=others,
    )


def _message(host: HostName, doubt: Doubt) -> str:
    match doubt.kind:
        case DoubtKind.CONFLICT:
            return f"{host}: record {doubt.sequence} gives {doubt.what} another content"
        case DoubtKind.KEYLESS:
            return f"{host}: the records are signed, and there is no team key to check them with"
        case DoubtKind.MISSIGNED:
            return f"{host}: record {doubt.sequence} is not signed with the team key"
        case DoubtKind.UNSIGNED:
            return f"{host}: record {doubt.sequence} is not signed"
        case DoubtKind.UNKNOWN:
            return f"{host}: {doubt.what} that this machine knows"
        case _:
            assert_never(doubt.kind)


def _cause(kind: DoubtKind) -> str:
    match kind:
        case DoubtKind.CONFLICT:
            return "a release, or a run that has ended, never changes"
        case DoubtKind.KEYLESS:
            return "whoever goes on without a signature shuts those out who have the key"
        case DoubtKind.MISSIGNED:
            return "another key signed it, or somebody who has none made it up"
        case DoubtKind.UNSIGNED:
            return "somebody without the key wrote it, or the app is older than its `signing`"
        case DoubtKind.UNKNOWN:
            return (
                "the ledger was cut off or written anew, or another machine removed the app and "
                "deployed it again"
            )
        case _:
            assert_never(kind)


def _hint(kind: DoubtKind) -> str:
    match kind:
        case DoubtKind.KEYLESS:
            return "Give the key under x-underway `signing`, as the team's file does."
        case DoubtKind.UNKNOWN:
            return f"Ask who removed it. If that was right, {_ACCEPT}."
        case DoubtKind.UNSIGNED:
            return (
                "Look at `underway history`. If `signing` is new, or the records are right, "
                f"{_ACCEPT}, and signs it."
            )
        case DoubtKind.MISSIGNED | DoubtKind.CONFLICT:
            return (
                "Look at `underway history`, and find out who wrote it. If the key was changed, or "
                f"the records are right, {_ACCEPT}, and signs it."
            )
        case _:
            assert_never(kind)
