"""Where images are made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from underway.model.names import HostName
from underway.model.spec import ServiceSpec
from underway.ports import Builder, Engine


@dataclass(frozen=True, slots=True)
class Yard:
    """Where images are made: a builder, the engine it builds on, and the app's hosts."""

    builder: Builder
    engine: Engine
    hosts: Mapping[HostName, Engine]
    progress: Callable[[str], None]


def first_host(service: ServiceSpec, yard: Yard) -> Engine:
    """The first host of a service that can be asked, else the building engine."""
    return next((yard.hosts[name] for name in service.hosts if name in yard.hosts), yard.engine)
