"""The commands of backups: make, look at, prove, bring back, tidy up."""

from typing import TYPE_CHECKING

import click

from underway import api
from underway.cli.console import Console
from underway.cli.options import WAIT, command, read_moment
from underway.cli.readiness_commands import drill, kit
from underway.cli.schedule_commands import metrics, run, status, timer
from underway.cli.working import require_yes, use_session
from underway.model.names import VolumeName
from underway.report.backup_documents import (
    coverage_document,
    point_document,
    points_document,
    retention_document,
)
from underway.report.backup_text import (
    coverage_lines,
    created_lines,
    intent_lines,
    point_lines,
    points_lines,
    proven_lines,
    restored_lines,
    retention_lines,
)
from underway.report.drill_text import kit_lines
from underway.report.line import good, line
from underway.wiring.options import Reading

if TYPE_CHECKING:
    from underway.api.restore_points import Choice

UNCOVERED = 4
POINT = click.argument("point", default="latest")
AT = click.option(
    "--at",
    "at_s",
    default="",
    callback=read_moment,
    metavar="TIME",
    help='The newest point of that time or before: "yesterday 18:00", 2026-03-01T14:05, 2h.',
)
VOLUMES = click.option(
    "--volume",
    "volumes",
    multiple=True,
    metavar="VOLUME",
    help="Only this volume; may be repeated.",
)


def chosen(point: str, at_s: float) -> "Choice":
    """The point that was asked for, by name or by time."""
    if at_s and point != "latest":
        message = "a point is named, and a time given: which of the two?"
        raise click.UsageError(message)
    return api.restore_points.Choice(point, at_s)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def backup() -> None:
    """Back up the app's data, and bring it back.

    A backup is made while the application serves. It is complete or not listed at all.
    """


@command()
def init(console: Console) -> None:
    """Make the repository that the file names.

    Once per repository; `backup create` never makes one, so that a disk that is not mounted is
    noticed. One that is there already is left as it is. Then it prints the recovery kit, which
    `backup kit` prints again.
    """
    with use_session(console, is_changing=True, reading=Reading.WHOLE) as session:
        is_new = api.backing_up.initialise(session)
        kit_page = kit_lines(api.drilling.kit(session))
    if console.options.is_json:
        console.print_run("backup init", session.app)
    else:
        text = ": the repository was made" if is_new else ": the repository is there, and opens"
        console.print([line(good("done"), text), line(), *kit_page])


@command()
@VOLUMES
@click.option(
    "--adopt",
    is_flag=True,
    help="Although the repository's points are of hosts that these know nothing of.",
)
@WAIT
def create(console: Console, *, volumes: tuple[str, ...], adopt: bool, wait_s: float) -> None:
    """Back up now, while the application serves.

    All volumes together make one restore point, which exists once its manifest is written, last.
    Hosts that were deployed anew only read a repository until they restored from it, or --adopt
    says that its history goes on here: an empty database must not push good points out.
    """
    with use_session(console, is_changing=True, reading=Reading.WHOLE) as session:
        only = frozenset(map(VolumeName, volumes))
        manifest = api.backing_up.create(session, only=only, adopts=adopt, wait_s=wait_s)
    if console.options.is_json:
        console.print_document(point_document(manifest))
    else:
        console.print(created_lines(manifest))


@command()
def list_points(console: Console) -> None:
    """List complete restore points, newest first."""
    with use_session(console, is_quiet=True, reading=Reading.WHOLE) as session:
        found = api.restore_points.points(session)
        now = session.clock.now()
    if console.options.is_json:
        console.print_document(points_document(session.app, found))
    else:
        console.print(points_lines(found, now))


@command()
@POINT
@AT
def show(console: Console, *, point: str, at_s: float) -> None:
    """Show what is in a restore point.

    POINT is an id, the beginning of one, or `latest`.
    """
    with use_session(console, is_quiet=True, reading=Reading.WHOLE) as session:
        manifest = api.restore_points.show(session, chosen(point, at_s))
    if console.options.is_json:
        console.print_document(point_document(manifest))
    else:
        console.print(point_lines(manifest))


@command()
@POINT
@AT
@VOLUMES
@click.option(
    "--as", "beside", default="", metavar="NAME", help="Beside the running ones: NAME_VOLUME."
)
@click.option(
    "--undo", is_flag=True, help="Back to the volumes before the restore, after a safety backup."
)
@WAIT
def restore(
    console: Console,
    *,
    point: str,
    at_s: float,
    volumes: tuple[str, ...],
    beside: str,
    undo: bool,
    wait_s: float,
) -> None:
    """Bring a restore point back.

    It fills new volumes, compares them with the manifest, and moves every service that mounts them
    there as a deploy would. The volumes before stay. It asks first, and says what is lost: what was
    written since the point; --yes answers.
    """
    if undo:
        _undo(console, wait_s)
        return
    with use_session(console, is_changing=True, reading=Reading.WHOLE) as session:
        only = frozenset(map(VolumeName, volumes))
        intent = api.restoring.intend(session, chosen(point, at_s), only=only, beside=beside)
        plan = intent.plan
        if not beside:
            console.show(intent_lines(session.app, plan.lost, plan.services, plan.remarks))
            require_yes(console, f"Bring {intent.manifest.point} back?")
        api.restoring.restore(session, intent, wait_s=wait_s)
    if console.options.is_json:
        console.print_run("backup restore", session.app)
    else:
        made = [(step.copy.volume, step.physical) for step in plan.steps]
        console.print(restored_lines(intent.manifest.point, made, beside=bool(beside)))


def _undo(console: Console, wait_s: float) -> None:
    with use_session(console, is_changing=True, reading=Reading.WHOLE) as session:
        ground = api.backing_up.ground_of(session)
        before = api.restoring.replaced(ground)
        lost = [f"{one.volume}: what was written since the restore" for one in before]
        console.show(intent_lines(session.app, lost, (), ("a backup of it is made first",)))
        require_yes(console, "Go back to the volumes before the restore?")
        api.restoring.undo(session, ground, wait_s=wait_s)
    if console.options.is_json:
        console.print_run("backup restore", session.app)
    else:
        text = ": the volumes before the restore serve again"
        shown = [line(f"  {one.volume}: {one.physical}") for one in before]
        console.print([line(good("done"), text), *shown])


@command()
@POINT
@AT
@click.option("--read-data", is_flag=True, help="Read every byte of the repository first.")
@WAIT
def verify(console: Console, *, point: str, at_s: float, read_data: bool, wait_s: float) -> None:
    """Prove that a restore point comes back.

    Restores it into throw-away volumes apart from all networks, has databases check what they took
    back, compares with the manifest, and records beside the point what it came to. What serves is
    not touched.
    """
    with use_session(console, is_changing=True, reading=Reading.WHOLE) as session:
        manifest, proof = api.proving.verify(
            session, chosen(point, at_s), reads_all=read_data, wait_s=wait_s
        )
        now = session.clock.now()
    if console.options.is_json:
        console.print_run("backup verify", session.app)
    else:
        console.print(proven_lines(manifest, proof, now))


@command()
@click.option("--dry-run", is_flag=True, help="Show what would go, and change nothing.")
@click.option("--force", is_flag=True, help="Although the newest point shrank by half.")
@WAIT
def prune(console: Console, *, dry_run: bool, force: bool, wait_s: float) -> None:
    """Forget points that no `keep` rule keeps.

    Only complete points count, and so many as `floor` says stay in any case. What interrupted
    backups left goes too. If the newest point is less than half of the one before it, nothing is
    forgotten without --force.
    """
    with use_session(console, is_changing=not dry_run, reading=Reading.WHOLE) as session:
        if dry_run:
            chosen = api.keeping.plan_pruning(session, is_forced=force)
        else:
            chosen = api.keeping.prune(session, is_forced=force, wait_s=wait_s)
    if console.options.is_json:
        console.print_document(retention_document(session.app, chosen, is_done=not dry_run))
    else:
        console.print(retention_lines(chosen, is_done=not dry_run))


@command()
@click.argument("point")
@WAIT
def forget(console: Console, *, point: str, wait_s: float) -> None:
    """Forget one restore point.

    It asks first; --yes answers. So many as `floor` says stay in any case.
    """
    with use_session(console, is_changing=True, reading=Reading.WHOLE) as session:
        found = api.restore_points.show(session, chosen(point, 0)).point
        require_yes(console, f"Forget {found}? No command brings it back.")
        api.keeping.forget(session, found, wait_s=wait_s)
    if console.options.is_json:
        console.print_run("backup forget", session.app)
    else:
        console.print([line(good("done"), f": {found} is forgotten")])


@command()
def coverage(console: Console) -> int:
    """Tell of every volume how it is backed up.

    Exit code 4 where a volume is not: a database without a declaration, a service that is down.
    """
    with use_session(console, is_quiet=True, reading=Reading.WHOLE) as session:
        found = api.backing_up.coverage(session)
    if console.options.is_json:
        console.print_document(coverage_document(session.app, found))
    else:
        console.print(coverage_lines(found))
    return 0 if all(one.is_covered for one in found) else UNCOVERED


_ALL = (
    ("init", init),
    ("create", create),
    ("list", list_points),
    ("show", show),
    ("verify", verify),
    ("restore", restore),
    ("coverage", coverage),
    ("status", status),
    ("run", run),
    ("metrics", metrics),
    ("timer", timer),
    ("prune", prune),
    ("forget", forget),
    ("kit", kit),
    ("drill", drill),
)
for _name, _command in _ALL:
    _command.name = _name
    backup.add_command(_command)
