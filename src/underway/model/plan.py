"""Plans: stages in sequence, lanes (one per host) in parallel, steps in a lane in sequence."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from underway.model.change import ServiceChange
from underway.model.names import AppName, HostName, ReleaseNumber, ServiceName
from underway.model.step import Step


@dataclass(frozen=True, slots=True)
class Lane:
    """The steps of one host within a stage."""

    host: HostName
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage ends on every host before the next begins.

    `is_commit` marks the first stage that retires an old replica: a failure before it goes
    back, from it on forward. Lanes are sorted by host; several lanes of one host run in parallel.
    """

    title: str
    lanes: tuple[Lane, ...]
    is_commit: bool = False


class InterruptionKind(StrEnum):
    """What leaves no other way than to interrupt a service."""

    RECREATE = "recreate"
    SINGLE_WRITER = "single-writer"
    PORT = "port"
    ROUTE = "route"
    PROXY = "proxy"
    REMOVAL = "removal"
    STOP = "stop"


@dataclass(frozen=True, slots=True, order=True)
class Interruption:
    """A service that does not serve for a moment, and why in words."""

    service: ServiceName
    kind: InterruptionKind
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The typed work between a snapshot and a wish.

    `interruptions` are services that do not serve for a moment, one each; `changes` tells why
    replicas are made or ended, service by service; `tolerances` how many replicas of a
    service may fail before the plan fails; `left` names what the plan leaves alone and why
    (unreachable hosts, foreign containers). `replans`: it only makes what must be asked answer;
    carried out, the hosts are observed and planned again.
    """

    app: AppName
    release: ReleaseNumber
    goal: str
    stages: tuple[Stage, ...] = ()
    interruptions: tuple[Interruption, ...] = ()
    changes: tuple[ServiceChange, ...] = ()
    tolerances: tuple[tuple[ServiceName, int], ...] = ()
    left: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    replans: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be done."""
        return not self.stages

    @property
    def interrupts(self) -> tuple[ServiceName, ...]:
        """The services that do not serve for a moment."""
        return tuple(interruption.service for interruption in self.interruptions)

    def steps(self) -> Iterator[Step]:
        """All steps in the order of stages and lanes."""
        for stage in self.stages:
            for lane in stage.lanes:
                yield from lane.steps
