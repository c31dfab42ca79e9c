"""The order for a load: where to, how much of each kind, with which bounds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from lab.load.outcome import Kind
from lab.load.profile import Profile

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Target:
    """An edge; `kinds` limits what is sent there (empty: every kind)."""

    name: str
    host: str
    port: int
    kinds: tuple[Kind, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Target:
        """Return the target of `[NAME=]HOST:PORT`; raises ValueError."""
        name, _, address = text.rpartition("=")
        host, _, port = address.rpartition(":")
        if not host or not port.isdigit():
            raise ValueError(f"{text!r} is not [NAME=]HOST:PORT")
        return cls(name or address, host, int(port))


@dataclass(frozen=True, slots=True)
class Mix:
    """Rates per second and kind (together about 200), sizes and limits; 0 leaves a kind out."""

    keep_alive_per_s: float = 120.0
    fresh_per_s: float = 40.0
    slow_per_s: float = 3.0
    post_per_s: float = 36.0
    upload_per_s: float = 0.2
    websockets: int = 6
    ping_every_s: float = 1.0
    post_bytes: int = 256
    upload_bytes: int = 10 * MIB
    upload_bytes_per_s: float = 4.0 * MIB  # 0: as fast as the network takes it
    connections: int = 16  # kept alive per target
    timeout_s: float = 10.0  # per request, beyond what a slow answer or a paced upload needs
    slow_s: float = 3.0

    @property
    def rates(self) -> dict[Kind, float]:
        """Requests per second of every scheduled kind that is wanted."""
        rates = {
            Kind.KEEP_ALIVE: self.keep_alive_per_s,
            Kind.FRESH: self.fresh_per_s,
            Kind.SLOW: self.slow_per_s,
            Kind.POST: self.post_per_s,
            Kind.UPLOAD: self.upload_per_s,
        }
        return {kind: rate for kind, rate in rates.items() if rate > 0}

    def timeout_of(self, kind: Kind) -> float:
        """Seconds from sending to the last byte after which a request counts as timed out."""
        if kind is Kind.SLOW:
            return self.timeout_s + self.slow_s
        if kind is Kind.UPLOAD and self.upload_bytes_per_s:
            return self.timeout_s + self.upload_bytes / self.upload_bytes_per_s
        return self.timeout_s


@dataclass(frozen=True, slots=True)
class Bounds:
    """A load always ends: after so many seconds or requests, whichever comes first."""

    duration_s: float = 300.0
    requests: int = 200_000
    in_flight: int = 3000

    def __post_init__(self) -> None:
        if not (0 < self.duration_s <= 24 * 3600 and self.requests > 0 and self.in_flight > 0):
            raise ValueError("a load needs a duration (at most a day) and a number of requests")


@dataclass(frozen=True, slots=True)
class Order:
    """Everything the generator needs to know before it starts."""

    targets: tuple[Target, ...]
    host: str
    profile: Profile
    mix: Mix = Mix()
    bounds: Bounds = Bounds()

    def __post_init__(self) -> None:
        names = [target.name for target in self.targets]
        if not names or len(set(names)) != len(names):
            raise ValueError(f"a load needs targets with different names, got {names}")
        if not self.mix.rates and not self.mix.websockets:
            raise ValueError("a load without any kind of traffic proves nothing")

    def targets_of(self, kind: Kind) -> tuple[Target, ...]:
        """Targets that take `kind`, in the order given."""
        return tuple(t for t in self.targets if not t.kinds or kind in t.kinds)

    def to_json(self) -> dict[str, Any]:
        """Return plain values; they may hold a token, so keep them out of argv and logs."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Order:
        """Return the order that `to_json` wrote."""
        targets = tuple(
            Target(**{**row, "kinds": tuple(Kind(kind) for kind in row["kinds"])})
            for row in values["targets"]
        )
        return cls(
            targets=targets,
            host=values["host"],
            profile=Profile.from_json(values["profile"]),
            mix=Mix(**values["mix"]),
            bounds=Bounds(**values["bounds"]),
        )
