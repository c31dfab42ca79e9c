"""Commands in containers of the app's hosts: conversations over the engines, and leashes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from underway.model.names import ContainerName, HostName
from underway.ports.conversation import CommandDesk, CommandWish, Conversation

if TYPE_CHECKING:
    from underway.adapters.engine import DockerEngine
    from underway.wiring.workshop import HostWorkshop


def command_desk(
    engines: "Mapping[HostName, DockerEngine]", workshop: "HostWorkshop"
) -> CommandDesk:
    """See `ports.conversation.CommandDesk`."""

    def converse(host: HostName, name: ContainerName, wish: CommandWish) -> Conversation:
        from underway.adapters.engine.conversation import begin_command

        return begin_command(engines[host].connection, name, wish)

    def attach(host: HostName, name: ContainerName, has_tty: bool) -> Conversation:  # noqa: FBT001
        from underway.adapters.engine.conversation import attach_command

        return attach_command(engines[host].connection, name, has_tty=has_tty)

    @contextmanager
    def leash(host: HostName, name: ContainerName, labels: Mapping[str, str]) -> Iterator[None]:
        from underway.adapters.beat import LEASH
        from underway.adapters.mark import held_mark

        engine = engines[host]
        workshop.bring_tools(engine)
        with held_mark(engine, name, workshop.tools_reference(), labels, LEASH) as mark:
            mark.confirm()
            yield

    return CommandDesk(converse, attach, leash)
