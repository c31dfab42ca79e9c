"""What a step does, in words: verb by the kind of step, subject by what it works on. Pure."""

from dataclasses import dataclass
from typing import Final, assert_never

from underway.model.image import ImageIdentity
from underway.model.step import (
    AwaitContainer,
    AwaitDrained,
    AwaitedState,
    AwaitServers,
    ConfirmUpstream,
    CreateContainer,
    CreateNetwork,
    CreateVolume,
    Gate,
    PullImage,
    RecordRelease,
    RemoveContainer,
    RemoveImage,
    RemoveNetwork,
    RemoveProxy,
    RemoveUpstream,
    RemoveVolume,
    RenameContainer,
    RenewProxy,
    SendImage,
    SetCurrent,
    SetRestart,
    SetUpstream,
    StartContainer,
    Step,
    StopContainer,
    Watch,
    WriteFiles,
    WriteVault,
)
from underway.model.traffic import ServerMode, Upstream
from underway.report.amounts import digest_text, duration_text

VERBS: Final = {
    "PullImage": "pull image",
    "SendImage": "send image",
    "CreateNetwork": "create network",
    "RemoveNetwork": "remove network",
    "CreateVolume": "create volume",
    "CopyVolumes": "copy",
    "DumpVolume": "dump",
    "RestoreVolume": "restore",
    "RemoveVolume": "remove volume",
    "RemoveProxy": "remove proxy",
    "RenewProxy": "renew proxy",
    "WriteFiles": "write files",
    "WriteVault": "write values of release",
    "RecordRelease": "record release",
    "SetCurrent": "set current release",
    "CreateContainer": "create",
    "StartContainer": "start",
    "StopContainer": "stop",
    "RenameContainer": "rename",
    "SetRestart": "set restart of",
    "RemoveContainer": "remove",
    "RemoveImage": "remove image",
    "SetUpstream": "route",
    "RemoveUpstream": "unroute",
    "AwaitContainer": "await",
    "AwaitServers": "probe",
    "ConfirmUpstream": "confirm",
    "AwaitDrained": "drain",
    "Watch": "watch",
}
_UNTIL: Final = {
    AwaitedState.READY: "to be ready",
    AwaitedState.COMPLETED: "to complete",
    AwaitedState.ENDED: "to end",
}
"""The verb of each kind of step; a test holds that none is missing."""
_UNPLANNED: Final = {"RunSuite": "test"}
"""What is told like a step and stands in no plan."""


def verb_of(kind: str) -> str:
    """The verb of a kind of step; a kind of a newer Underway stands for itself."""
    return VERBS.get(kind) or _UNPLANNED.get(kind, kind)


@dataclass(frozen=True, slots=True)
class StepText:
    """A step in words: `verb subject`, and limits or counts in `extra`."""

    verb: str
    subject: str
    extra: str = ""

    def __str__(self) -> str:
        """All in one line."""
        return " ".join(part for part in (self.verb, self.subject, self.extra) if part)


def step_text(step: Step) -> StepText:
    """What `step` does."""
    subject, extra = _subject(step)
    return StepText(verb_of(type(step).__name__), subject, extra)


def _subject(step: Step) -> tuple[str, str]:  # noqa: C901, PLR0911, PLR0912 (one case per kind)
    match step:
        case PullImage(image=image) | SendImage(image=image):
            return image.reference, _identity(image)
        case CreateNetwork() | RemoveNetwork() | CreateVolume() | RemoveVolume():
            return _place(step)
        case WriteFiles(volume=name, files=files):
            return name, ", ".join(file.target for file in files)
        case RemoveImage(image=name) | RemoveProxy(container=name) | RenewProxy(container=name):
            return name, ""
        case WriteVault(release=number) | RecordRelease(release=number):
            return str(number), ""
        case SetCurrent(release=number):
            return str(number), ""
        case RenameContainer(container=old, name=new):
            return old, f"to {new}"
        case SetRestart(container=name, restart=restart):
            return name, f"to {restart}"
        case CreateContainer() | StartContainer() | StopContainer() | RemoveContainer():
            return _container(step)
        case SetUpstream(upstream=upstream):
            return upstream.service, _servers(upstream)
        case RemoveUpstream(app=app, service=service):
            return service or f"all of {app}", ""
        case AwaitContainer() | AwaitServers() | ConfirmUpstream() | AwaitDrained() | Watch():
            return _gate(step)
        case _:
            assert_never(step)


def _place(step: CreateNetwork | RemoveNetwork | CreateVolume | RemoveVolume) -> tuple[str, str]:
    match step:
        case CreateNetwork(network=network):
            return network.physical, network.subnet
        case CreateVolume(volume=volume):
            return volume.physical, ""
        case RemoveNetwork(network=name):
            return name, ""
        case RemoveVolume(volume=name):
            return name, ""
        case _:
            assert_never(step)


def _container(
    step: CreateContainer | StartContainer | StopContainer | RemoveContainer,
) -> tuple[str, str]:
    match step:
        case CreateContainer(container=request):
            return request.name, ""
        case StopContainer(container=name, grace_s=grace_s):
            limit = "its own grace period" if grace_s is None else duration_text(grace_s)
            return name, f"within {limit}"
        case StartContainer(container=name) | RemoveContainer(container=name):
            return name, ""
        case _:
            assert_never(step)


def _gate(gate: Gate) -> tuple[str, str]:
    match gate:
        case AwaitContainer(container=name, until=until, timeout_s=limit_s):
            return name, f"{_UNTIL[until]} within {duration_text(limit_s)}"
        case AwaitServers(servers=servers, timeout_s=limit_s):
            names = ", ".join(server.container for server in servers)
            return names, f"from this edge within {duration_text(limit_s)}"
        case ConfirmUpstream(upstream=upstream):
            return upstream.service, _servers(upstream)
        case AwaitDrained(servers=servers, timeout_s=limit_s):
            return ", ".join(servers), f"at most {duration_text(limit_s)}"
        case Watch(container=name, monitor_s=monitor_s):
            return name, f"for {duration_text(monitor_s)}"
        case _:
            assert_never(gate)


def _identity(image: ImageIdentity) -> str:
    return digest_text(image.manifest_digest or image.config_digest)


def _servers(upstream: Upstream) -> str:
    """`live a: web-1, web-2; drain: web-3`: who gets requests, and who only finishes."""
    live, ready, draining = [], [], []
    for server in upstream.servers:
        if server.mode is ServerMode.DRAIN:
            draining.append(server.name)
        elif server.side is upstream.live:
            live.append(server.name)
        else:
            ready.append(server.name)
    parts = [f"live {upstream.live}: {', '.join(live) or 'none'}"]
    if ready:
        parts.append(f"standby: {', '.join(ready)}")
    if draining:
        parts.append(f"drain: {', '.join(draining)}")
    return "; ".join(parts)
