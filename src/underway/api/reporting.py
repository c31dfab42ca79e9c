"""Evidence of a run for a bug report: gathered from every host, every sensitive value hidden."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from underway.api.inspecting import NO_TOOLS, status
from underway.api.limiting import beside_now
from underway.api.past import release_detail
from underway.api.session import Session, releases_of, runs_of
from underway.errors import RefusedError, UnderwayError
from underway.image.testing.redaction import SHOWN, Redactor
from underway.model.bundle import ContainerEvidence, Evidence
from underway.model.image import ImageIdentity
from underway.model.names import HostName, ReleaseNumber, RunNumber, SensitiveName
from underway.model.plan import Plan
from underway.model.release import Release, RunRecord
from underway.model.sensitive import Sensitive, SensitiveValues
from underway.model.snapshot import ContainerState, Role, Snapshot
from underway.rollout.plan import plan_release
from underway.rollout.scene import Policy, ProxyRenewal

LINES: Final = 500
"""How many of a container's last lines are taken."""
_RUNS: Final = 20

Journal = Callable[[RunRecord], Sequence[str]]
"""What this machine kept of a run: its events as JSON lines."""


def evidence(
    session: Session, number: RunNumber | None = None, journal: Journal = lambda _: ()
) -> Evidence:
    """What is known of a run, by default the newest; raises RefusedError `run-unknown`.

    What a host cannot tell now is left out, and that is said.
    """
    snapshot = session.observe()
    run = _chosen(session, snapshot, number)
    known = releases_of(snapshot)
    left_out = [f"{lost.name} does not answer: {lost.reason}" for lost in snapshot.unreachable]
    values, unread = _values(session, snapshot, known)
    redact = redactor(values)
    left_out += [f"values of release {n} could not be read: no lines of it" for n in sorted(unread)]
    release = known.get(run.release)
    return Evidence(
        run=run,
        history=runs_of(snapshot)[-_RUNS:],
        status=status(session),
        engines=tuple((host.name, host.facts) for host in snapshot.reachable),
        events=tuple(_redacted_json(line, redact) for line in journal(run)),
        release=release_detail(session, release.number) if release else None,
        plan=_plan(release, snapshot, left_out) if release else None,
        containers=tuple(_containers(session, snapshot, redact, unread)),
        left_out=tuple(left_out),
        redact=redact,
    )


def redactor(values: Sequence[Sensitive]) -> Callable[[str], str]:
    """Hides each value, also where a program would show a configuration file's own words."""
    return Redactor({SensitiveName(f"env/{i}"): value for i, value in enumerate(values)})


def _chosen(session: Session, snapshot: Snapshot, number: RunNumber | None) -> RunRecord:
    runs = runs_of(snapshot)
    found = [run for run in runs if number in {None, run.number}]
    if not found:
        raise RefusedError(
            "run-unknown",
            f"run {number} of {session.app} is not recorded on any host that answers"
            if number
            else f"no run of {session.app} is recorded",
            hint="`underway history` lists them",
        )
    return found[-1]


def _values(
    session: Session, snapshot: Snapshot, known: Mapping[int, Release]
) -> tuple[list[Sensitive], set[int]]:
    """All values that may be shown anywhere: the file's, and those of every release's vault."""
    found: dict[int, SensitiveValues] = {}
    for host in snapshot.reachable:
        for number in sorted(set(host.vault) - set(found)):
            try:
                values = session.world.vault(host.name).read(ReleaseNumber(number))
            except UnderwayError:
                continue
            if values is not None:
                found[number] = values
    secret = {n for n, release in known.items() if release.sensitive}
    everything = [*session.values.values(), *(v for held in found.values() for v in held.values())]
    return everything, secret - set(found)


def _containers(
    session: Session, snapshot: Snapshot, redact: Callable[[str], str], unread: set[int]
) -> Iterator[ContainerEvidence]:
    for host in snapshot.reachable:
        for container in host.containers:
            if container.app == session.app:
                try:
                    has_lines = container.release not in unread
                    yield _container(session, host.name, container, redact, has_lines=has_lines)
                except UnderwayError:
                    continue  # it is gone by now


def _container(
    session: Session,
    host: HostName,
    container: ContainerState,
    redact: Callable[[str], str],
    *,
    has_lines: bool,
) -> ContainerEvidence:
    engine = session.world.engine(host)
    body: dict[str, Any] = json.loads(json.dumps(engine.inspect(container.name) or {}))
    config = body.get("Config") or {}
    config["Env"] = [f"{entry.partition('=')[0]}={SHOWN}" for entry in config.get("Env") or []]
    inspection = json.dumps(_redacted(body, redact), indent=2, ensure_ascii=False)
    lines = engine.logs(container.name, tail=LINES) if has_lines else iter(())
    written = tuple(
        f"{line.time} {'stderr' if line.is_stderr else 'stdout'} {redact(line.text)}"
        for line in lines
    )
    return ContainerEvidence(host, container.name, inspection, written)


def _plan(release: Release, snapshot: Snapshot, left_out: list[str]) -> Plan | None:
    """What would bring the hosts to the release now, changing no proxy that runs."""
    policy = Policy(
        tools=_tools(snapshot),
        keep_unreachable=True,
        proxy_renewal=ProxyRenewal.NEVER,
        beside=beside_now(snapshot),
    )
    try:
        return plan_release(release, snapshot, policy, ())
    except UnderwayError as error:
        left_out.append(f"there is no plan to release {release.number} now: {error.message}")
        return None


def _tools(snapshot: Snapshot) -> ImageIdentity:
    """The tools image that the app's anchors run: no other is made or looked for."""
    for host in snapshot.reachable:
        anchors = {c.image_id for c in host.containers if c.role == Role.ANCHOR}
        for image in host.images:
            if image.id in anchors and image.repo_tags:
                return ImageIdentity(image.repo_tags[0], image.id)
    return NO_TOOLS


def _redacted_json(line: str, redact: Callable[[str], str]) -> str:
    """A line of JSON with its texts redacted: a value is written otherwise where it is escaped."""
    return json.dumps(_redacted(json.loads(line), redact), ensure_ascii=False)


def _redacted(value: Any, redact: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: _redacted(entry, redact) for key, entry in value.items()}
    return [_redacted(entry, redact) for entry in value] if isinstance(value, list) else value
