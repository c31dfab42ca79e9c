"""Model values and run views -> JSON documents. Pure: every function is a plain mapping."""

from collections.abc import Sequence
from dataclasses import asdict

from underway.errors import (
    CODES,
    ConfigurationError,
    LockedError,
    NotUndoneError,
    RefusedError,
    StepFailedError,
    UnderwayError,
    UsageError,
)
from underway.model.change import ServiceChange
from underway.model.check import CheckResult
from underway.model.event import Outcome
from underway.model.names import AppName, HostName
from underway.model.plan import Plan
from underway.model.status import (
    HostStatus,
    LockStatus,
    ReplicaStatus,
    ServiceStatus,
    ServiceUrl,
    StatusReport,
)
from underway.model.usage import UsageReport
from underway.report.check_text import check_exit_code
from underway.report.document_parts import (
    ChangePart,
    CheckPart,
    CodePart,
    DifferencePart,
    DriftPart,
    EdgePart,
    ErrorPart,
    FailurePart,
    HostPart,
    InterruptionPart,
    LimitPart,
    LockPart,
    NotePart,
    ReplicaPart,
    ServicePart,
    StagePart,
    StepPart,
    TrafficPart,
    UrlPart,
    UsagePart,
)
from underway.report.documents import (
    CheckDocument,
    CodeDocument,
    CodesDocument,
    ErrorDocument,
    LockDocument,
    PlanDocument,
    RunDocument,
    StatusDocument,
)
from underway.report.line import clean
from underway.report.look_documents import (
    UrlsDocument,
    UsageDocument,
)
from underway.report.step_text import step_text
from underway.report.view import RunView


def status_document(report: StatusReport) -> StatusDocument:
    """What an app is doing now."""
    return StatusDocument(
        app=report.app,
        environment=report.environment,
        release=report.release,
        tag=report.tag,
        taken_at=report.taken_at,
        exit_code=report.exit_code,
        hosts=tuple(_host(host) for host in report.hosts),
        services=tuple(_service(service) for service in report.services),
        edges=tuple(
            EdgePart(edge.host, edge.version, edge.http_port, edge.names, edge.is_outdated)
            for edge in report.edges
        ),
        drift=tuple(
            DriftPart(drift.kind, drift.subject, drift.explanation, drift.remedy)
            for drift in report.drift
        ),
        tests=report.tests.value,
        limit=None if report.limit is None else LimitPart(report.limit.hosts, report.limit.others),
    )


def _host(host: HostStatus) -> HostPart:
    return HostPart(
        name=host.name,
        url=host.url,
        is_reachable=host.is_reachable,
        reason=host.reason,
        engine_version=host.engine_version,
        release=host.release,
        lock=None if host.lock is None else _lock(host.name, host.lock),
    )


def _lock(host: HostName, lock: LockStatus) -> LockPart:
    return LockPart(host=host, holder=lock.holder, since=lock.since, run=lock.run)


def _service(service: ServiceStatus) -> ServicePart:
    return ServicePart(
        name=service.name,
        strategy=service.strategy,
        image=service.image,
        wished=service.wished,
        ready=service.ready,
        generation=service.generation,
        replicas=tuple(_replica(replica) for replica in service.replicas),
        is_stopped=service.is_stopped,
        instead_of=service.instead_of,
    )


def _replica(replica: ReplicaStatus) -> ReplicaPart:
    return ReplicaPart(
        name=replica.name,
        host=replica.host,
        status=replica.status,
        health=replica.health,
        release=replica.release,
        is_current=replica.is_current,
        standing=replica.standing,
        started_at=replica.started_at,
        restart_count=replica.restart_count,
        traffic=tuple(TrafficPart(entry.edge, entry.state) for entry in replica.traffic),
    )


def plan_document(plan: Plan) -> PlanDocument:
    """A plan with all its steps, numbered in the order of stages and lanes."""
    steps: list[StepPart] = []
    for index, stage in enumerate(plan.stages, start=1):
        for lane in stage.lanes:
            for step in lane.steps:
                text = step_text(step)
                kind = type(step).__name__
                number = len(steps) + 1
                steps.append(
                    StepPart(number, index, lane.host, kind, text.subject, text.extra, step.cause)
                )
    return PlanDocument(
        app=plan.app,
        release=plan.release,
        goal=plan.goal,
        is_empty=plan.is_empty,
        changes=tuple(_change(change) for change in plan.changes),
        stages=tuple(
            StagePart(index, stage.title, stage.is_commit)
            for index, stage in enumerate(plan.stages, start=1)
        ),
        steps=tuple(steps),
        interrupts=plan.interrupts,
        interruptions=tuple(
            InterruptionPart(entry.service, entry.kind, entry.reason)
            for entry in plan.interruptions
        ),
        left=plan.left,
        remarks=plan.remarks,
    )


def _change(change: ServiceChange) -> ChangePart:
    return ChangePart(
        change.service,
        change.cause,
        change.since,
        tuple(DifferencePart(d.kind, d.name, d.turn) for d in change.differences),
    )


def run_document(view: RunView, error: UnderwayError | None = None) -> RunDocument:
    """A run that is over, or as far as it came; `error` is what the command ended with."""
    return RunDocument(
        command=view.command,
        app=view.app,
        run=view.run,
        release=view.release,
        outcome=view.outcome or _outcome(error),
        exit_code=error.exit_code if error else view.exit_code,
        duration_s=round(view.duration_s, 3),
        steps=view.finished,
        text=view.text,
        undo_cause=view.undo.cause if view.undo else "",
        interrupts=view.interrupts,
        failures=tuple(
            FailurePart(
                host=failure.host,
                kind=failure.kind,
                subject=failure.subject,
                code=failure.code,
                message=failure.message,
                hint=failure.hint,
                detail=tuple(clean(entry) for entry in failure.detail),
                is_in_undo=failure.is_in_undo,
            )
            for failure in view.failures
        ),
        notes=tuple(
            NotePart(entry.note.level, entry.note.code, entry.note.text, entry.host)
            for entry in view.notes
        ),
        error=None if error is None else _error(error),
    )


def _outcome(error: UnderwayError | None) -> Outcome:
    """How a run ended that told no end of its own: its error tells."""
    match error:
        case None:
            return Outcome.DONE
        case StepFailedError():
            return Outcome.UNDONE
        case NotUndoneError():
            return Outcome.NOT_UNDONE
        case RefusedError() | LockedError() | UsageError() | ConfigurationError():
            return Outcome.REFUSED
        case _:
            return Outcome.FAILED


def check_document(app: AppName, results: Sequence[CheckResult]) -> CheckDocument:
    """What was found on the hosts."""
    return CheckDocument(
        app=app,
        exit_code=check_exit_code(results),
        results=tuple(
            CheckPart(result.host, result.topic, result.verdict, result.text, result.remedy)
            for result in results
        ),
    )


def lock_document(app: AppName, holders: Sequence[tuple[HostName, LockStatus]]) -> LockDocument:
    """Who holds the lock where."""
    return LockDocument(app, tuple(_lock(host, lock) for host, lock in holders))


def usage_document(app: AppName, report: UsageReport) -> UsageDocument:
    """What replicas use."""
    return UsageDocument(
        app=app,
        taken_at=report.taken_at,
        replicas=tuple(UsagePart(**asdict(replica)) for replica in report.replicas),
        lost=report.lost,
    )


def urls_document(app: AppName, found: Sequence[ServiceUrl]) -> UrlsDocument:
    """Where users reach an app."""
    return UrlsDocument(app, tuple(UrlPart(one.service, one.url) for one in found))


def error_document(error: UnderwayError) -> ErrorDocument:
    """An error that ended a command."""
    return ErrorDocument(_error(error))


def _error(error: UnderwayError) -> ErrorPart:
    return ErrorPart(
        code=error.code,
        exit_code=error.exit_code,
        message=error.message,
        cause=error.cause,
        hint=error.hint,
        place=error.place,
        detail=tuple(clean(entry) for entry in error.detail),
    )


def code_document(code: str) -> CodeDocument:
    """What the reference says of a code; raises KeyError."""
    entry = CODES[code]
    return CodeDocument(code, entry.exit_code, entry.meaning, entry.remedy)


def codes_document() -> CodesDocument:
    """All error codes."""
    return CodesDocument(
        tuple(
            CodePart(code, entry.exit_code, entry.meaning, entry.remedy)
            for code, entry in sorted(CODES.items())
        )
    )
