"""Who is told of backups without asking: the ways that the file names, made when one is needed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from underway.errors import UnderwayError
from underway.model.backup import BackupPolicy, SensitiveSource
from underway.model.notice import Notice
from underway.wiring.backups import value_of
from underway.wiring.options import SessionOptions

_UTF8: Final = "utf-8"


@dataclass(frozen=True, slots=True)
class Notices:
    """Implements `ports.notifying.Notify`."""

    policy: BackupPolicy
    options: SessionOptions

    def __call__(self, notice: Notice) -> tuple[str, ...]:
        """See the port. Every way is tried, whatever came of the others."""
        failed = []
        for way in self._ways():
            try:
                way(notice)
            except UnderwayError as error:
                failed.append(error.message)
        return tuple(failed)

    def _ways(self) -> Iterator[Callable[[Notice], None]]:
        from underway.adapters import notices

        said = self.policy.notify
        if said is None:
            return
        if (hook := said.webhook) is not None:
            yield lambda notice: notices.post(notice, self._text(hook, "webhook"))
        if (mail := said.mail) is not None:
            secret = mail.password
            yield lambda notice: notices.send_mail(
                notice, mail, self._text(secret, "mail") if secret else ""
            )
        if said.command:
            yield lambda notice: notices.run_command(notice, said.command, self.options.environ)

    def _text(self, source: SensitiveSource, name: str) -> str:
        return value_of(source, f"notify.{name}", self.options).decode(_UTF8, "replace")
