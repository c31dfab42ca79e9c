"""What happened on hosts, one line each. Pure."""

from datetime import UTC, datetime
from typing import Final

from underway.model.happening import ContainerEvent, Happening
from underway.model.snapshot import Role
from underway.report.history_text import outcome_span
from underway.report.line import Line, Span, bad, faint, good, line, strong, warn
from underway.report.look_documents import HappeningDocument

_SIGNALS: Final = {"1": "SIGHUP", "2": "SIGINT", "3": "SIGQUIT", "9": "SIGKILL", "15": "SIGTERM"}
_TEXTS: Final = {
    "create": "created",
    "destroy": "removed",
    "pause": "paused",
    "restart": "restarted",
    "start": "started",
    "unpause": "goes on",
}


def happening_line(happening: Happening) -> Line:
    """When, where, what."""
    moment = datetime.fromtimestamp(happening.time_s, UTC).strftime("%Y-%m-%d %H:%M:%S")
    if happening.event is not None:
        where = faint(f"{happening.host}  ")
        return line(faint(f"{moment}  "), where, *_container(happening.event))
    if happening.run is None:
        return line(faint(moment))
    run = happening.run
    release = f" release {run.release}" if run.release else ""
    what = (strong(f"run {run.number}"), f"  {run.command}{release} by {run.actor}: ")
    return line(faint(f"{moment}  "), *what, outcome_span(run) if happening.is_end else "begins")


def happening_document(app: str, happening: Happening) -> HappeningDocument:
    """One thing that happened."""
    event, run = happening.event, happening.run
    run_action = ("run-end" if happening.is_end else "run-start") if run else ""
    return HappeningDocument(
        app=app,
        time=happening.time_s,
        host=happening.host or "",
        action=event.action if event else run_action,
        detail=event.detail if event else (run.outcome if run and happening.is_end else ""),
        service=event.service if event else "",
        container=event.container if event else "",
        role=event.role if event else "",
        run=run.number if run else 0,
        command=run.command if run else "",
        release=run.release if run else 0,
        actor=run.actor if run else (event.by if event else ""),
    )


def _container(event: ContainerEvent) -> tuple[Span | str, ...]:
    if event.role == Role.LOCK:
        told = {"start": "holds the lock", "destroy": "gave the lock back"}.get(event.action, "")
        return strong(event.by), f"  {told or f'lock: {event.action}'}"
    return strong(event.container), "  ", _told(event)


def _told(event: ContainerEvent) -> Span | str:
    match event.action:
        case "die":
            text = f"exited with {event.detail}"
            return Span(text) if event.detail == "0" else warn(text)
        case "oom":
            return bad("ran out of memory")
        case "kill":
            return f"got {_SIGNALS.get(event.detail, f'signal {event.detail}')}"
        case "rename":
            return f"was {event.detail}"
        case "health_status":
            is_well = event.detail == "healthy"
            return good("healthy") if is_well else warn(event.detail)
        case _:
            return _TEXTS.get(event.action, event.action)
