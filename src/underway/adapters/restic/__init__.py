"""Restore points in a restic repository, worked on from a sidecar beside the data."""

from underway.adapters.restic.store import ResticStore

__all__ = ["ResticStore"]
