"""What a load found: counts per outcome, latencies, who answered when, and the first losses."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from lab.load.outcome import LOST, Kind, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

EXPLAINED = 20
STALL_S = 2.0  # beyond this, what was counted says as much of the machine as of the application


@dataclass(frozen=True, slots=True)
class KindReport:
    """One kind: outcomes, statuses, and latency from the due time in milliseconds."""

    outcomes: Mapping[str, int]
    statuses: Mapping[str, int]
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float


@dataclass(frozen=True, slots=True)
class Answerer:
    """One replica of one version: how often it answered, first and last in seconds of the run."""

    version: str
    replica: str
    count: int
    first_s: float
    last_s: float


@dataclass(frozen=True, slots=True)
class Second:
    """One second of the run: answers per version, and what was lost in it."""

    at_s: int
    versions: Mapping[str, int]
    lost: int


@dataclass(frozen=True, slots=True)
class Incident:
    """One request that did not end well; times in seconds of the run."""

    at_s: float
    took_s: float
    kind: str
    target: str
    outcome: str
    answered_by: str
    connection: str
    detail: str

    def __str__(self) -> str:
        who = f", answered by {self.answered_by}" if self.answered_by else ""
        return (
            f"{self.at_s:9.3f} s  {self.outcome:<12} {self.kind:<10} on {self.target}{who}: "
            f"{self.detail} after {self.took_s:.3f} s (connection {self.connection or 'none'})"
        )


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """An upload that the application confirmed; it must be readable ever after."""

    identifier: str
    sha256: str
    size_bytes: int
    target: str
    at_s: float


@dataclass(frozen=True, slots=True)
class Result:
    """The whole finding; `lost` is what users would have noticed, `stale` is counted apart."""

    elapsed_s: float
    ended_by: str
    cpu_share: float
    max_lag_ms: float
    kinds: Mapping[str, KindReport]
    targets: Mapping[str, Mapping[str, int]]
    answerers: tuple[Answerer, ...]
    timeline: tuple[Second, ...]
    incidents: tuple[Incident, ...]
    journal: tuple[Acknowledged, ...]

    def count(self, outcome: Outcome, kind: Kind | None = None) -> int:
        """Return how often `outcome` happened, in one kind or in all."""
        kinds = [kind.value] if kind else list(self.kinds)
        return sum(self.kinds[k].outcomes.get(outcome, 0) for k in kinds if k in self.kinds)

    @property
    def requests(self) -> int:
        """Finished requests of every kind; messages inside WebSockets are not requests."""
        reports = (report for kind, report in self.kinds.items() if kind != Kind.MESSAGE)
        return sum(sum(report.outcomes.values()) for report in reports)

    @property
    def lost(self) -> int:
        """Requests, messages included, that a user would have noticed."""
        return sum(self.count(outcome) for outcome in LOST)

    @property
    def stale(self) -> int:
        """Answers by versions or replicas that should have been gone."""
        return self.count(Outcome.STALE)

    @property
    def versions(self) -> Mapping[str, int]:
        """Answers per version."""
        total: Counter[str] = Counter()
        for answerer in self.answerers:
            total[answerer.version] += answerer.count
        return dict(sorted(total.items()))

    def check(self) -> None:
        """Raise AssertionError with the explanation if anything was lost or stale."""
        if self.lost or self.stale:
            raise AssertionError(self.explain())

    def explain(self) -> str:
        """Return the totals and the first 20 requests that were lost or stale."""
        shown = [str(incident) for incident in self.incidents[:EXPLAINED]]
        title = f"{self.lost} lost, {self.stale} stale of {self.requests} requests"
        stood = self.max_lag_ms / 1000
        doubt = f"; the generator itself stood still for {stood:.1f} s" if stood > STALL_S else ""
        return "\n".join([f"{title} in {self.elapsed_s:.1f} s{doubt}", *shown])

    def table(self) -> str:
        """Return the finding for a person's eyes."""
        head = f"{'kind':<11}{'count':>8}{'p50 ms':>9}{'p90':>9}{'p99':>9}{'max':>9}  outcomes"
        rows = [head]
        for kind, report in self.kinds.items():
            times = (report.p50_ms, report.p90_ms, report.p99_ms, report.max_ms)
            outcomes = " ".join(f"{name}={n}" for name, n in report.outcomes.items())
            codes = " ".join(f"{code}x{n}" for code, n in report.statuses.items() if code != "200")
            latencies = "".join(f"{time:9.1f}" for time in times)
            count = sum(report.outcomes.values())
            rows.append(f"{kind:<11}{count:>8}{latencies}  {outcomes} {codes}".rstrip())
        rows += [
            f"{who.version} {who.replica}: {who.count} answers, "
            f"{who.first_s:.1f} s to {who.last_s:.1f} s"
            for who in self.answerers
        ]
        for target, counts in self.targets.items():
            rows.append(f"{target}: " + " ".join(f"{name}={n}" for name, n in counts.items()))
        own = f"generator: {self.cpu_share:.0%} of a core, at most {self.max_lag_ms:.0f} ms late"
        return "\n".join([*rows, own, f"ended by {self.ended_by}", self.explain()])

    def to_json(self) -> str:
        """Return one line of JSON with every field and the totals."""
        totals = {"requests": self.requests, "lost": self.lost, "stale": self.stale}
        return json.dumps({**totals, **asdict(self)})

    @classmethod
    def from_json(cls, line: str) -> Result:
        """Return the result that `to_json` wrote."""
        values: dict[str, Any] = json.loads(line)
        for total in ("requests", "lost", "stale"):
            del values[total]
        rows = {"answerers": Answerer, "timeline": Second, "incidents": Incident}
        for name, row_type in {**rows, "journal": Acknowledged}.items():
            values[name] = tuple(row_type(**row) for row in values[name])
        values["kinds"] = {kind: KindReport(**row) for kind, row in values["kinds"].items()}
        return cls(**values)
