"""The end of old replicas: drained, stopped, forgotten by the edges, removed."""

from collections.abc import Iterable
from dataclasses import dataclass

from underway.model.step import AwaitDrained, Step
from underway.rollout.cast import Cast
from underway.rollout.causes import Causes
from underway.rollout.scene import Held
from underway.rollout.takeover import ending, removal


@dataclass(slots=True)
class Retirement:
    """Old replicas that take no new requests any more, still to be drained and removed.

    `is_late`: services on other hosts call them until their own old replicas are gone.
    """

    causes: Causes
    old: tuple[Held, ...]
    withdrawal: tuple[Step, ...] = ()
    is_kept: bool = False
    is_late: bool = False

    @property
    def cast(self) -> Cast:
        """The replicas of its service."""
        return self.causes.cast

    @property
    def may_be_sent_to(self) -> bool:
        """Whether old replicas are, or were, behind the proxy."""
        return self.cast.proxy is not None or any(h.state.port for h in self.old)

    def drain(self) -> Iterable[Step]:
        """Gates: only tunnels are left on the old replicas, or the drain time is over."""
        yield from self.withdrawal
        proxy = self.cast.proxy
        if proxy is None:
            return
        for model in self.cast.models:
            known = tuple(held.name for held in self.old if model.knows(held.name))
            if known:
                yield AwaitDrained(
                    model.edge,
                    model.scene.app,
                    self.cast.service.name,
                    known,
                    proxy.drain_s,
                    f"{_count(known)} requests under way",
                )

    def stop(self) -> Iterable[tuple[Step, ...]]:
        """Lanes that end the old replicas, side by side."""
        for held in self.old:
            yield ending(held, self.cast.service.stop_grace_s, self.causes.ending(held))

    def forget(self) -> Iterable[Step | None]:
        """Steps that make the edges forget them."""
        for model in self.cast.models:
            for held in self.old:
                model.drop(held.name)
            if not self.is_kept:
                model.settle()
                wished = {replica.name for replica in self.cast.wished}
                for key in list(model.servers):
                    if key[1] not in wished or key[0] is not model.live:
                        del model.servers[key]
            yield model.tell("old replicas are gone")

    def remove(self) -> Iterable[Step]:
        """Steps that remove their containers."""
        for held in self.old:
            yield from removal(held, self.causes.ending(held))


def leave(retirements: Iterable[Retirement], ended: Iterable[Held]) -> None:
    """Take those out that have ended by other steps of the plan."""
    gone = {(held.host, held.name) for held in ended}
    for retirement in retirements:
        retirement.old = tuple(h for h in retirement.old if (h.host, h.name) not in gone)


def _count(names: tuple[str, ...]) -> str:
    return f"{len(names)} old replicas finish" if len(names) != 1 else "one old replica finishes"
