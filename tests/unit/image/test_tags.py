"""How images are named: strategies, what is missing, and that a tag names one content."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from underway.errors import ConfigurationError, RefusedError
from underway.image.tags import (
    SourceFacts,
    TagContext,
    check_strategies,
    finish,
    sanitise,
    stems,
    version_of,
)

CLEAN = SourceFacts(commit="3f2a91c0d4" + "0" * 30, date="20260102", git_tags=("v1.9.0", "v1.10.0"))
DIGEST = "sha256:" + "abcdef0123456789" * 4
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


def _tag(strategy: str, source: SourceFacts = CLEAN, context: TagContext | None = None) -> str:
    return finish(stems((strategy,), source, context or TagContext())[0], source, DIGEST)


@pytest.mark.parametrize(
    ("strategy", "tag"),
    [
        ("{commit}", "3f2a91c0d4"),
        ("{date}-{commit}", "20260102-3f2a91c0d4"),
        ("{semver}", "1.10.0"),
        ("v{semver}", "v1.10.0"),
        ("{environment}-{build}", "staging-eu-77"),
        ("build.{build}", "build.77"),
    ],
)
def test_each_placeholder_is_filled(strategy: str, tag: str) -> None:
    assert _tag(strategy, context=TagContext("staging/eu", "77")) == tag


def test_uncommitted_work_carries_the_digits_of_its_image() -> None:
    dirty = SourceFacts(CLEAN.commit, is_dirty=True, date="20260102", git_tags=CLEAN.git_tags)
    assert _tag("{date}-{commit}", dirty) == "20260102-3f2a91c0d4-dirty-abcdef01"
    assert version_of(dirty, TagContext()) == ""


def test_without_git_the_image_names_itself() -> None:
    bare = SourceFacts(date="20260102")
    assert _tag("{date}-{commit}", bare) == "20260102-abcdef01"
    assert _tag("{commit}", bare) == "abcdef01"


def test_a_given_version_comes_before_git_tags() -> None:
    assert _tag("{semver}", context=TagContext(version="v2.0.0")) == "2.0.0"
    with pytest.raises(ConfigurationError):
        version_of(CLEAN, TagContext(version="two"))


@pytest.mark.parametrize(
    ("tags", "version"),
    [
        (("v1.0.0-rc.2", "v1.0.0-rc.10"), "1.0.0-rc.10"),
        (("v1.0.0-rc.1", "v1.0.0"), "1.0.0"),
        (("1.2.3+build.5",), "1.2.3+build.5"),
        (("release-1", "v1.2"), ""),
    ],
)
def test_the_highest_version_on_the_commit_counts(tags: tuple[str, ...], version: str) -> None:
    assert version_of(SourceFacts("c", git_tags=tags), TagContext()) == version


def test_a_strategy_without_its_value_is_left_out_unless_it_is_the_last() -> None:
    untagged = SourceFacts(CLEAN.commit, date="20260102")
    assert stems(("{semver}", "{commit}"), untagged, TagContext()) == ("3f2a91c0d4",)
    with pytest.raises(RefusedError, match=r"\{semver\}") as caught:
        stems(("{semver}",), untagged, TagContext())
    assert caught.value.code == "tag-unknown"


@pytest.mark.parametrize("strategy", ["latest", "{commt}", "", "{commit", "a}b"])
def test_what_names_no_image_is_refused(strategy: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_strategies((strategy,), place="compose.yaml:7")
    assert caught.value.code == "tag-invalid"
    assert caught.value.place == "compose.yaml:7"


def test_an_environment_called_latest_is_refused() -> None:
    with pytest.raises(RefusedError):
        _tag("{environment}", context=TagContext("latest"))


@given(st.text(max_size=300))
def test_every_text_becomes_a_tag_or_nothing(text: str) -> None:
    tag = sanitise(text)
    assert tag == "" or TAG.fullmatch(tag)
    assert sanitise(tag) == tag


def test_long_texts_stay_apart() -> None:
    assert sanitise("a" * 200 + "b") != sanitise("a" * 200 + "c")
