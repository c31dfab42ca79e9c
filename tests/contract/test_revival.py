"""Records on a real engine can be read again after their anchor was stopped or removed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.conftest import Site, clear
from tests.contract.image_site import Site as Workplace
from tests.contract.test_ledger import APP, KEY, TOKEN, VALUES, release
from underway.adapters.connector import DockerConnector
from underway.adapters.engine import DockerEngine
from underway.adapters.ledger import AnchorLedger
from underway.adapters.revival import revive_anchor
from underway.adapters.vault import AnchorVault
from underway.errors import EngineError
from underway.image.tools import ensure_tools_image
from underway.image.yard import Yard
from underway.model.image import ImageIdentity
from underway.model.names import ReleaseNumber
from underway.rollout.naming import anchor_name

ROOT = Path(__file__).parents[2]


@pytest.fixture
def engine(site: Site, connector: DockerConnector) -> Iterator[DockerEngine]:
    """A host with records, and a tools image that it alone holds."""
    opened = connector.connect(site.spec)
    clear(opened)
    base = site.laboratory.images["tools-base"]
    opened.pull(base)
    tools = ensure_tools_image(
        Yard(Workplace(site.laboratory).classic(), opened, {}, lambda _: None),
        reference="underway-tools:revival",
        directory=ROOT / "tools-image",
        base=base,
    )
    assert revive_anchor(opened, APP, lambda: tools)
    AnchorLedger(opened, APP).record_release(release(1))
    AnchorVault(opened, APP).write(ReleaseNumber(1), VALUES, KEY)
    yield opened
    clear(opened)


def nobody() -> ImageIdentity:
    raise EngineError("no-engine", "the host's own tools image is enough")


@pytest.mark.parametrize("is_removed", [False, True])
def test_records_are_read_through_a_revived_anchor(
    engine: DockerEngine, *, is_removed: bool
) -> None:
    engine.stop(anchor_name(APP), 1)
    if is_removed:
        engine.remove(anchor_name(APP))
    assert revive_anchor(engine, APP, nobody)
    ledger = AnchorLedger(engine, APP).read()
    assert ledger is not None
    assert ledger.releases == (release(1),)
    vault = AnchorVault(engine, APP)
    assert vault.key() == KEY
    values = vault.read(ReleaseNumber(1))
    assert values is not None
    assert values[TOKEN].reveal() == VALUES[TOKEN].reveal()
