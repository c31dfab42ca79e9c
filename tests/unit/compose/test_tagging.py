"""`tags` of x-underway: the names alone, or the whole; and the policy on uncommitted work."""

from pathlib import Path

import pytest

from tests.unit.compose.project import understood
from underway.errors import ConfigurationError

APP = "name: libra\nservices: {web: {image: 'app:1'}}\nx-underway:\n  "


def test_a_list_names_immutable_tags(tmp_path: Path):
    spec = understood(tmp_path, APP + 'tags: ["{semver}", "{date}-{commit}"]\n').spec
    assert (spec.tags, spec.moving_tags, spec.bump) == (("{semver}", "{date}-{commit}"), (), "")


def test_the_whole_says_how_versions_grow_and_what_moves(tmp_path: Path):
    text = 'tags: {semver: minor, moving: ["{environment}", latest]}\n'
    spec = understood(tmp_path, APP + text).spec
    assert spec.tags == ("{semver}",), "who computes versions names releases by them"
    assert (spec.moving_tags, spec.bump) == (("{environment}", "latest"), "minor")


def test_without_any_the_date_and_the_commit_name_a_release(tmp_path: Path):
    spec = understood(tmp_path, APP + "tags: {moving: [edge]}\n").spec
    assert spec.tags == ("{date}-{commit}",)


@pytest.mark.parametrize(
    ("tags", "told"),
    [
        ("[latest]", "latest"),
        ('["{number}"]', "{number}"),
        ('["{commit"]', "{commit"),
        ('{moving: ["{commit}"]}', "{commit}"),
        ('{names: ["{environment}"], moving: ["{environment}"]}', "both"),
    ],
)
def test_what_names_nothing_is_refused_with_its_line(tmp_path: Path, tags: str, told: str):
    with pytest.raises(ConfigurationError) as caught:
        understood(tmp_path, f"{APP}tags: {tags}\n")
    assert caught.value.code == "tag-invalid"
    assert told in caught.value.message
    assert caught.value.place.startswith("compose.yaml:")


def test_a_policy_may_want_commits_only(tmp_path: Path):
    assert not understood(tmp_path, APP + "policy: {require: [tests]}\n").requires_clean
    found = understood(tmp_path, APP + "policy: {require: [clean, tests]}\n")
    assert found.requires_clean
    assert found.testing.is_required
