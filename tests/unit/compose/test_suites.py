"""`test` and `policy` of x-underway: one suite or several, and the values they take."""

from pathlib import Path

from tests.unit.compose.project import understood
from underway.model.names import SensitiveName
from underway.model.spec import EnvVar

APP = """
    name: libra
    services:
      web: {image: app:1, depends_on: [db]}
      db: {image: postgres:17}
      cache: {image: redis:7}
    x-underway:
"""


def test_one_suite_is_named_after_its_service_and_needs_what_that_depends_on(tmp_path: Path):
    found = understood(tmp_path, APP + "      test: {service: web, command: /app/test.sh -v}\n")
    (suite,) = found.testing.suites
    assert (suite.name, suite.service, suite.command) == ("web", "web", ("/app/test.sh", "-v"))
    assert suite.needs == ("db",)
    assert (suite.timeout_s, suite.needs_timeout_s) == (600, 120)
    assert suite.last_line == ""
    assert found.testing.is_required


def test_several_suites_have_names(tmp_path: Path):
    found = understood(
        tmp_path,
        APP
        + """
      test:
        unit: {service: web, needs: [], timeout: 30s}
        all: {service: web, needs: [cache, db], result: {last_line: "Result: SUCCESS!"}}
      policy: {require: []}
""",
    )
    assert [(s.name, s.needs, s.last_line) for s in found.testing.suites] == [
        ("all", ("cache", "db"), "Result: SUCCESS!"),
        ("unit", (), ""),
    ]
    assert not found.testing.is_required


def test_values_from_outside_are_sensitive_and_never_reach_the_hosts(tmp_path: Path):
    text = APP + '      test: {service: web, environment: {TOKEN: "${TOKEN}", MODE: test, N: 3}}\n'
    found = understood(tmp_path, text, environ={"TOKEN": "s3cret"})
    (suite,) = found.testing.suites
    name = SensitiveName("test/web/TOKEN")
    assert suite.environment == (
        EnvVar("MODE", "test"),
        EnvVar("N", "3"),
        EnvVar("TOKEN", sensitive=name),
    )
    assert found.values[name].reveal() == b"s3cret"
    assert name not in found.runtime_values
    assert "s3cret" not in repr(found)


def test_an_environment_may_be_a_list(tmp_path: Path):
    text = APP + '      test: {service: web, environment: ["TOKEN=${TOKEN}", "MODE=test"]}\n'
    (suite,) = understood(tmp_path, text, environ={"TOKEN": "s3cret"}).testing.suites
    assert [(v.name, v.value) for v in suite.environment] == [("MODE", "test"), ("TOKEN", "")]
