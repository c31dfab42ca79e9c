"""The shape of `backup` in `x-underway`; the docstrings are the reference's text."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Command = Annotated[
    str | list[str], Meta(description="A command line, split as a shell does, or its arguments.")
]
Duration = Annotated[
    str,
    Meta(description="A duration such as `30s` or `1m30s`.", pattern=r"^([0-9.]+(ms|s|m|h|d))+$"),
]
Count = Annotated[int, Meta(ge=0)]
Every = Annotated[
    str,
    Meta(
        description="A time (`03:00`) or cron's fields (`0 3 * * 1`), and a zone after it where"
        " it is not UTC (`03:00 Europe/Berlin`)."
    ),
]


class BackupSourceWish(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Where a sensitive value comes from: exactly one of the three."""

    command: Annotated[Command, Meta(description="A command that prints it.")] = ""
    file: Annotated[str, Meta(description="A file of this machine that holds it.")] = ""
    variable: Annotated[str, Meta(description="A variable of the environment that holds it.")] = ""
    timeout: Annotated[Duration, Meta(description="How long the command may take.")] = "60s"


class KeepWish(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Which restore points stay; what one rule keeps, no other removes."""

    last: Annotated[Count, Meta(description="The newest ones.")] = 0
    hourly: Annotated[Count, Meta(description="The newest of each of the last hours.")] = 0
    daily: Annotated[Count, Meta(description="The newest of each of the last days.")] = 7
    weekly: Annotated[Count, Meta(description="The newest of each of the last weeks.")] = 4
    monthly: Annotated[Count, Meta(description="The newest of each of the last months.")] = 12
    yearly: Annotated[Count, Meta(description="The newest of each of the last years.")] = 0
    within: Annotated[Duration, Meta(description="Everything younger than this.")] = "0s"
    floor: Annotated[
        int, Meta(ge=1, description="So many complete points stay, whatever the rest says.")
    ] = 3


class VolumeBackupWish(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """How one volume is backed up."""

    consistency: Annotated[
        Literal["dump", "quiesce", "pause", "files"],
        Meta(description="What makes the copy sound; `files` is copied as it is, and `fuzzy`."),
    ] = "files"
    service: Annotated[
        str, Meta(description="Whose containers run the commands; default: the one that mounts it.")
    ] = ""
    dump: Annotated[
        Command, Meta(description="Prints the backup; default: what suits the image.")
    ] = ""
    restore: Annotated[
        Command, Meta(description="Reads it back, in a fresh container of the service.")
    ] = ""
    before: Annotated[Command, Meta(description="Makes the volume still.")] = ""
    after: Annotated[Command, Meta(description="Ends that, whatever happened.")] = ""
    timeout: Annotated[Duration, Meta(description="How long a command may take.")] = "1h"
    keep: Annotated[
        KeepWish | None, Meta(description="Points with this volume that stay, beside the app's.")
    ] = None
    every: Annotated[Every, Meta(description="When it is backed up, if not when all are.")] = ""


class VerifyWish(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """When the newest restore point is restored for a trial."""

    every: Annotated[Every, Meta(description="When `backup run` verifies it.")]


class MailWish(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A mail, by a server that speaks TLS."""

    to: Annotated[str | list[str], Meta(description="Who gets it.")]
    sender: Annotated[str, Meta(description="Whom it is from.")]
    server: Annotated[
        str,
        Meta(
            description="`smtp://HOST` (port 587, STARTTLS) or `smtps://HOST` (port 465).",
            pattern=r"^smtps?://[A-Za-z0-9.-]+(:[0-9]+)?$",
        ),
    ]
    user: Annotated[str, Meta(description="The name to log in with, if any.")] = ""
    password: Annotated[
        BackupSourceWish | None, Meta(description="Where its password comes from.")
    ] = None


class NotifyWish(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Who is told that a backup failed, is well again, or did not run."""

    webhook: Annotated[
        BackupSourceWish | None,
        Meta(description="Where a URL comes from that gets JSON by POST; it may be a secret."),
    ] = None
    mail: Annotated[MailWish | None, Meta(description="A mail.")] = None
    command: Annotated[
        Command, Meta(description="A command of this machine; JSON on its standard input.")
    ] = ""


class BackupWish(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Where backups go and which of them stay."""

    repository: Annotated[
        str,
        Meta(description="A restic repository: a directory of the host, `s3:...`, `rest:...`."),
    ]
    password: Annotated[
        BackupSourceWish, Meta(description="What the repository is encrypted with.")
    ]
    credentials: Annotated[
        dict[str, BackupSourceWish],
        Meta(description="Variables that the store reads, such as `AWS_SECRET_ACCESS_KEY`."),
    ] = {}
    keep: Annotated[KeepWish | None, Meta(description="Which restore points stay.")] = None
    every: Annotated[Every, Meta(description="When all volumes are backed up.")] = ""
    verify: Annotated[
        VerifyWish | None, Meta(description="When the newest point is restored for a trial.")
    ] = None
    notify: Annotated[
        NotifyWish | None, Meta(description="Who is told of failures, their end, and silence.")
    ] = None
    before_deploy: Annotated[
        bool, Meta(description="Whether a deploy of the file begins with a backup.")
    ] = False
    freeze: Annotated[Duration, Meta(description="Longest freeze of `pause`.")] = "30s"
