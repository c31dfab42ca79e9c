"""Compose's complaints in our words: of several versions of it, and without values from outside."""

import pytest

from underway.compose.complaints import explained
from underway.compose.positions import SourceText
from underway.compose.profiles import require_profiles
from underway.errors import ConfigurationError, UsageError

FILE = SourceText(
    "compose.yaml",
    """name: shop
services:
  web:
    image: shop
    mem_limit: ${LIMIT}
    ports: ["${PORT}:80"]
    depends_on: [bd]
    deploy: {replicas: "${COUNT}"}
    profiles: [front]
  db: {image: "postgres:17"}
""",
)


HINT = "Correct it."
CAST = "error while interpolating services.web.deploy.replicas: failed to cast to expected type"


def told(cause: str, *detail: str) -> ConfigurationError:
    error = ConfigurationError(
        "compose-invalid", "no", cause=cause, hint="Correct it.", detail=detail
    )
    return explained(error, (FILE,), "/srv/shop")


@pytest.mark.parametrize(
    "cause",
    [
        "'services[web].mem_limit' invalid size: 'hunter2'",
        "invalid hostPort: hunter2",
        f'{CAST}: strconv.Atoi: parsing "hunter2": invalid syntax',
    ],
)
def test_a_value_from_outside_the_file_is_not_shown(cause: str) -> None:
    error = told(cause)
    assert "hunter2" not in f"{error.message}{error.cause}{error.hint}"
    assert "a value from outside the file" in error.message


@pytest.mark.parametrize(
    ("cause", "place"),
    [
        ("(root) Additional property svcs is not allowed", "compose.yaml"),
        ("services.web Additional property imag is not allowed", "compose.yaml:3"),
        ("validating /srv/shop/compose.yaml: services.web.imag false schema", "compose.yaml:3"),
        ("services.web.build must be a mapping", "compose.yaml:3"),
        (
            'service "web" depends on undefined service bd: invalid compose project',
            "compose.yaml:7",
        ),
        ('service "web" depends on undefined service "bd"', "compose.yaml:7"),
    ],
)
def test_sentences_of_older_and_newer_versions_are_known(cause: str, place: str) -> None:
    error = told(cause)
    assert error.message != "no"
    assert (error.place, error.hint != HINT) == (place, True)


def test_a_sentence_that_no_rule_knows_is_passed_on_without_the_project_directory() -> None:
    error = told("services.web: /srv/shop/x is odd", "more")
    assert (error.message, error.cause, error.hint) == (
        "no",
        "services.web: x is odd",
        "Correct it.",
    )
    assert error.detail == ("more",)
    assert error.place == "compose.yaml:3"


def test_a_profile_that_no_service_has_is_refused() -> None:
    require_profiles(["front", "*"], (FILE,))
    with pytest.raises(UsageError) as caught:
        require_profiles(["fornt"], (FILE,))
    assert (caught.value.code, caught.value.hint) == ("profile-unknown", "Did you mean `front`?")


@pytest.mark.parametrize("line", ["include: [more.yaml]\n", ""])
def test_a_profile_may_stand_in_a_file_that_is_named_elsewhere(line: str) -> None:
    extended = SourceText("b.yaml", "services: {api: {extends: {file: x.yaml, service: api}}}\n")
    more = SourceText("compose.yaml", line + FILE.text)
    require_profiles(["fornt"], (more, extended) if not line else (more,))
