"""What is asked of shipping: the user's wish, with what the records tell of it."""

from dataclasses import dataclass, field

from underway.api.session import Order, Session, current_release, releases_of
from underway.image.versions import VersionWish
from underway.model.names import ServiceName
from underway.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class ShipWish:
    """What the user asks of shipping: services to resolve anew, and the version.

    `only` are the services that are built and resolved at all; empty for every one.
    """

    refresh: frozenset[ServiceName] = frozenset()
    version: VersionWish = field(default_factory=VersionWish)
    only: frozenset[ServiceName] = frozenset()


def order_of(session: Session, snapshot: Snapshot, wish: ShipWish, *, is_test: bool) -> Order:
    """The order of a wish; uncommitted work may be tested whatever the policy says."""
    known = releases_of(snapshot).values()
    return Order(
        previous=current_release(snapshot),
        refresh=wish.refresh,
        only=wish.only,
        version=wish.version,
        shipped=tuple(sorted({(one.version, one.commit) for one in known if one.version})),
        requires_clean=session.requires_clean and not is_test,
    )
