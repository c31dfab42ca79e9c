"""Adopt: take over from the Compose project that runs the app, and give it back.

A project and the app are one by name. Its containers count as the old generation of a first
release, so that adopting is a deploy: planned, asked about, undone where it fails. They are kept
stopped until `prune`; until then all of it can be taken back.
"""

from dataclasses import dataclass, replace

from underway.api.deploying import DeployResult, carried_out, seen_again
from underway.api.maintaining import plan_remove, remove
from underway.api.session import Session
from underway.api.shipping import Cargo, load_cargo
from underway.api.steering import Course, Job
from underway.api.testing import Purpose
from underway.errors import RefusedError
from underway.image.named import image_that_runs
from underway.model.names import NO_RELEASE, ServiceName
from underway.model.plan import Plan
from underway.model.release import Release, ServiceImage
from underway.model.snapshot import Snapshot
from underway.rollout.adoption import service_name
from underway.rollout.takeover import bindings_of


@dataclass(frozen=True, slots=True)
class AdoptOptions:
    """What the user allows: interruptions, and data that services need not see any more."""

    allow_interruption: bool = False
    leaves_data: frozenset[ServiceName] = frozenset()
    wait_s: float = 0.0
    untested: bool = False


def plan_adoption(session: Session, options: AdoptOptions | None = None) -> Plan:
    """Plan to take over, changing no host; raises RefusedError `adopt-nothing` among others."""
    chosen = options or AdoptOptions()
    snapshot = session.observe()
    job = _job(session, snapshot, chosen)
    course = Course.of(session, job, snapshot, lambda seen: _cargo(session, seen, Purpose.PLAN))
    return course.plan(seen_again(course, snapshot))


def adopt(session: Session, options: AdoptOptions | None = None) -> DeployResult:
    """Take over from the Compose project; what fails before the first old one ended goes back.

    Raises what `deploy` raises, and RefusedError `adopt-nothing` or `adopt-data-left`.
    """
    chosen = options or AdoptOptions()
    job = _job(session, session.observe(), chosen)
    purpose = Purpose.SHIP_UNTESTED if chosen.untested else Purpose.SHIP
    return carried_out(session, job, lambda seen: _cargo(session, seen, purpose))


def plan_return(session: Session) -> Plan:
    """What `give_back` would do; RefusedError `adopt-no-way-back` where nothing could come back."""
    snapshot = session.observe()
    if not any(_project(session, snapshot)):
        raise RefusedError(
            "adopt-no-way-back",
            f"no container of Compose project {session.app} is left on its hosts",
            cause="`underway prune` or somebody else removed them",
            hint="`underway remove` takes the app off its hosts and leaves its volumes; then "
            "`docker compose up -d` starts the project anew",
        )
    return plan_remove(session, returns_to=session.app)


def give_back(session: Session, *, wait_s: float = 0.0) -> Plan:
    """Bring the project's containers back as they were, port included, and take the app away."""
    plan_return(session)
    return remove(session, returns_to=session.app, wait_s=wait_s)


def _job(session: Session, snapshot: Snapshot, options: AdoptOptions) -> Job:
    if not any(_project(session, snapshot)):
        raise _nothing(session, snapshot)
    return Job(
        "adopt",
        allows_interruption=options.allow_interruption,
        wait_s=options.wait_s,
        bindings=bindings_of(session.spec, snapshot, session.app),
        adopts=session.app,
        leaves_data=options.leaves_data,
    )


def _project(session: Session, snapshot: Snapshot) -> list[str]:
    """The containers of the app's Compose project."""
    found = (c for host in snapshot.reachable for c in host.containers)
    return [container.name for container in found if container.project == session.app]


def _nothing(session: Session, snapshot: Snapshot) -> RefusedError:
    others: dict[str, set[str]] = {}
    for host in snapshot.reachable:
        for container in host.containers:
            if container.project:
                others.setdefault(container.project, set()).add(service_name(container))
    hosts = ", ".join(host.name for host in snapshot.reachable) or "no host that answers"
    detail = [f"{name}: {', '.join(sorted(others[name]))}" for name in sorted(others)]
    return RefusedError(
        "adopt-nothing",
        f"no Compose project {session.app} runs on {hosts}",
        cause="projects that do are listed below" if others else "nor any other",
        hint=f"write `name: {min(others)}` in the file, if that is this app"
        if others
        else "`underway deploy` brings an app that does not run yet",
        detail=tuple(detail),
    )


def _cargo(session: Session, snapshot: Snapshot, purpose: Purpose) -> Cargo:
    running = _running(session, snapshot)
    return load_cargo(session, snapshot, purpose=purpose, running=running)


def _running(session: Session, snapshot: Snapshot) -> Release:
    """What the project runs: a tag that moved since must not bring another database."""
    images: dict[ServiceName, ServiceImage] = {}
    for service in session.spec.services:
        for host in snapshot.reachable:
            for container in host.containers:
                is_meant = container.reference == service.image != ""
                if container.project != session.app or not is_meant or service.build:
                    continue
                if service_name(container) != service.name:
                    continue
                engine = session.world.engine(host.name)
                image = image_that_runs(service, engine, container.image_id)
                if image is not None:
                    images[service.name] = ServiceImage(service.name, image)
    spec = replace(
        session.spec, services=tuple(s for s in session.spec.services if s.name in images)
    )
    return Release(NO_RELEASE, spec, tuple(images[name] for name in sorted(images)))
