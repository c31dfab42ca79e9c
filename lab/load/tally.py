"""The count: every sample goes through here once, and is judged by the markers set until then."""

from __future__ import annotations

import time
from array import array
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from lab.load.outcome import LOST, Kind, Outcome, Sample
from lab.load.result import Acknowledged, Answerer, Incident, KindReport, Result, Second

KEPT_INCIDENTS = 1000
TRANSPORT = frozenset(
    {Outcome.REFUSED, Outcome.RESET, Outcome.TRUNCATED, Outcome.TIMED_OUT, Outcome.CUT}
)
ENDED_EARLY = frozenset({Outcome.RESET, Outcome.TRUNCATED, Outcome.CUT})
FOREVER = float("inf")


@dataclass(slots=True)
class Markers:
    """What the test declared, each with its moment on the monotonic clock."""

    expected: list[tuple[float, frozenset[str]]] = field(default_factory=list)
    retired: dict[str, float] = field(default_factory=dict)
    cuts: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    drains: list[tuple[float, float]] = field(default_factory=list)

    def expect(self, versions: frozenset[str]) -> None:
        """From now on only these versions may answer; none given: any."""
        self.expected.append((time.monotonic(), versions))

    def retire(self, replica: str) -> None:
        """From now on this replica must get no new request."""
        self.retired.setdefault(replica, time.monotonic())

    def cut(self, target: str, *, begins: bool) -> None:
        """A period in which breaks on `target` are expected begins or ends now."""
        periods = self.cuts.setdefault(target, [])
        if begins:
            periods.append((time.monotonic(), FOREVER))
        elif periods:
            periods[-1] = (periods[-1][0], time.monotonic())

    def drain(self, limit_s: float) -> None:
        """What is in flight now may be ended once `limit_s` has passed."""
        self.drains.append((time.monotonic(), limit_s))

    def judge(self, sample: Sample) -> Outcome:
        """Return the outcome that counts, given what was declared."""
        if sample.outcome in TRANSPORT:
            for begin, end in self.cuts.get(sample.target, ()):
                if sample.sent_at <= end and sample.ended_at >= begin:
                    return Outcome.EXPECTED_CUT
        if sample.outcome in ENDED_EARLY:
            for begin, limit_s in self.drains:
                if sample.sent_at <= begin and sample.ended_at >= begin + limit_s:
                    return Outcome.DRAIN_OVER
        if sample.kind is not Kind.MESSAGE and self.is_stale(sample):
            return Outcome.STALE if sample.outcome not in LOST else sample.outcome
        return sample.outcome

    def is_stale(self, sample: Sample) -> bool:
        """Whether who answered should have been gone when the request was sent."""
        if sample.replica and sample.sent_at >= self.retired.get(sample.replica, FOREVER):
            return True
        wanted: frozenset[str] = frozenset()
        for at, versions in self.expected:
            if sample.sent_at >= at:
                wanted = versions
        return bool(sample.version and wanted and sample.version not in wanted)


class Tally:
    """Counts, latencies, answerers, timeline and incidents of one run."""

    def __init__(self) -> None:
        self.started_at = time.monotonic()
        self.started_cpu_s = time.process_time()
        self.markers = Markers()
        self.journal: list[Acknowledged] = []
        self.max_lag_s = 0.0
        self._outcomes: dict[Kind, Counter[str]] = defaultdict(Counter)
        self._statuses: dict[Kind, Counter[str]] = defaultdict(Counter)
        self._latencies: dict[Kind, array[float]] = defaultdict(lambda: array("d"))
        self._targets: dict[str, Counter[str]] = defaultdict(Counter)
        self._answerers: dict[tuple[str, str], list[float]] = {}
        self._seconds: dict[int, Counter[str]] = defaultdict(Counter)
        self._lost_in: Counter[int] = Counter()
        self._incidents: list[Incident] = []

    def record(self, sample: Sample) -> None:
        """Count one finished request."""
        outcome = self.markers.judge(sample)
        self._outcomes[sample.kind][outcome] += 1
        self._targets[sample.target][outcome] += 1
        if sample.status:
            self._statuses[sample.kind][str(sample.status)] += 1
        self._latencies[sample.kind].append(sample.latency_s)
        at_s = sample.ended_at - self.started_at
        if sample.version and sample.kind is not Kind.MESSAGE:
            self._seconds[int(at_s)][sample.version] += 1
            seen = self._answerers.setdefault((sample.version, sample.replica), [0, at_s, at_s])
            seen[0] += 1
            seen[2] = at_s
        if outcome in LOST or outcome is Outcome.STALE:
            self._lost_in[int(at_s)] += outcome in LOST
            if len(self._incidents) < KEPT_INCIDENTS:
                self._incidents.append(self._incident(sample, outcome))

    def _incident(self, sample: Sample, outcome: Outcome) -> Incident:
        return Incident(
            at_s=round(sample.due_at - self.started_at, 4),
            took_s=round(sample.ended_at - sample.due_at, 4),
            kind=sample.kind,
            target=sample.target,
            outcome=outcome,
            answered_by=f"{sample.version} {sample.replica}".strip(),
            connection=sample.connection,
            detail=sample.detail,
        )

    def acknowledge(self, identifier: str, sha256: str, size_bytes: int, target: str) -> None:
        """Remember an upload that the application confirmed."""
        at_s = round(time.monotonic() - self.started_at, 4)
        self.journal.append(Acknowledged(identifier, sha256, size_bytes, target, at_s))

    def result(self, ended_by: str) -> Result:
        """Return the finding so far."""
        elapsed_s = max(time.monotonic() - self.started_at, 1e-6)
        seconds = sorted({*self._seconds, *self._lost_in})
        return Result(
            elapsed_s=elapsed_s,
            ended_by=ended_by,
            cpu_share=(time.process_time() - self.started_cpu_s) / elapsed_s,
            max_lag_ms=self.max_lag_s * 1000,
            kinds={kind: self._report(kind) for kind in Kind if kind in self._outcomes},
            targets={name: dict(self._targets[name]) for name in sorted(self._targets)},
            answerers=tuple(
                Answerer(version, replica, int(count), round(first, 3), round(last, 3))
                for (version, replica), (count, first, last) in sorted(self._answerers.items())
            ),
            timeline=tuple(
                Second(second, dict(self._seconds[second]), self._lost_in[second])
                for second in seconds
            ),
            incidents=tuple(self._incidents),
            journal=tuple(self.journal),
        )

    def _report(self, kind: Kind) -> KindReport:
        times = sorted(self._latencies[kind])
        points = [round(percentile(times, share) * 1000, 2) for share in (0.5, 0.9, 0.99, 1.0)]
        return KindReport(dict(self._outcomes[kind]), dict(self._statuses[kind]), *points)


def percentile(ordered: list[float], share: float) -> float:
    """Return the smallest value that `share` of all values do not exceed (nearest rank)."""
    rank = -(-len(ordered) * share // 1)
    return ordered[max(int(rank), 1) - 1]
