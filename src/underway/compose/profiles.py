"""Profiles that are asked for: Compose takes any name, and leaves services out for a wrong one."""

from collections.abc import Sequence
from typing import Final

from underway.compose.positions import Positions, SourceText
from underway.errors import UsageError
from underway.errors.suggestion import meant_hint

_ALL: Final = "*"


def require_profiles(wanted: Sequence[str], texts: Sequence[SourceText]) -> None:
    """Raise UsageError `profile-unknown` for a profile that no service of the files has.

    A file that is named by a variable or from elsewhere is not among `texts`: where one is
    included or extended, a profile may be there.
    """
    asked = sorted(set(wanted) - {_ALL})
    if not asked:
        return
    positions = Positions(texts)
    services = positions.below("services")
    has_more = any(positions.has("services", name, "extends", "file") for name in services)
    known = {
        profile for name in services for profile in positions.below("services", name, "profiles")
    }
    for name in asked:
        if name in known or has_more or positions.has("include"):
            continue
        listed = ", ".join(f"`{profile}`" for profile in sorted(known))
        raise UsageError(
            "profile-unknown",
            f"no service has the profile `{name}`",
            cause=f"the file has {listed}" if known else "the file has no profiles",
            hint=meant_hint(name, known, "Correct the name after --profile, or leave it out."),
        )
