"""The course of one run: a release, how it is planned, and what its steps need."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from underway.api.limiting import Aside, kept_aside, limited
from underway.api.session import (
    Session,
    current_release,
    recorded_adjustments,
    releases_of,
)
from underway.api.shipping import Cargo, is_same, recorded, vault_key
from underway.errors import RefusedError
from underway.image.plan import images_by_host, transfer_lanes
from underway.kernel.executor import Executor
from underway.model.image import ImageIdentity
from underway.model.names import (
    NO_RELEASE,
    ContainerName,
    HostName,
    ReleaseNumber,
    RunNumber,
    ServiceName,
)
from underway.model.plan import Lane, Plan
from underway.model.release import Adjustment, Binding, Release
from underway.model.snapshot import Snapshot
from underway.ports.locking import Lock
from underway.rollout.apply import Applier
from underway.rollout.before import images_to_revert
from underway.rollout.plan import plan_records, plan_release
from underway.rollout.removal import empty_release
from underway.rollout.scene import Policy, ProxyRenewal


@dataclass(frozen=True, slots=True)
class Job:
    """What a command wants of a run.

    `is_rollback`: it was chosen by what served, and is refused where another run changed that.
    `bindings` are volumes that get another physical one; going back, `bindings_back` stand.
    `restarts` are services whose replicas are made anew, `adjustments` what is asked beside the
    release.
    `adopts` is the Compose project that it takes over from, `leaves_data` as in `Policy`.
    `limit` are the hosts that get the release alone. Otherwise a release that so far stands on
    some hosts alone stays so, unless `is_whole` asks for it everywhere.
    `backs_up`: where the file asks for it, a backup is made first.
    """

    command: str
    is_rollback: bool = False
    recreates: bool = False
    allows_interruption: bool = False
    skip_hosts: frozenset[HostName] = field(default_factory=frozenset)
    wait_s: float = 0.0
    reverts: tuple[Release, ...] = ()
    proxy_renewal: ProxyRenewal = ProxyRenewal.DUE
    bindings: tuple[Binding, ...] = ()
    bindings_back: tuple[Binding, ...] = ()
    restarts: frozenset[ServiceName] = field(default_factory=frozenset)
    adjustments: tuple[Adjustment, ...] = ()

    def restarting(self, services: frozenset[ServiceName]) -> "Job":
        """The job that makes the replicas of these services anew."""
        return replace(self, restarts=services)

    def adjusting(self, asked: tuple[Adjustment, ...]) -> "Job":
        """The job that brings what is asked beside the release."""
        return replace(self, adjustments=asked)

    adopts: str = ""
    leaves_data: frozenset[ServiceName] = field(default_factory=frozenset)
    limit: frozenset[HostName] = field(default_factory=frozenset)
    is_whole: bool = False
    backs_up: bool = False


@dataclass(frozen=True, slots=True)
class Course:
    """A release with its values, bound to a session and a job.

    `cargo_of` made the cargo from a snapshot, in which release `based_on` served. `tolerated` and
    `held_ports` are what the run has learnt for its next plan: see `Policy`. `adjustments_back`
    were recorded when it began. `aside` is what stays on other hosts than its release comes to.
    """

    session: Session
    cargo: Cargo
    job: Job
    tools: ImageIdentity
    is_undo: bool = False
    cargo_of: Callable[[Snapshot], Cargo] | None = None
    based_on: ReleaseNumber = NO_RELEASE
    tolerated: frozenset[ContainerName] = frozenset()
    held_ports: frozenset[tuple[HostName, int]] = frozenset()
    adjustments_back: tuple[Adjustment, ...] = ()
    aside: Aside | None = None

    @classmethod
    def of(
        cls, session: Session, job: Job, snapshot: Snapshot, cargo_of: Callable[[Snapshot], Cargo]
    ) -> "Course":
        """The course of a job, its cargo made, with the tools image made or found."""
        cargo = cargo_of(snapshot)
        session.world.reach(cargo.release.spec.hosts)
        tools = session.workshop.tools()
        course = cls(session, cargo, job, tools, cargo_of=cargo_of, based_on=_serving(snapshot))
        return course.beside(snapshot)

    def beside(self, snapshot: Snapshot) -> "Course":
        """The same course with what stays aside, as the hosts say; raises what `limited` does."""
        release, job = self.release, self.job
        aside = None
        if job.limit:
            aside = limited(self.session, snapshot, release, job.limit)
        elif not job.is_whole and release.number == _serving(snapshot) != NO_RELEASE:
            aside = kept_aside(self.session, snapshot)
        return replace(self, aside=aside)

    @property
    def release(self) -> Release:
        """The release it leads to."""
        return self.cargo.release

    def policy(self, *, keep_unreachable: bool = False) -> Policy:
        """What the planner may do."""
        recreate = frozenset() if self.is_undo else self.job.restarts
        if self.job.recreates and not self.is_undo:
            recreate = frozenset(service.name for service in self.release.spec.services)
        return Policy(
            tools=self.tools,
            is_undo=self.is_undo,
            runs_before=not (self.job.is_rollback or self.is_undo),
            recreate=recreate,
            skip_hosts=self.job.skip_hosts,
            keep_unreachable=keep_unreachable,
            reverts=() if self.is_undo else self.job.reverts,
            tolerated=self.tolerated,
            held_ports=self.held_ports,
            proxy_renewal=self.job.proxy_renewal,
            bindings=self.job.bindings_back if self.is_undo else self.job.bindings,
            adjustments=self.adjustments_back if self.is_undo else self.job.adjustments,
            adopts=self.job.adopts,
            leaves_data=self.job.leaves_data,
            beside=self.aside.beside if self.aside else None,
        )

    def transfer(self, snapshot: Snapshot) -> tuple[Lane, ...]:
        """The lanes that bring images to hosts that lack them, the tools image among them."""
        wanted = dict(images_by_host(self.release.spec, self.release.images))
        if self.aside:
            kept, hosts = self.aside.beside.release, self.aside.by_host()
            others = images_by_host(kept.spec, kept.images)
            wanted |= {name: others.get(name, ()) for name in hosts}
        more: dict[HostName, list[ImageIdentity]] = {}
        for name, image in images_to_revert(() if self.is_undo else self.job.reverts):
            more.setdefault(name, []).append(image)
        needed = {
            host.name: (self.tools, *wanted.get(host.name, ()), *more.get(host.name, ()))
            for host in self.release.spec.hosts
            if host.name not in self.job.skip_hosts
        }
        return transfer_lanes(needed, snapshot, "not there yet")

    def plan(self, snapshot: Snapshot, *, keep_unreachable: bool = False) -> Plan:
        """The plan from `snapshot` to the release."""
        policy = self.policy(keep_unreachable=keep_unreachable)
        made = plan_release(self.release, snapshot, policy, self.transfer(snapshot))
        return replace(made, remarks=(*self.cargo.remarks, *made.remarks))

    def plan_records(self, snapshot: Snapshot) -> Plan:
        """The plan that only brings the images and the record to every host."""
        policy = self.policy()
        return plan_records(self.release, snapshot, policy, self.transfer(snapshot))

    def executor(self, lock: Lock | None, run: RunNumber) -> Executor:
        """The executor of its plans."""
        applier = Applier(
            world=self.session.world,
            release=self.release,
            values=self.cargo.values,
            key=self.cargo.key,
            run=run,
            clock=self.session.clock,
            pull=self.session.workshop.pull,
            send=self.session.workshop.send,
            others=self.aside.by_host() if self.aside else {},
        )
        return Executor(
            apply=applier,
            voice=self.session.voice,
            clock=self.session.clock,
            lock=lock,
            cancel=self.session.cancel,
        )

    def under_lock(self, snapshot: Snapshot) -> "Course":
        """The same course as what stands under the lock makes it."""
        return self._renewed(snapshot).beside(snapshot)

    def _renewed(self, snapshot: Snapshot) -> "Course":
        """The same course with the cargo that stands under the lock.

        Where another run changed what serves, the cargo is made anew: which images are kept, and
        what `repair` mends, follow from that. A number taken meanwhile is another release's.
        Raises RefusedError `plan-stale` for a rollback.
        """
        serving = _serving(snapshot)
        if serving != self.based_on and self.cargo_of is not None:
            if self.job.is_rollback:
                raise RefusedError(
                    "plan-stale",
                    f"release {serving} serves now, not {self.based_on} as when this was planned",
                    cause="another run ended while this one waited for the lock",
                    hint="look at `underway history`, and run it again",
                )
            return replace(self, cargo=self.cargo_of(snapshot), based_on=serving)
        key = vault_key(self.session, snapshot)
        if key not in {None, self.cargo.key} and self.cargo_of is not None:
            # Another first run wrote the vault's key: the digests of this release are by another.
            return replace(self, cargo=self.cargo_of(snapshot))
        known = releases_of(snapshot)
        taken = known.get(self.release.number)
        if taken is None:
            return self
        if is_same(taken, self.release):
            return replace(self, cargo=replace(self.cargo, release=taken))
        number = ReleaseNumber(max(known) + 1)
        cargo = replace(self.cargo, release=replace(self.release, number=number))
        return replace(self, cargo=cargo)

    def settled(self) -> "Course":
        """The same course once its plan was carried out: what it did once is not done again."""
        return replace(
            self,
            job=replace(
                self.job,
                recreates=False,
                restarts=frozenset(),
                reverts=(),
                proxy_renewal=_settled(self.job),
            ),
        )

    def back_to(self, snapshot: Snapshot, previous: Release | None) -> "Course":
        """The course that undoes this one: to `previous`, or to nothing."""
        if previous is None:
            nothing = Cargo(empty_release(self.release), {}, self.cargo.key)
            return replace(self, cargo=nothing, is_undo=True, aside=None)
        cargo = recorded(self.session, snapshot, previous.number)
        asked = {entry.service: Adjustment(entry.service) for entry in self.job.adjustments}
        was = {entry.service: entry for entry in recorded_adjustments(snapshot)}
        back = tuple({**asked, **was}.values())
        aside = kept_aside(self.session, snapshot)
        return replace(self, cargo=cargo, is_undo=True, adjustments_back=back, aside=aside)


def _settled(job: Job) -> ProxyRenewal:
    """A proxy that was renewed as asked is as wished; one that was kept as asked stays so."""
    asked = job.proxy_renewal
    return ProxyRenewal.DUE if asked is ProxyRenewal.ALWAYS else asked


def _serving(snapshot: Snapshot) -> ReleaseNumber:
    current = current_release(snapshot)
    return current.number if current else NO_RELEASE
