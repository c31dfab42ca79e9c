"""What restic says when it fails, told as errors of `underway.errors`."""

from typing import Final

from underway.adapters.restic.words import OPENING_S, SILENCE
from underway.adapters.sidecar import JobResult
from underway.errors import (
    EngineError,
    IntegrityError,
    LockedError,
    RefusedError,
    StepFailedError,
    UnderwayError,
    UnreachableError,
)
from underway.model.names import HostName

_MISSING: Final = 10
_LOCKED: Final = 11
_PASSWORD: Final = 12
_TOO_LONG: Final = 73
_NOT_FROZEN: Final = (71, 72)
_DAMAGED: Final = (
    "repository contains errors", "hash mismatch", "ciphertext verification failed",
    "does not match", "invalid data returned", "is damaged", "unexpected pack",
)  # fmt: skip
_SILENT: Final = (
    "connection refused", "no such host", "i/o timeout", "no route to host", "connection reset",
    "network is unreachable", "tls:", "x509",
)  # fmt: skip
_UNREACHABLE: Final = (
    *_SILENT, "accessdenied", "access denied", "invalidaccesskeyid", "signaturedoesnotmatch",
    "unable to start the sftp", "permission denied",
)  # fmt: skip


def refusal_of(host: HostName, what: str, result: JobResult, *, place: str = "") -> UnderwayError:
    """The error for a program that failed; `place` is the repository as the file says it."""
    text = "\n".join(result.errors).lower()
    told = result.errors[-5:]
    # restic asks whether there is a repository also where nobody answered it.
    nobody_answers = any(sign in text for sign in _SILENT)
    asks = "is there a repository at" in text and not nobody_answers
    if result.exit_code == SILENCE:
        return _unreachable(host, what, f"no answer within {OPENING_S} s", told)
    if result.exit_code == _MISSING or asks:
        return RefusedError(
            "backup-repository-missing",
            f"{host}: there is no repository at the place that the file names",
            cause=place or _last(result),
            hint="check the place (a disk that is not mounted?), or make it: underway backup init",
        )
    if result.exit_code == _PASSWORD or "wrong password or no key found" in text:
        return RefusedError(
            "backup-password",
            f"{host}: the repository does not open with this password",
            hint="give the password that it was made with: nothing else opens it",
        )
    if result.exit_code == _LOCKED or "repository is already locked" in text:
        return LockedError(
            "backup-repository-locked",
            f"{host}: another run works on the repository",
            cause=_last(result),
            hint="wait until it ends; what a dead run left is removed by the next `backup prune`",
        )
    return _of_work(host, what, result, text, told)


def _of_work(
    host: HostName, what: str, result: JobResult, text: str, told: tuple[str, ...]
) -> UnderwayError:
    if result.exit_code == _TOO_LONG or result.exit_code in _NOT_FROZEN:
        return _of_freeze(host, what, result)
    if "no space left on device" in text or "disk quota exceeded" in text:
        return EngineError(
            "no-space",
            f"{host}: {what}: no space left for the backup",
            hint="free space where the repository stands (`underway backup prune`), or move it",
        )
    if any(sign in text for sign in _DAMAGED):
        return IntegrityError(
            "backup-damaged",
            f"{host}: {what}: the repository is damaged",
            cause=_last(result),
            hint="what is not damaged restores still; look at the disk, and back up elsewhere",
            detail=told,
        )
    if any(sign in text for sign in _UNREACHABLE):
        return _unreachable(host, what, _last(result), told)
    return StepFailedError(
        "backup-store-failed",
        f"{host}: {what}: the store's program ended with {result.exit_code}",
        cause=_last(result),
        hint="nothing false is listed; run it again when the cause is gone",
        detail=told,
    )


def _unreachable(host: HostName, what: str, why: str, told: tuple[str, ...]) -> UnreachableError:
    return UnreachableError(
        "backup-store-unreachable",
        f"{host}: {what}: the repository cannot be reached",
        cause=why,
        hint="check its address and credentials from that host",
        detail=told,
    )


def _of_freeze(host: HostName, what: str, result: JobResult) -> StepFailedError:
    if result.exit_code == _TOO_LONG:
        return StepFailedError(
            "backup-freeze-too-long",
            f"{host}: {what}: the last pass took longer than the freeze may last",
            hint="raise `freeze`, or choose another consistency; nothing stayed frozen",
        )
    return StepFailedError(
        "backup-freeze-failed",
        f"{host}: {what}: the containers could not be frozen",
        cause=_last(result),
        hint="nothing stayed frozen; the host's engine log tells more",
    )


def _last(result: JobResult) -> str:
    lines = [line.strip() for line in result.errors if line.strip()]
    return lines[-1] if lines else f"status {result.exit_code}"
