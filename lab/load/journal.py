"""Reading back: every acknowledged upload must come back, byte for byte, through every edge."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.load.client import lines_of
from lab.load.outcome import ExchangeError
from lab.load.wire import connect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.load.order import Target
    from lab.load.profile import Profile
    from lab.load.result import Acknowledged

AT_ONCE = 4
TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class ReadBack:
    """How many reads were right, and a line for each that was not."""

    right: int
    wrong: tuple[str, ...]


def read_back(
    journal: Sequence[Acknowledged], targets: Sequence[Target], *, host: str, profile: Profile
) -> ReadBack:
    """Read every acknowledged upload through every target and compare its SHA-256.

    The path is the profile's `read_path` with `{id}`. Raises ValueError where there is nothing to
    compare, because such a check would pass whatever was lost.
    """
    if not journal or not targets or not profile.read_path:
        raise ValueError("nothing to read back: no acknowledged upload, no target or no read path")
    return asyncio.run(_read_all(journal, targets, host, profile))


async def _read_all(
    journal: Sequence[Acknowledged], targets: Sequence[Target], host: str, profile: Profile
) -> ReadBack:
    gate = asyncio.Semaphore(AT_ONCE)
    headers = f"Host: {host}\r\n{lines_of(profile.headers + profile.upload.headers)}"

    async def one(write: Acknowledged, target: Target) -> str:
        path = profile.read_path.format(id=write.identifier)
        head = f"GET {path} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n"
        async with gate:
            wrong = await _difference(write, target, head)
        return wrong and f"{write.identifier} through {target.name}: {wrong}"

    reads = [one(write, target) for write in journal for target in targets]
    wrong = tuple(line for line in await asyncio.gather(*reads) if line)
    return ReadBack(len(reads) - len(wrong), wrong)


async def _difference(write: Acknowledged, target: Target, head: str) -> str:
    """Return what is wrong with one read, or nothing."""
    try:
        connection = await connect(target.host, target.port)
        try:
            async with asyncio.timeout(TIMEOUT_S):
                response = await connection.exchange(head.encode())
        finally:
            connection.close()
    except (ExchangeError, TimeoutError) as error:
        return str(error) or "timed out"
    if response.status != 200:  # noqa: PLR2004 (OK)
        return f"status {response.status}"
    if hashlib.sha256(response.body).hexdigest() != write.sha256:
        return f"{len(response.body)} bytes that differ from the {write.size_bytes} acknowledged"
    return ""
