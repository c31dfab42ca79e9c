"""The adapters are what the ports ask for, and cost nothing before they are used."""

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fakes.engine import FakeEngine
    from underway import ports
    from underway.adapters.connector import DockerConnector
    from underway.adapters.engine import DockerEngine
    from underway.adapters.ledger import AnchorLedger
    from underway.adapters.lock import AttachedLocks
    from underway.adapters.vault import AnchorVault

    def as_ports(
        engine: DockerEngine | FakeEngine,
        locks: AttachedLocks,
        ledger: AnchorLedger,
        vault: AnchorVault,
        connector: DockerConnector,
    ) -> tuple[ports.Engine, ports.Locks, ports.Ledger, ports.Vault, ports.Connector]:
        """The type checker holds each to its port."""
        return engine, locks, ledger, vault, connector


def test_opening_no_engine_loads_no_docker_library() -> None:
    script = (
        "import sys; import underway.adapters.connector;"
        "print(sorted({'docker', 'requests', 'stamina', 'msgspec'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
