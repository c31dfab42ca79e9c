"""The command line: `python -m lab up|list|down|images|fault`."""

import argparse
import json
import sys
from collections.abc import Sequence

from lab.command import require_root
from lab.engine_roots import DEFAULT_ENGINE, ENGINES
from lab.errors import LabError
from lab.fault_cli import add_fault_commands
from lab.images import IMAGES, registry_seed
from lab.laboratory import DEFAULT_HOSTS, DEFAULT_NAME, Laboratory, down, down_all, laboratories


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 usage."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="bring a laboratory up, or what is missing of it")
    up.add_argument("--hosts", type=int, default=DEFAULT_HOSTS, metavar="N")
    up.add_argument("--engine", choices=sorted(ENGINES), default=DEFAULT_ENGINE)
    up.add_argument("--no-live-restore", action="store_true", help="as Swarm needs it")
    up.add_argument("--name", default=DEFAULT_NAME)
    up.add_argument("--json", action="store_true")
    up.set_defaults(run=_up)
    listing = commands.add_parser("list", help="show the laboratories")
    listing.add_argument("--json", action="store_true")
    listing.set_defaults(run=_list)
    images = commands.add_parser("images", help="build the base images into the cache")
    images.set_defaults(run=_images)
    add_fault_commands(commands)
    down_ = commands.add_parser("down", help="take a laboratory down without a trace")
    which = down_.add_mutually_exclusive_group()
    which.add_argument("--name", default=DEFAULT_NAME)
    which.add_argument("--all", action="store_true", help="every one, and what is left of any")
    down_.set_defaults(run=_down)
    return parser


def _up(options: argparse.Namespace) -> None:
    laboratory = Laboratory.up(
        options.name,
        options.hosts,
        engine=options.engine,
        live_restore=not options.no_live_restore,
    )
    if options.json:
        print(json.dumps(laboratory.describe(), indent=2))
    else:
        _show(laboratory)


def _list(options: argparse.Namespace) -> None:
    found = laboratories()
    if options.json:
        print(json.dumps([laboratory.describe() for laboratory in found], indent=2))
        return
    for laboratory in found:
        _show(laboratory)


def _images(_options: argparse.Namespace) -> None:
    require_root()
    print(registry_seed())
    for image in IMAGES:
        print(f"  {image.key}: {image.reference}")


def _down(options: argparse.Namespace) -> None:
    if options.all:
        for name in down_all():
            print(f"{name} is down")
    else:
        down(options.name)


def _show(laboratory: Laboratory) -> None:
    document = laboratory.describe()
    print(f"{document['name']}: engine {document['engine']}, registry {laboratory.registry}")
    for host in document["hosts"]:
        state = "answers" if host["answers"] else "does not answer"
        print(f"  {host['name']}  {host['address']}  {host['url']}  {state}")
    print(f"  export PATH={document['tools']['path']}:$PATH")
    print(f"  export DOCKER_CONFIG={document['tools']['docker_config']}")
