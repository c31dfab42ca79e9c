"""What somebody should know who reads a file or a plan."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Remark:
    """Something the user should know about the file: a key without effect, a choice made."""

    code: str
    message: str
    place: str = ""
