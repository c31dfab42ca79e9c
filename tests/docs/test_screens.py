"""Pictures of terminals: each is shown somewhere, and tells nothing of where it was made."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pyte
import pytest

from scripts.screen_svg import svg_of
from tests.docs.pages import ROOT, pages

PICTURES = sorted((ROOT / "docs" / "screens").glob("*.svg"))
SHOWN = re.compile(r"!\[([^\]]+)\]\(([^)]+\.svg)\)")
NAMES = {"init", "plan", "deploy", "deploy-progress", "failed-deploy", "status", "history"}


def shown() -> dict[Path, str]:
    """Each picture that a page shows, with what the page says to those who cannot see it."""
    return {
        (page.parent / path).resolve(): text
        for page in pages()
        for text, path in SHOWN.findall(page.read_text(encoding="utf-8"))
    }


def test_every_screen_is_there_and_shown():
    assert {picture.stem for picture in PICTURES} == NAMES
    assert set(shown()) == {picture.resolve() for picture in PICTURES}


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.stem)
def test_a_screen_is_whole_and_tells_nothing_of_where_it_was_made(picture: Path):
    told = "".join(ET.parse(picture).getroot().itertext())  # noqa: S314 - our own file
    assert "$ underway " in told
    places = ("/" + name for name in ("tmp", "root", "home", "work"))
    assert not any(place in told for place in places)


def test_a_screen_keeps_text_colours_and_places():
    screen = pyte.Screen(20, 3)
    pyte.Stream(screen).feed("\x1b[1;32mdone\x1b[0m <ok>\r\n  next")
    svg = svg_of(screen)
    root = ET.fromstring(svg)  # noqa: S314 - made above
    spans = list(root.iter("{http://www.w3.org/2000/svg}tspan"))
    assert [span.text for span in spans] == ["done", " <ok>", "  next"]
    assert spans[0].get("font-weight") == "bold"
    assert spans[0].get("fill") != spans[1].get("fill")
