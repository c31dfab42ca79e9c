"""Versions: the one a commit has, and the next one."""

import pytest

from underway.errors import ConfigurationError
from underway.image.tags import SourceFacts, TagContext, moving_tags, require_tag, version_of
from underway.image.versions import Bump, following, highest, read_version

PAST = ("v1.2.0", "v1.10.0", "v2.0.0-rc.1", "nightly")
UNTAGGED = SourceFacts(commit="c" * 40, past_tags=PAST)


@pytest.mark.parametrize(
    ("version", "bump", "after"),
    [
        ("1.2.3", Bump.PATCH, "1.2.4"),
        ("1.2.3", Bump.MINOR, "1.3.0"),
        ("1.2.3", Bump.MAJOR, "2.0.0"),
        ("2.0.0-rc.1", Bump.PATCH, "2.0.0"),
        ("2.0.0-rc.1", Bump.MAJOR, "2.0.0"),
        ("1.3.0-rc.1", Bump.MINOR, "1.3.0"),
        ("1.2.4-rc.1", Bump.MINOR, "1.3.0"),
        ("1.2.3+build.7", Bump.PATCH, "1.2.4"),
        ("", Bump.PATCH, "0.0.1"),
        ("", Bump.MINOR, "0.1.0"),
    ],
)
def test_the_next_version_grows_where_it_was_asked_to(version: str, bump: Bump, after: str) -> None:
    assert following(version, bump) == after


def test_the_highest_version_counts_by_precedence_and_not_by_text() -> None:
    assert highest(("v1.9.0", "v1.10.0", "main")) == "1.10.0"
    assert highest(("main",)) == ""


def test_a_version_tag_of_the_commit_comes_before_the_next_one() -> None:
    tagged = SourceFacts(commit="c" * 40, git_tags=("v1.10.0",), past_tags=PAST)
    assert version_of(tagged, TagContext(bump=Bump.MINOR)) == "1.10.0"


def test_a_commit_keeps_the_version_it_was_shipped_under() -> None:
    shipped = (("2.1.0", "c" * 40), ("2.2.0", "d" * 40))
    assert version_of(UNTAGGED, TagContext(bump=Bump.PATCH, shipped=shipped)) == "2.1.0"
    assert version_of(UNTAGGED, TagContext(shipped=shipped)) == "2.1.0"


def test_the_next_version_is_above_all_that_git_and_the_records_know() -> None:
    assert version_of(UNTAGGED, TagContext(bump=Bump.MINOR)) == "2.0.0"
    shipped = (("2.2.0", "d" * 40),)
    assert version_of(UNTAGGED, TagContext(bump=Bump.MINOR, shipped=shipped)) == "2.3.0"
    assert version_of(UNTAGGED, TagContext()) == "", "nobody asked for one"


def test_uncommitted_work_has_a_next_version_and_never_that_of_its_commit() -> None:
    dirty = SourceFacts("c" * 40, is_dirty=True, git_tags=("v3.0.0",), past_tags=("v3.0.0",))
    assert version_of(dirty, TagContext(shipped=(("3.0.0", "c" * 40),))) == ""
    assert version_of(dirty, TagContext(bump=Bump.PATCH)) == "3.0.1"


def test_what_is_no_version_is_refused() -> None:
    assert read_version("v1.2.3") == "1.2.3"
    with pytest.raises(ConfigurationError) as caught:
        read_version("1.2")
    assert caught.value.code == "tag-invalid"


@pytest.mark.parametrize("tag", ["latest", "", "-x", "a b", "a/b", "x" * 129])
def test_what_cannot_be_a_tag_of_a_release_is_refused(tag: str) -> None:
    with pytest.raises(Exception, match="cannot be a tag") as caught:
        require_tag(tag)
    assert getattr(caught.value, "code", "") == "tag-refused"


def test_moving_tags_follow_the_environment_and_are_left_out_without_one() -> None:
    assert moving_tags(("{environment}", "edge", "on-{environment}"), "staging") == (
        "staging",
        "edge",
        "on-staging",
    )
    assert moving_tags(("{environment}", "edge"), "") == ("edge",)
