"""Names of apps as hosts told them last: what Tab offers without asking any host.

One small file per app in this user's state directory, replaced by renaming. It is written on the
way and read at leisure: whatever fails leaves it as it is, and nothing depends on it.
"""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

import msgspec

from underway.adapters.decoding import decoded
from underway.model.outline import Outline


class KnownNames:
    """The outlines that were seen; None for a directory keeps none."""

    def __init__(self, directory: Path | None) -> None:
        """Keep outlines below `directory`."""
        self._directory = directory
        self._kept: Outline | None = None

    def recall(self, app: str) -> Outline:
        """What was seen last of an app; nothing where that cannot be told."""
        if self._directory is None or not app or os.sep in app:
            return Outline(app)
        try:
            content = (self._directory / f"{app}.json").read_bytes()
            return decoded(content, Outline)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return Outline(app)

    def remember(self, seen: Outline) -> None:
        """Keep what was seen of an app, if it is something new."""
        if self._directory is None or seen in {self._kept, self.recall(seen.app)}:
            return
        self._kept = seen
        with suppress(OSError):
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._directory, prefix=".", suffix=".new")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(msgspec.json.encode(seen))
                Path(name).replace(self._directory / f"{seen.app}.json")
            except OSError:
                Path(name).unlink(missing_ok=True)
