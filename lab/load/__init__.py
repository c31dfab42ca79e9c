"""The load generator: open-loop traffic of every kind, counted strictly, standard library only.

As a command `python3 -m lab.load --target 127.0.0.1:8080 --host app.test`, in a test

    with Load(["edge1=127.0.0.1:8080"], host="beacon.test") as load:
        load.expect("v2")
        result = load.stop()
    result.check()
"""

from lab.load.background import Load, LoadEndedEarlyError, LoadError
from lab.load.journal import ReadBack, read_back
from lab.load.order import Bounds, Mix, Target
from lab.load.outcome import LOST, Kind, Outcome
from lab.load.profile import BEACON, BEACON_FILES, PROFILES, Profile, Write, libra
from lab.load.result import Result

__all__ = [
    "BEACON",
    "BEACON_FILES",
    "LOST",
    "PROFILES",
    "Bounds",
    "Kind",
    "Load",
    "LoadEndedEarlyError",
    "LoadError",
    "Mix",
    "Outcome",
    "Profile",
    "ReadBack",
    "Result",
    "Target",
    "Write",
    "libra",
    "read_back",
]
