"""Base images."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Image:
    key: str
    reference: str


IMAGES: tuple[Image, ...] = ()


def registry_seed() -> Path | None:
    return None
