"""One process: settings, the test switch, migrations if asked for, then HTTP until SIGTERM.

At SIGTERM the sockets first stop to accept, browsers on `/live` get their goodbye (1001),
requests in flight finish within LIBRA_DRAIN seconds, and the process ends with status 0.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
import time
from types import FrameType

import psycopg
import uvicorn

from libra.application import build_application
from libra.failure import FailureKind
from libra.migrations import MigrationError, migrate, read_migrations
from libra.requests import Libra
from libra.settings import Settings, SettingsError, read_settings

# Longer than any proxy's in front: whoever closes an idle connection first must not be us.
KEEP_ALIVE_S = 90

log = logging.getLogger("libra")


class Server(uvicorn.Server):
    """Uvicorn's server, with Libra's goodbye to browsers and status 0 after SIGTERM."""

    def __init__(self, config: uvicorn.Config, libra: Libra) -> None:
        super().__init__(config)
        self._libra = libra

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Begin to stop; a second signal ends the wait for requests in flight."""
        failure = self._libra.settings.failure
        kind = None if failure is None else failure.kind
        if kind is FailureKind.IGNORE_STOP:
            return
        if kind is FailureKind.DROP_AT_STOP:
            os._exit(0)
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the door and say so."""
        await super().startup(sockets)
        settings = self._libra.settings
        log.info("version %s listens on port %d", settings.version, settings.port)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the door, say goodbye, let requests in flight finish."""
        for server in self.servers:
            server.close()
        await self._libra.hub.say_goodbye()
        await super().shutdown(sockets)


def main() -> int:
    """Run until stopped; returns the exit status."""
    # Process 1 has no default reaction to SIGTERM: without this a slow start cannot be stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    logging.basicConfig(
        level=logging.INFO, stream=sys.stdout, format="%(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
    try:
        settings = read_settings(os.environ)
        _misbehave_at_start(settings)
        if settings.is_migrating_at_start:
            for migration in migrate(settings.database_url, read_migrations()):
                log.info("applied migration %04d %s", migration.level, migration.name)
    except (SettingsError, MigrationError, psycopg.Error) as error:
        log.critical("cannot start: %s", str(error).strip())
        return 1
    return _serve(settings)


def _serve(settings: Settings) -> int:
    application = build_application(settings)
    config = uvicorn.Config(
        application,
        host="0.0.0.0",
        port=settings.port,
        log_config=None,
        access_log=settings.is_access_logged,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=int(settings.drain_s),
        ws="websockets-sansio",
        ws_ping_interval=20,
        ws_max_size=64 * 1024,
        backlog=1024,
    )
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    server = Server(config, application.state.libra)
    asyncio.run(server.serve())
    log.info("stopped")
    return 0 if server.started else 1


def _misbehave_at_start(settings: Settings) -> None:
    failure = settings.failure
    if failure is None:
        return
    log.warning("test switch LIBRA_FAIL=%s", failure.kind.value)
    if failure.kind is FailureKind.CRASH_AT_START:
        log.error("crashing at start, as LIBRA_FAIL asks")
        sys.exit(3)
    if failure.kind is FailureKind.SLOW_START:
        time.sleep(failure.number)
    if failure.kind is FailureKind.CRASH_AFTER:
        timer = threading.Timer(failure.number, _crash)
        timer.daemon = True
        timer.start()


def _crash() -> None:
    log.error("crashing now, as LIBRA_FAIL asks")
    os._exit(3)
