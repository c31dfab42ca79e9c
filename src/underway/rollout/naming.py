"""Every name the planner chooses: containers, volumes, labels. Names carry meaning, never ids."""

from underway.model.names import (
    GENERATION_DIGITS,
    LABEL_APP,
    LABEL_ROLE,
    AppName,
    ContainerName,
    Generation,
    ReleaseNumber,
    ServiceName,
)
from underway.model.snapshot import Role

RETIRED_SUFFIX = "-retired"


def replica_name(
    app: AppName, service: ServiceName, generation: Generation, index: int
) -> ContainerName:
    """`libra-web-7f3a2c-1`."""
    return ContainerName(f"{app}-{service}-{generation[:GENERATION_DIGITS]}-{index}")


def successor_name(first: ContainerName, number: int) -> ContainerName:
    """`libra-web-7f3a2c-1-2`: the second container that stood for a replica; number 1 is `first`.

    Both run one configuration, so that they share their generation.
    """
    return first if number == 1 else ContainerName(f"{first}-{number}")


def successor_number(name: str, first: ContainerName) -> int:
    """The number by which `successor_name` gives `name`, or 0."""
    if name == first:
        return 1
    head, _, number = name.rpartition("-")
    is_one = head == first and number.isascii() and number.isdecimal()
    return int(number) if is_one and int(number) > 1 else 0


def retired_name(container: str) -> ContainerName:
    """The name of a container that is on its way out."""
    return ContainerName(f"{container}{RETIRED_SUFFIX}")


def is_retired(container: str) -> bool:
    """Whether the name says that the container is on its way out."""
    return container.endswith(RETIRED_SUFFIX)


def before_name(app: AppName, service: ServiceName, release: ReleaseNumber) -> ContainerName:
    """`libra-web-before-12`: the command that ran once before release 12."""
    return ContainerName(f"{app}-{service}-before-{release}")


def undo_name(app: AppName, service: ServiceName, release: ReleaseNumber) -> ContainerName:
    """`libra-web-undo-12`: the command that took back what `before` of release 12 did."""
    return ContainerName(f"{app}-{service}-undo-{release}")


def anchor_name(app: AppName) -> ContainerName:
    """The tiny container that holds an app's records on a host."""
    return ContainerName(f"underway-anchor-{app}")


def ledger_volume(app: AppName) -> str:
    """The volume of releases and runs."""
    return f"underway-ledger-{app}"


def vault_volume(app: AppName) -> str:
    """The volume of sensitive values."""
    return f"underway-vault-{app}"


def files_volume(app: AppName, service: ServiceName, generation: Generation) -> str:
    """The volume of the secret files of one generation."""
    return f"underway-files-{app}-{service}-{generation[:GENERATION_DIGITS]}"


def own_labels(app: AppName, role: Role) -> tuple[tuple[str, str], ...]:
    """The labels that make a thing ours."""
    return ((LABEL_APP, app), (LABEL_ROLE, role.value))
