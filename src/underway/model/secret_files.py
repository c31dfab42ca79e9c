"""How a service's files reach its containers: secrets in a volume, the rest at creation."""

from typing import Final

from underway.model.spec import FileSpec, ServiceSpec

SECRETS_DIRECTORY: Final = "/run/secrets"


def secret_files(service: ServiceSpec) -> tuple[FileSpec, ...]:
    """Files that stand in the generation's volume, mounted read-only at `/run/secrets`."""
    return tuple(
        file
        for file in service.files
        if file.is_secret and file.target.startswith(f"{SECRETS_DIRECTORY}/")
    )


def uploaded_files(service: ServiceSpec) -> tuple[FileSpec, ...]:
    """Files that are put into a container when it is created."""
    mounted = set(secret_files(service))
    return tuple(file for file in service.files if file not in mounted)
