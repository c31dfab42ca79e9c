"""When something is to be done: a cron expression in a zone, and the moments it means.

Where the clock is set forward, what falls into the hour that is left out is done right after it;
where it is set back, what has a time of day is done once. Moments are seconds since the epoch.
"""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

_NO_MOMENT = "it never comes"


@dataclass(frozen=True, slots=True)
class Schedule:
    """A cron expression of five fields, in a zone of the IANA database. `text` is as written."""

    expression: str
    zone: str = "UTC"
    text: str = ""


def next_due(schedule: Schedule, after: float) -> float:
    """The first moment of the schedule later than `after`.

    Raises ValueError where the expression is none or has no moment, or no such zone is known.
    """
    zone = ZoneInfo(schedule.zone)
    try:
        for moment in CronSim(schedule.expression, datetime.fromtimestamp(after, zone)):
            # In the hour that comes twice, a time of day means the first of the two.
            if moment.timestamp() > after:
                return moment.timestamp()
    except CronSimError as error:
        raise ValueError(str(error)) from error
    raise ValueError(_NO_MOMENT)
