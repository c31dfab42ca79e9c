import json
from dataclasses import replace

from tests.unit.report.test_lists import DONE, RELEASE
from underway.model.change import HIDDEN, Comparison, Detail, PartChange, Turn
from underway.model.names import NO_RELEASE, ReleaseNumber, ServiceName
from underway.model.status import ReleaseDetail, ReleaseStanding, ReleaseStatus
from underway.model.testing import ReleasedSuite
from underway.report.documents import encode_document
from underway.report.history_documents import comparison_document, release_detail_document
from underway.report.line import draw
from underway.report.release_text import comparison_lines, release_detail_lines

SHOWN = ReleaseDetail(
    ReleaseStatus(
        replace(
            RELEASE,
            suites=(ReleasedSuite("unit", "d1"), ReleasedSuite("api", "d2", has_passed=False)),
        ),
        ReleaseStanding.CURRENT,
        RELEASE.spec.services[0].hosts,
    ),
    (DONE,),
)
FOUND = Comparison(
    ReleaseNumber(11),
    NO_RELEASE,
    (
        PartChange(ServiceName(""), Turn.CHANGED, (Detail("subnet", "", Turn.CHANGED, "a", "b"),)),
        PartChange(
            ServiceName("web"),
            Turn.CHANGED,
            (
                Detail("environment", "MODE", Turn.ADDED, "", "fast"),
                Detail("environment", "KEY", Turn.CHANGED, HIDDEN, HIDDEN),
                Detail("label", "a", Turn.REMOVED, "b", ""),
            ),
        ),
        PartChange(ServiceName("worker"), Turn.REMOVED),
    ),
    (ServiceName("web"),),
)


def test_a_release_is_shown_with_all_that_it_is_made_of():
    text = draw(release_detail_lines(SHOWN))
    head, _, rest = text.partition("\nimages\n")
    assert head == (
        "release 12 (v1) of libra: current on app1, app2\n"
        "  created  2026-03-01 10:00:00 by kim\n"
        "  commit   3f2a91c0aa112233\n"
        "  test     unit passed\n"
        "  test     api has not passed\n"
        "  run      1, deploy at 2026-03-01 10:00:00 by kim@laptop: done\n"
    )
    assert "MODE=production" in rest
    assert f"KEY={HIDDEN}" in rest
    document = json.loads(encode_document(release_detail_document(SHOWN)))
    assert (document["kind"], document["release"]["standing"]) == ("release-detail", "current")
    assert document["runs"][0]["command"] == "deploy"
    assert document["spec"]["services"][0]["name"] == "web"


def test_what_differs_is_told_part_by_part():
    assert draw(comparison_lines(FOUND)) == (
        "release 11 to the file\n"
        "\n"
        "app\n"
        "  ~ subnet  a -> b\n"
        "\n"
        "web\n"
        "  + environment MODE  fast\n"
        "  ~ environment KEY   (sensitive), another value\n"
        "  - label a           b\n"
        "\n"
        "worker removed\n"
        "\n"
        "built by a deploy, and told by `underway plan`: web\n"
    )
    document = json.loads(encode_document(comparison_document(RELEASE.spec.name, FOUND)))
    assert (document["before"], document["after"], document["is_same"]) == (11, 0, False)
    assert document["parts"][1]["details"][1]["before"] == HIDDEN


def test_that_nothing_differs_is_said():
    text = draw(comparison_lines(Comparison(ReleaseNumber(1), ReleaseNumber(2))))
    assert text == "release 1 to release 2\nnothing differs\n"
