"""Registries by the OCI distribution specification, over HTTP, with Docker's credentials."""

from underway.adapters.registry.client import HttpRegistry
from underway.adapters.registry.transport import is_insecure

__all__ = ["HttpRegistry", "is_insecure"]
