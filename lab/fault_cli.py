"""The command line of faults: `python -m lab fault engine|host|network|disk|registry|heal`."""

import argparse
from collections.abc import Callable

from lab.faults import Faults
from lab.laboratory import DEFAULT_NAME, Laboratory
from lab.network_faults import Direction

_MIB = 1 << 20

_OF_A_HOST: dict[str, dict[str, Callable[[Faults, argparse.Namespace], None]]] = {
    "engine": {
        "kill": lambda faults, options: faults.kill_engine(options.host),
        "stop": lambda faults, options: faults.stop_engine(options.host),
        "start": lambda faults, options: faults.start_engine(options.host),
        "restart": lambda faults, options: faults.restart_engine(options.host),
        "pause": lambda faults, options: faults.pause_engine(options.host),
        "resume": lambda faults, options: faults.resume_engine(options.host),
    },
    "host": {
        "crash": lambda faults, options: faults.crash_host(options.host),
        "boot": lambda faults, options: faults.boot_host(options.host),
    },
    "network": {
        "cut": lambda faults, options: faults.cut(
            options.host, Direction(options.direction), peer=options.peer
        ),
        "loss": lambda faults, options: faults.lose(options.host, options.percent),
        "delay": lambda faults, options: faults.delay(options.host, options.ms),
        "mend": lambda faults, options: faults.mend_network(options.host),
    },
    "disk": {
        "fill": lambda faults, options: faults.fill_disk(
            options.host, leave_bytes=options.leave_mib * _MIB
        ),
        "free": lambda faults, options: faults.free_disk(options.host),
    },
}
_OF_THE_REGISTRY: dict[str, Callable[[Faults], None]] = {
    "stop": Faults.stop_registry,
    "start": Faults.start_registry,
    "pause": Faults.pause_registry,
    "resume": Faults.resume_registry,
}


def add_fault_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `fault` and what stands below it to the laboratory's command line."""
    fault = commands.add_parser("fault", help="break something, or mend it")
    fault.add_argument("--name", default=DEFAULT_NAME, help="the laboratory")
    parts = fault.add_subparsers(required=True, metavar="PART")
    for part, actions in _OF_A_HOST.items():
        verbs = parts.add_parser(part).add_subparsers(required=True, metavar="ACTION")
        for verb, action in actions.items():
            parser = verbs.add_parser(verb)
            parser.add_argument("host", help="h1, h2, ... or an address")
            _add_details(parser, part, verb)
            parser.set_defaults(run=_on_host(action))
    verbs = parts.add_parser("registry").add_subparsers(required=True, metavar="ACTION")
    for verb, act in _OF_THE_REGISTRY.items():
        verbs.add_parser(verb).set_defaults(run=_on_laboratory(act))
    parts.add_parser("heal", help="undo every fault").set_defaults(run=_on_laboratory(Faults.heal))


def _add_details(parser: argparse.ArgumentParser, part: str, verb: str) -> None:
    match part, verb:
        case "network", "cut":
            ways = [way.value for way in Direction]
            parser.add_argument("--direction", choices=ways, default="both")
            parser.add_argument("--peer", help="only traffic with this host, `client` or address")
        case "network", "loss":
            parser.add_argument("--percent", type=int, required=True, help="in each direction")
        case "network", "delay":
            parser.add_argument("--ms", type=float, required=True, help="in each direction")
        case "disk", "fill":
            parser.add_argument("--leave-mib", type=int, default=0)
        case _:
            pass


def _on_host(
    action: Callable[[Faults, argparse.Namespace], None],
) -> Callable[[argparse.Namespace], None]:
    return lambda options: action(Faults(Laboratory.get(options.name)), options)


def _on_laboratory(action: Callable[[Faults], None]) -> Callable[[argparse.Namespace], None]:
    return lambda options: action(Faults(Laboratory.get(options.name)))
