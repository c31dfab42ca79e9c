"""The commands of image snapshots: take, list, bring back, remove."""

from pathlib import Path

import click

from underway import api
from underway.cli.console import Console
from underway.cli.options import SERVICE, WAIT, command
from underway.cli.release_commands import INTERRUPT
from underway.cli.working import require_yes, use_session
from underway.model.names import ServiceName
from underway.report.line import good, line
from underway.report.snapshot_text import snapshots_document, snapshots_lines
from underway.wiring.options import Reading


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def image() -> None:
    """Keep containers' file systems as images, and bring them back."""


@image.group(context_settings={"help_option_names": ["-h", "--help"]})
def snapshot() -> None:
    """A container's file system as an image: to keep, to carry, to go back to."""


@command()
@SERVICE
@click.option("--to", "file", default="", metavar="FILE", help="Write it into a file, too.")
@click.option(
    "--with-backup", is_flag=True, help="Make a restore point of the service's volumes beside it."
)
@click.option("--without-data", is_flag=True, help="Leave what is in volumes, on purpose.")
@WAIT
def create(
    console: Console,
    *,
    service: str,
    file: str,
    with_backup: bool,
    without_data: bool,
    wait_s: float,
) -> None:
    """Take the file system of a running container of SERVICE.

    It keeps command, entrypoint, environment, ports, user, working directory, labels and health
    check. Sensitive values are left out, and so are secret files. What is in volumes is in no
    image: it is taken along as a restore point, or left on purpose. The container is frozen only
    while its engine notes what differs from its image.
    """
    reading = Reading.WHOLE if with_backup else Reading.BEST
    options = api.snapshotting.SnapshotOptions(
        Path(file).absolute() if file else None, with_backup, without_data, wait_s
    )
    with use_session(console, is_changing=True, reading=reading) as session:
        made = api.snapshotting.create(session, ServiceName(service), options)
        now = session.clock.now()
    if console.options.is_json:
        console.print_document(snapshots_document(session.app, [made]))
    else:
        console.print(snapshots_lines([made], now))


@command()
def list_snapshots(console: Console) -> None:
    """List the app's image snapshots, newest first."""
    with use_session(console, is_quiet=True) as session:
        found = api.snapshotting.snapshots(session)
        now = session.clock.now()
    if console.options.is_json:
        console.print_document(snapshots_document(session.app, found))
    else:
        console.print(snapshots_lines(found, now))


@command()
@click.argument("name", metavar="NAME|FILE")
@INTERRUPT
@WAIT
def restore(console: Console, *, name: str, allow_interruption: bool, wait_s: float) -> None:
    """Bring a snapshot to its service, as a deploy does.

    The release that runs gets this image for the snapshot's service, as a release of its own:
    probed, behind the proxy, and taken back if it fails. Data in volumes stays as it is. A FILE is
    brought onto the hosts first.
    """
    with use_session(console, is_changing=True, reading=Reading.BEST) as session:
        is_file = "/" in name or Path(name).is_file()
        chosen = (
            api.snapshotting.bring(session, Path(name))
            if is_file
            else api.snapshotting.named(session, name)
        )
        result = api.snapshotting.restore(
            session, chosen, allow_interruption=allow_interruption, wait_s=wait_s
        )
    if console.options.is_json:
        console.print_run("image snapshot restore", session.app)
    else:
        console.print([line(good("done"), f": release {result.release.number} is {chosen.name}")])


@command()
@click.argument("name")
def remove(console: Console, *, name: str) -> None:
    """Remove a snapshot from the hosts.

    It asks first; --yes answers. One that a running release is made of is refused.
    """
    with use_session(console, is_changing=True) as session:
        chosen = api.snapshotting.named(session, name)
        require_yes(console, f"Remove {chosen.name}? Only a file of it brings it back.")
        api.snapshotting.remove(session, chosen)
    if console.options.is_json:
        console.print_run("image snapshot remove", session.app)
    else:
        console.print([line(good("done"), f": {chosen.name} is removed")])


for _name, _command in (
    ("create", create),
    ("list", list_snapshots),
    ("restore", restore),
    ("remove", remove),
):
    _command.name = _name
    snapshot.add_command(_command)
