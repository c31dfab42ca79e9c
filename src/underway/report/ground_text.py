"""A server that is set up, as text: what is to be done, and what it answers. Pure."""

from collections.abc import Sequence

from underway.model.ground import Ground, GroundCommand
from underway.model.look import Way
from underway.model.names import HostName
from underway.model.snapshot import EngineFacts
from underway.report.line import Line, faint, good, line, strong, warn


def setup_plan_lines(
    host: HostName, ground: Ground, commands: Sequence[GroundCommand]
) -> list[Line]:
    """The commands that would be run as root, each with its reason."""
    system = f"  {ground.system}" if ground.system else ""
    if not commands:
        return [line(good("nothing to do"), f": {host} is set up", faint(system))]
    lines = [line(strong(f"{host}, as root:"), faint(system))]
    lines += [line("  ", one.text, faint(f"  because {one.cause}")) for one in commands]
    return lines


def ready_lines(host: HostName, url: str, facts: EngineFacts, way: Way) -> list[Line]:
    """What the engine answers, and how the file names the host."""
    engine = f"Docker {facts.version}, {facts.os}/{facts.architecture}"
    lines = [line(good("ready"), f": {host} answers", faint(f"  {engine}"))]
    if way is Way.DIAL:
        lines.append(
            line(
                warn("slower: "),
                "its SSH server forbids forwarding (AllowStreamLocalForwarding), so that each "
                "connection is a process there",
            )
        )
    lines.append(line(faint("in the file: "), f'hosts: ["{url}"]'))
    return lines
