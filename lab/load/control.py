"""The generator as a process of its own: one order on standard input, then commands, one per line.

Each command is answered by one line of JSON. The end of standard input ends the load: a test that
was killed leaves nothing running.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from typing import Any

from lab.load.generator import Generator
from lab.load.order import Order
from lab.load.run import Run

LINE_LIMIT_BYTES = 1 << 24


async def _commands() -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=LINE_LIMIT_BYTES)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


def _say(values: dict[str, Any]) -> None:
    print(json.dumps(values), flush=True)


def _mark(run: Run, command: dict[str, Any]) -> None:
    markers = run.tally.markers
    match command:
        case {"do": "expect", "versions": versions}:
            markers.expect(frozenset(versions))
        case {"do": "retire", "replicas": replicas}:
            for replica in replicas:
                markers.retire(replica)
        case {"do": "cut", "target": target, "begins": begins}:
            markers.cut(target, begins=begins)
        case {"do": "drain", "limit_s": limit_s}:
            markers.drain(limit_s)
        case _:
            raise ValueError(f"unknown command {command}")


async def control() -> None:
    """Serve one order from standard input to its end."""
    allow_many_connections()
    reader = await _commands()
    run = Run(Order.from_json(json.loads(await reader.readline())))
    work = asyncio.create_task(Generator(run).generate())
    _say({"running": True})
    while line := await reader.readline():
        command = json.loads(line)
        if command["do"] == "stop":
            reason = run.ended_by
            run.stop("stop", grace_s=command["grace_s"])
            await work
            _say({"early": reason, "result": run.tally.result(run.ended_by).to_json()})
            return
        if command["do"] == "snapshot":
            _say({"result": run.tally.result(run.ended_by).to_json()})
        else:
            _mark(run, command)
            _say({"marked": True})
    run.stop("the test is gone")


def allow_many_connections() -> None:
    """Raise this process's limit on open files to what the system allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
