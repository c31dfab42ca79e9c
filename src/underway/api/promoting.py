"""Promote: a release of one environment becomes one of another, with the same images.

Nothing is built. The other environment's own file says how it is configured and with which values;
what the images proved in their tests comes along.
"""

from dataclasses import dataclass, replace

from underway.api.attesting import attested_in_registry
from underway.api.comparing import chosen_release
from underway.api.deploying import DeployOptions, DeployResult, carried_out, job_of, planned
from underway.api.session import Parcel, Session, current_release, ledgers_of
from underway.api.shipping import (
    Cargo,
    key_of,
    known_or_new,
    release_of,
    require_clean,
    require_environment,
)
from underway.api.testing import attested
from underway.errors import RefusedError
from underway.model.names import ReleaseNumber
from underway.model.plan import Plan
from underway.model.release import Origin, Release
from underway.model.snapshot import Snapshot
from underway.model.testing import Proof, proof_of


def promote(
    source: Session, target: Session, number: ReleaseNumber, options: DeployOptions | None = None
) -> DeployResult:
    """Bring release `number` of `source`, 0 for the one that runs, to the hosts of `target`.

    Raises what `deploy` raises, RefusedError (`release-unknown`, `release-untested`,
    `release-dirty`, `promote-same-app`, `promote-image-missing`, `tag-taken`).
    """
    chosen = options or DeployOptions()
    passage = _passage(source, target, number, chosen)
    job = job_of("promote", chosen)
    return carried_out(target, job, lambda seen: passage.cargo(seen, is_moved=True))


def plan_promotion(
    source: Session, target: Session, number: ReleaseNumber, options: DeployOptions | None = None
) -> Plan:
    """What promoting would do; nothing is copied, pushed or changed."""
    chosen = options or DeployOptions()
    passage = _passage(source, target, number, chosen)
    made = planned(target, "promote", chosen, lambda seen: passage.cargo(seen, is_moved=False))
    return replace(made, remarks=(passage.remark, *made.remarks))


@dataclass(frozen=True, slots=True)
class _Passage:
    """A release on its way from one environment to another."""

    source: Session
    target: Session
    origin: Release

    @property
    def remark(self) -> str:
        """What a plan says of it."""
        where = self.source.spec.environment
        tag = f" ({self.origin.tag})" if self.origin.tag else ""
        place = f", environment {where}" if where else ""
        return (
            f"the images are those of release {self.origin.number}{tag} of {self.source.app}{place}"
        )

    def cargo(self, snapshot: Snapshot, *, is_moved: bool) -> Cargo:
        """The release as the target's own, not recorded yet; the same again is the one there is."""
        target, origin = self.target, self.origin
        require_environment(target, snapshot)
        engines = self.source.world.engines
        parcel = Parcel(
            origin,
            current_release(snapshot),
            tuple(engines[name] for name in sorted(engines)),
            is_moved,
        )
        carried = target.workshop.carry(target.spec, parcel, target.voice)
        key = key_of(target, snapshot)
        made = replace(
            release_of(target, carried, snapshot, key),
            suites=origin.suites,
            origin=Origin(self.source.app, origin.number, self.source.spec.environment),
        )
        return Cargo(known_or_new(snapshot, made), target.values, key)


def _passage(
    source: Session, target: Session, number: ReleaseNumber, options: DeployOptions
) -> _Passage:
    """The release to promote, with what is attested of it; raises where it may not go."""
    target.require_whole()
    snapshot = source.observe()
    origin = _proved(source, snapshot, chosen_release(source, snapshot, number))
    require_clean(target, origin)
    proof = proof_of(origin.suites, frozenset())
    is_bare = proof is Proof.NONE and bool(target.testing.suites)
    if target.testing.is_required and (proof is Proof.UNTESTED or is_bare) and not options.untested:
        raise RefusedError(
            "release-untested",
            f"release {origin.number} of {source.app} has not passed its tests",
            hint="`underway test` runs them there; --untested promotes it all the same",
        )
    wanted = {suite.definition for suite in origin.suites}
    for ledger in ledgers_of(snapshot):
        for one in ledger.attestations:
            if one.definition in wanted:
                target.attestations[one.definition] = one
    return _Passage(source, target, origin)


def _proved(source: Session, snapshot: Snapshot, release: Release) -> Release:
    """The release with what is known by now of its tests."""
    known = attested(source, snapshot)
    if proof_of(release.suites, known) is Proof.UNTESTED:
        known |= attested_in_registry(source, release)
    suites = tuple(
        replace(suite, has_passed=suite.has_passed or suite.definition in known)
        for suite in release.suites
    )
    return replace(release, suites=suites)
