"""What somebody is told about backups without asking: a failure, its end, a silence."""

from dataclasses import dataclass
from enum import StrEnum

from underway.model.names import AppName


class NoticeKind(StrEnum):
    """FAILED: a run did. RECOVERED: what was late or failed is well again. LATE: nothing ran."""

    FAILED = "failed"
    RECOVERED = "recovered"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell. `code` is an error's, "" for none; `moment` is RFC 3339."""

    app: AppName
    kind: NoticeKind
    text: str
    moment: str
    code: str = ""

    @property
    def title(self) -> str:
        """One line: whose backups, and what."""
        return f"backups of {self.app}: {self.kind}"
