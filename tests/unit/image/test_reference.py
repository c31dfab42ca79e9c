"""Reading image references."""

import pytest

from underway.errors import ConfigurationError
from underway.image.reference import Reference, is_same_repository, parse_reference

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("postgres", Reference("", "postgres")),
        ("postgres:17", Reference("", "postgres", "17")),
        ("team/libra:1", Reference("", "team/libra", "1")),
        ("localhost/libra", Reference("localhost", "libra")),
        ("localhost:5000/libra:1", Reference("localhost:5000", "libra", "1")),
        ("lab:5000/a/b", Reference("lab:5000", "a/b")),
        ("ghcr.io/team/app_x__y:v1", Reference("ghcr.io", "team/app_x__y", "v1")),
        ("[::1]:5000/a:b", Reference("[::1]:5000", "a", "b")),
        (f"a.b/c:1@{DIGEST}", Reference("a.b", "c", "1", DIGEST)),
    ],
)
def test_references_are_read_in_parts(text: str, reference: Reference) -> None:
    assert parse_reference(text) == reference
    assert reference.names_registry == bool(reference.registry)


@pytest.mark.parametrize("text", ["", "Team/App", "a:", "a b", "a@sha256:12", "/a", "a//b", "-a"])
def test_what_is_no_reference_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_reference(text, place="compose.yaml:3")
    assert caught.value.code == "image-reference"
    assert caught.value.place == "compose.yaml:3"


def test_docker_hub_has_several_spellings() -> None:
    assert is_same_repository("docker.io/library/postgres", "postgres")
    assert not is_same_repository("ghcr.io/postgres", "postgres")
