"""`python3 -m lab.load`: a load from the command line; exit status 0 only if nothing was lost."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from lab.load.control import allow_many_connections, control
from lab.load.generator import Generator
from lab.load.order import Bounds, Mix, Order, Target
from lab.load.profile import PROFILES, Profile, libra
from lab.load.run import Run

if TYPE_CHECKING:
    from lab.load.result import Result


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m lab.load", description=__doc__)
    parser.add_argument("--target", action="append", required=True, metavar="[NAME=]HOST:PORT")
    parser.add_argument("--host", required=True, help="value of the Host header")
    parser.add_argument("--profile", choices=[*PROFILES, "libra"], default="beacon")
    parser.add_argument("--duration", type=float, default=10.0, metavar="SECONDS")
    parser.add_argument("--max-requests", type=int, default=Bounds().requests, metavar="N")
    names = ", ".join(f"{name}={value}" for name, value in asdict(Mix()).items())
    parser.add_argument("--mix", action="append", default=[], metavar="NAME=VALUE", help=names)
    parser.add_argument("--expect", action="append", default=[], metavar="VERSION")
    parser.add_argument("--matter", metavar="ID", help="the sample application's matter to fill")
    parser.add_argument("--token-file", type=Path, help="file with a session's bearer token")
    parser.add_argument("--json", action="store_true", help="one line of JSON on standard output")
    return parser


def _mix(settings: list[str]) -> Mix:
    known = asdict(Mix())
    for setting in settings:
        name, _, value = setting.partition("=")
        if name not in known:
            raise SystemExit(f"--mix: {name!r} is none of {', '.join(known)}")
        known[name] = type(known[name])(value)
    return Mix(**known)


def _profile(given: argparse.Namespace) -> Profile:
    if given.profile in PROFILES:
        return PROFILES[given.profile]
    if not given.matter or not given.token_file:
        raise SystemExit("--profile libra needs --matter and --token-file")
    return libra(given.matter, given.token_file.read_text().strip())


async def _run(order: Order, expected: list[str]) -> Result:
    allow_many_connections()
    run = Run(order)
    if expected:
        run.tally.markers.expect(frozenset(expected))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, run.stop, "a signal")
    await Generator(run).generate()
    return run.tally.result(run.ended_by)


def main(arguments: list[str]) -> int:
    """Run one load; returns 0 if nothing was lost or stale, 1 otherwise."""
    if arguments == ["--controlled"]:
        asyncio.run(control())
        return 0
    given = _parser().parse_args(arguments)
    order = Order(
        targets=tuple(Target.parse(text) for text in given.target),
        host=given.host,
        profile=_profile(given),
        mix=_mix(given.mix),
        bounds=Bounds(given.duration, given.max_requests),
    )
    result = asyncio.run(_run(order, given.expect))
    print(result.to_json() if given.json else result.table())
    return 1 if result.lost or result.stale or not result.requests else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
