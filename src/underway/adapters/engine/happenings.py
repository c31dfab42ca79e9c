"""An engine's own events of an app's containers: the last few hundred, and those to come."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from underway.adapters.engine.connection import Call, Connection
from underway.model.happening import ContainerEvent
from underway.model.names import (
    LABEL_APP,
    LABEL_HOLDER,
    LABEL_ROLE,
    LABEL_SERVICE,
    AppName,
    ContainerName,
    ServiceName,
)

_ACTIONS: Final = (
    "create",
    "destroy",
    "die",
    "health_status",
    "kill",
    "oom",
    "pause",
    "rename",
    "restart",
    "start",
    "unpause",
)
"""What changes a container. Commands in it are left out: health checks are most of them."""
_DETAILS: Final = {"die": "exitCode", "kill": "signal", "rename": "oldName"}


def container_events(
    connection: Connection, app: AppName, *, since_s: float, until_s: float
) -> Iterator[ContainerEvent]:
    """See `ports.Engine.container_events`."""
    filters = {"type": ["container"], "label": [f"{LABEL_APP}={app}"], "event": list(_ACTIONS)}
    params = {"since": f"{since_s:.9f}", "filters": json.dumps(filters)}
    if until_s:
        params["until"] = f"{until_s:.9f}"
    call = Call(
        "GET",
        "/events",
        f"read the events of {app}",
        params,
        timeout_s=60.0 if until_s else None,
        is_stream=True,
    )
    for entry in connection.messages(call):
        yield container_event(entry)


def container_event(entry: Mapping[str, Any]) -> ContainerEvent:
    """One message of the engine."""
    attributes: Mapping[str, str] = entry["Actor"]["Attributes"]
    action, _, state = str(entry["Action"]).partition(": ")
    return ContainerEvent(
        time_s=entry["timeNano"] / 1e9,
        container=ContainerName(attributes.get("name", "")),
        action=action,
        detail=state or attributes.get(_DETAILS.get(action, ""), "").lstrip("/"),
        service=ServiceName(attributes.get(LABEL_SERVICE, "")),
        role=attributes.get(LABEL_ROLE, ""),
        by=attributes.get(LABEL_HOLDER, ""),
    )
