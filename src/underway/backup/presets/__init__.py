"""The usual databases: how their own tools stream a backup, and take it back. Pure.

Every command runs in a container of the service, with its environment: names and passwords stay
where they are, and in no argument. A stream's name becomes its path in the restore point.
"""

from typing import Final

from underway.backup.presets.mariadb import MARIADB
from underway.backup.presets.postgres import POSTGRES, database_stem
from underway.backup.presets.preset import Preset
from underway.backup.presets.redis import REDIS

__all__ = ["MARIADB", "POSTGRES", "PRESETS", "REDIS", "database_stem", "preset_of"]

PRESETS: Final = {preset.name: preset for preset in (POSTGRES, MARIADB, REDIS)}


def preset_of(image: str) -> Preset | None:
    """The preset for an image reference, or None."""
    last = image.partition("@")[0].rpartition("/")[2].partition(":")[0]
    return next((p for p in PRESETS.values() if last in p.images), None)
