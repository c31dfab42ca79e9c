"""What the file says about backups, as a policy; nothing of it is asked of a host."""

import re
from collections.abc import Mapping
from typing import Final

from underway.compose.backup_wishes import (
    BackupSourceWish,
    BackupWish,
    KeepWish,
    MailWish,
    NotifyWish,
    VolumeBackupWish,
)
from underway.compose.canonical import mapping_of
from underway.compose.notebook import Notebook, refuse
from underway.compose.schedules import schedule_of
from underway.compose.wishes import AppWish
from underway.compose.x_underway import KEY, command_of, volume_wish, wished_duration_s
from underway.model.backup import (
    BackupPolicy,
    Consistency,
    KeepRule,
    MailPolicy,
    NotifyPolicy,
    SensitiveSource,
    SourceKind,
    VolumePolicy,
)
from underway.model.names import VolumeName
from underway.model.schedule import Schedule

_REMOTE: Final = ("s3:", "rest:", "azure:", "gs:", "b2:", "swift:")
_VARIABLE: Final = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")


def backup_of(wish: AppWish, notebook: Notebook) -> BackupPolicy | None:
    """The policy, or None where the file names no repository; raises ConfigurationError."""
    volumes = tuple(
        _volume(str(name), found, notebook)
        for name, definition in sorted(mapping_of(notebook.canonical.get("volumes")).items())
        if (found := volume_wish(mapping_of(definition), name, notebook.positions).backup)
        is not None
    )
    if wish.backup is None:
        return None
    said = wish.backup
    place = notebook.place(KEY, "backup")
    return BackupPolicy(
        repository=_repository(said, notebook),
        password=_source(said.password, ("password",), notebook),
        credentials=tuple(
            (_variable(name, notebook), _source(source, ("credentials", name), notebook))
            for name, source in sorted(said.credentials.items())
        ),
        volumes=volumes,
        keep=_keep(said.keep or KeepWish(), place),
        freeze_s=wished_duration_s(said.freeze, place),
        place=place,
        every=_schedule(said.every, notebook, KEY, "backup", "every"),
        verify=schedule_of(said.verify.every, notebook.place(KEY, "backup", "verify", "every"))
        if said.verify
        else None,
        notify=_notify(said.notify, notebook) if said.notify else None,
        before_deploy=said.before_deploy,
    )


def _repository(said: BackupWish, notebook: Notebook) -> str:
    if not said.repository.startswith(("/", *_REMOTE)) or said.repository == "/":
        refuse(
            "backup-repository-invalid",
            f"`{said.repository}` is no place for backups",
            cause="it is neither an absolute path nor one of restic's remote places",
            place=notebook.place(KEY, "backup", "repository"),
            hint="Give an absolute directory of the host, or restic's form of a remote place: "
            "s3:https://server/bucket, rest:https://server/.",
        )
    return said.repository


def _variable(name: str, notebook: Notebook) -> str:
    if not _VARIABLE.match(name) or name.startswith(("RESTIC_", "LD_", "UNDERWAY_")):
        refuse(
            "x-underway-invalid",
            f"`{name}` is no variable that a store reads",
            place=notebook.place(KEY, "backup", "credentials", name),
            hint="Name the store's own, such as AWS_ACCESS_KEY_ID.",
        )
    return name


def _source(wish: BackupSourceWish, path: tuple[str, ...], notebook: Notebook) -> SensitiveSource:
    place = notebook.place(KEY, "backup", *path)
    given = [kind for kind in SourceKind if getattr(wish, kind.value)]
    if len(given) != 1:
        refuse(
            "x-underway-invalid",
            f"`{'.'.join((KEY, 'backup', *path))}` needs exactly one of command, file, variable",
            place=place,
            hint='Such as `{command: "pass show libra/backup"}`; the value never stands in a file.',
        )
    kind = given[0]
    words = (
        command_of(wish.command, place)
        if kind is SourceKind.COMMAND
        else (str(getattr(wish, kind.value)),)
    )
    return SensitiveSource(kind, words, wished_duration_s(wish.timeout, place))


def _notify(wish: NotifyWish, notebook: Notebook) -> NotifyPolicy:
    place = notebook.place(KEY, "backup", "notify")
    command = command_of(wish.command, place) if wish.command else ()
    webhook = _source(wish.webhook, ("notify", "webhook"), notebook) if wish.webhook else None
    mail = _mail(wish.mail, notebook) if wish.mail else None
    if not (command or webhook or mail):
        refuse(
            "x-underway-invalid",
            "`notify` tells nobody",
            place=place,
            hint="Name a `webhook`, a `mail` or a `command`.",
        )
    return NotifyPolicy(command, webhook, mail)


def _mail(wish: MailWish, notebook: Notebook) -> MailPolicy:
    scheme, _, rest = wish.server.partition("://")
    host, _, port = rest.partition(":")
    source = wish.password
    if bool(wish.user) != (source is not None):
        refuse(
            "x-underway-invalid",
            "`mail` has a user without a password, or a password without a user",
            place=notebook.place(KEY, "backup", "notify", "mail"),
            hint="Name both, or neither where the server asks for none.",
        )
    return MailPolicy(
        to=(wish.to,) if isinstance(wish.to, str) else tuple(wish.to),
        sender=wish.sender,
        host=host,
        port=int(port or (465 if scheme == "smtps" else 587)),
        is_tls_from_start=scheme == "smtps",
        user=wish.user,
        password=_source(source, ("notify", "mail", "password"), notebook) if source else None,
    )


def _schedule(text: str, notebook: Notebook, *path: str) -> Schedule | None:
    return schedule_of(text, notebook.place(*path)) if text else None


def _keep(wish: KeepWish, place: str) -> KeepRule:
    return KeepRule(
        last=wish.last,
        hourly=wish.hourly,
        daily=wish.daily,
        weekly=wish.weekly,
        monthly=wish.monthly,
        yearly=wish.yearly,
        within_s=wished_duration_s(wish.within, place),
        floor=wish.floor,
    )


def _volume(name: str, wish: VolumeBackupWish | bool, notebook: Notebook) -> VolumePolicy:  # noqa: FBT001
    place = notebook.place("volumes", name, KEY, "backup")
    if isinstance(wish, bool):
        consistency = Consistency.FILES if wish else Consistency.NONE
        return VolumePolicy(VolumeName(name), consistency, place=place)
    commands = {
        key: command_of(value, place)
        for key in ("dump", "restore", "before", "after")
        if (value := getattr(wish, key))
    }
    consistency = Consistency(wish.consistency)
    _check_commands(name, consistency, commands, place)
    return VolumePolicy(
        volume=VolumeName(name),
        consistency=consistency,
        service=wish.service,
        dump=commands.get("dump", ()),
        restore=commands.get("restore", ()),
        before=commands.get("before", ()),
        after=commands.get("after", ()),
        timeout_s=wished_duration_s(wish.timeout, place),
        keep=_keep(wish.keep, place) if wish.keep else None,
        place=place,
        every=_schedule(wish.every, notebook, "volumes", name, KEY, "backup", "every"),
    )


def _check_commands(
    name: str, consistency: Consistency, commands: Mapping[str, tuple[str, ...]], place: str
) -> None:
    """A command that its consistency never runs is a mistake, and so is half a pair."""
    allowed = {Consistency.DUMP: {"dump", "restore"}, Consistency.QUIESCE: {"before", "after"}}
    for key in sorted(set(commands) - allowed.get(consistency, set())):
        refuse(
            "x-underway-invalid",
            f"volume `{name}`: `{key}` has no effect with `consistency: {consistency}`",
            place=place,
            hint="Remove it, or choose the consistency that runs it (dump, quiesce).",
        )
    needed = {Consistency.QUIESCE: {"before", "after"}}.get(consistency, set())
    if consistency is Consistency.DUMP and commands:
        needed = {"dump", "restore"}
    for key in sorted(needed - set(commands)):
        refuse(
            "x-underway-invalid",
            f"volume `{name}`: `consistency: {consistency}` needs `{key}` too",
            place=place,
            hint="A backup that cannot be read back, or a stillness that nobody ends, is none.",
        )
