import json
from collections.abc import Mapping
from dataclasses import replace

import msgspec
import pytest

from tests.unit.backup.sample import MANIFEST, policy, scene
from tests.unit.report.sample import APP, HOSTS, IMAGE, NEW, WEB, plan, status, undone_run
from tests.unit.report.test_release_text import FOUND, SHOWN
from underway.backup.due import duties_of
from underway.backup.image_snapshot import ImageSnapshot
from underway.backup.plan import plan_coverage
from underway.backup.retention import plan_retention
from underway.errors import RefusedError
from underway.model.backup import KeepRule
from underway.model.check import CheckResult, CheckVerdict
from underway.model.drill import Drill, Kit
from underway.model.happening import Happening
from underway.model.names import HostName, ReleaseNumber, RunNumber, VolumeName
from underway.model.recovery import Recovered
from underway.model.release import Release, RunRecord, ServiceImage
from underway.model.restore_point import Proof
from underway.model.schedule import Schedule
from underway.model.spec import AppSpec, EnvVar, HostSpec, SensitiveName, ServiceSpec
from underway.model.status import LockStatus, ReleaseStanding, ReleaseStatus, ServiceUrl
from underway.model.tagging import TagKind, TagStatus
from underway.model.testing import SuiteOutcome, SuiteResult
from underway.model.usage import ReplicaUsage, UsageReport
from underway.report.backup_documents import (
    coverage_document,
    point_document,
    points_document,
    retention_document,
)
from underway.report.document_making import (
    check_document,
    code_document,
    codes_document,
    error_document,
    lock_document,
    plan_document,
    run_document,
    status_document,
    urls_document,
    usage_document,
)
from underway.report.documents import (
    DOCUMENTS,
    ConfigDocument,
    Document,
    InitDocument,
    LogDocument,
    SetupDocument,
    encode_document,
    schema_text,
)
from underway.report.drill_text import drill_document, kit_document
from underway.report.happening_text import happening_document
from underway.report.history_documents import (
    comparison_document,
    history_document,
    release_detail_document,
    release_document,
    releases_document,
)
from underway.report.look_documents import (
    CompletionDocument,
    ReportDocument,
)
from underway.report.recovery_text import recovery_document
from underway.report.schedule_documents import TimerDocument
from underway.report.schedule_text import ran_document, schedule_document
from underway.report.snapshot_text import snapshots_document
from underway.report.suites_document import suites_document
from underway.report.tags_text import tags_document
from underway.report.view import fold_all

SPEC = AppSpec(
    APP,
    (
        ServiceSpec(
            WEB,
            "libra",
            HOSTS,
            environment=(EnvVar("KEY", sensitive=SensitiveName("env/web/KEY")),),
        ),
    ),
    (HostSpec(HOSTS[0], "ssh://app1"),),
)
RELEASE = Release(ReleaseNumber(12), SPEC, (ServiceImage(WEB, IMAGE),), tag="v1")
RUN = RunRecord(RunNumber(3), "deploy", ReleaseNumber(12), "kim", "2026-03-01T10:00:00Z")
LOCK = (HostName("app1"), LockStatus("kim", "2026-03-01T10:00:00Z"))
PROVEN = replace(MANIFEST.summary, proof=Proof("2026-03-02T00:00:00Z", True, 3.0))  # noqa: FBT003
DAILY = Schedule("0 3 * * *", "UTC", "03:00")
DUTIES = duties_of(
    replace(policy(), every=DAILY, verify=DAILY), (VolumeName("data"),), (PROVEN,), 0
)
SAMPLES: tuple[Document, ...] = (
    status_document(
        replace(status(), hosts=(replace(status().hosts[0], lock=LOCK[1]), status().hosts[1]))
    ),
    plan_document(plan()),
    run_document(fold_all(undone_run()), RefusedError("x", "No.")),
    history_document(APP, (RUN,)),
    release_detail_document(SHOWN),
    comparison_document(APP, FOUND),
    CompletionDocument("bash", "complete"),
    happening_document(APP, Happening(1.0, run=RUN)),
    ReportDocument(APP, 4, "report.tar.gz", ("README.txt",), ()),
    usage_document(APP, UsageReport(12.0, (ReplicaUsage(NEW[HOSTS[0]], HOSTS[0], WEB),))),
    urls_document(APP, (ServiceUrl(WEB, "http://libra.test/"),)),
    releases_document(
        APP, (ReleaseStatus(RELEASE, ReleaseStanding.CURRENT, HOSTS),), ReleaseNumber(12)
    ),
    release_document(RELEASE),
    tags_document(
        APP,
        (TagStatus("r.test/web", "v2", TagKind.OWN, "sha256:ab", "2026-01-02T00:00:00Z", 5),),
    ),
    suites_document(
        APP,
        (
            SuiteResult("unit", WEB, SuiteOutcome.PASSED, 1.5, 0, logs="/logs"),
            SuiteResult("all", WEB, SuiteOutcome.FAILED, 2.5, 1, "test-failed", "No.", "So."),
        ),
        exit_code=4,
        duration_s=3.0,
        junit="report.xml",
    ),
    check_document(APP, (CheckResult(HOSTS[0], "disk", CheckVerdict.FAIL, "full", "free some"),)),
    lock_document(APP, (LOCK,)),
    ConfigDocument(APP, SPEC),
    InitDocument("shop", "web", ("compose.yaml",), "services: {}\n"),
    LogDocument("app1", "web", "libra-web-1", "", "hello", is_stderr=False),
    SetupDocument("h1", "ssh://deploy@h1", ("useradd deploy",), "26.1.5", "ssh"),
    error_document(RefusedError("x", "No.", detail=("\x1b[31mred",))),
    code_document("bug"),
    codes_document(),
    points_document(APP, (PROVEN, MANIFEST.summary)),
    point_document(MANIFEST),
    retention_document(APP, plan_retention((PROVEN,), ((None, KeepRule()),)), is_done=False),
    coverage_document(APP, plan_coverage(scene(policy()))),
    recovery_document(
        Recovered(
            manifest=MANIFEST,
            hosts=HOSTS,
            volumes=((VolumeName("uploads"), "libra_uploads-1a2b3c"),),
            left_out=(),
            age_s=60.0,
            took_s=12.5,
            parts_s=(("data", 8.0),),
            moment="2026-03-01T12:00:00Z",
        )
    ),
    kit_document(
        Kit(
            APP,
            "s3:x",
            is_on_host=False,
            password="variable `P`",  # noqa: S106 - where it is
            credentials=(("AWS_ID", "x"),),
            variables=("DB",),
            files=("./token",),
            hosts=HOSTS,
        )
    ),
    snapshots_document(
        APP,
        (
            ImageSnapshot(
                "2026-03-01T12:00:00Z", "web-1", WEB, ReleaseNumber(3), 9, HOSTS, "r/libra:web-1"
            ),
        ),
    ),
    drill_document(APP, (Drill(APP, "p1", "2026-03-01T12:00:00Z", 3.0, 60.0),)),
    schedule_document(APP, DUTIES, (PROVEN,)),
    ran_document(APP, MANIFEST, None, PROVEN.proof),
    TimerDocument("cron", "*/15"),
)


def kind_of(document: Document) -> str:
    return str(json.loads(encode_document(document))["kind"])


def check_against(schema: Mapping[str, object], value: object, root: Mapping[str, object]):
    """Holds `value` against the part of JSON Schema that msgspec writes; no key may be unknown."""
    if "$ref" in schema:
        name = str(schema["$ref"]).removeprefix("#/$defs/")
        check_against(root["$defs"][name], value, root)  # type: ignore[index]
    elif "anyOf" in schema:
        fits = [branch for branch in schema["anyOf"] if _fits(branch, value, root)]  # type: ignore[attr-defined]
        assert fits, (schema, value)
    elif "enum" in schema:
        assert value in schema["enum"]  # type: ignore[operator]
    elif schema.get("type") == "object":
        assert isinstance(value, dict)
        properties = schema["properties"]
        assert set(value) == set(properties), (set(value), set(properties))  # type: ignore[call-overload]
        assert set(schema.get("required", ())) <= set(value)  # type: ignore[call-overload]
        for key, part in value.items():
            check_against(properties[key], part, root)  # type: ignore[index]
    elif schema.get("type") == "array":
        assert isinstance(value, list)
        for part in value:
            items = schema.get("items") or schema["prefixItems"][0]  # type: ignore[index]
            if isinstance(items, dict):
                check_against(items, part, root)
    else:
        types = {"string": str, "integer": int, "number": (int, float), "boolean": bool}
        expected = types.get(str(schema.get("type")), type(None))
        assert isinstance(value, expected), (schema, value)


def _fits(schema: Mapping[str, object], value: object, root: Mapping[str, object]) -> bool:
    try:
        check_against(schema, value, root)
    except (AssertionError, KeyError):
        return False
    return True


def test_every_document_is_sampled():
    assert sorted(map(kind_of, SAMPLES)) == sorted(DOCUMENTS)


@pytest.mark.parametrize("document", SAMPLES, ids=kind_of)
def test_a_document_names_its_kind_and_version(document: Document):
    value = json.loads(encode_document(document))
    assert DOCUMENTS[value["kind"]] is type(document)
    assert value["version"] == 1


@pytest.mark.parametrize("document", SAMPLES, ids=kind_of)
def test_a_document_is_what_its_schema_says(document: Document):
    schema = json.loads(schema_text(kind_of(document)))
    check_against(schema, json.loads(encode_document(document)), schema)


@pytest.mark.parametrize("document", SAMPLES, ids=kind_of)
def test_the_schema_refuses_another_document(document: Document):
    schema = json.loads(schema_text(kind_of(document)))
    value = json.loads(encode_document(document))
    del value["version"]
    assert not _fits(schema, value, schema)


@pytest.mark.parametrize("document", SAMPLES, ids=kind_of)
def test_a_document_can_be_read_back(document: Document):
    assert msgspec.json.decode(encode_document(document), type=type(document)) == document


def test_steps_are_numbered_through_the_plan():
    document = plan_document(plan())
    assert [step.number for step in document.steps] == list(range(1, 17))
    assert {step.stage for step in document.steps} == {1, 2, 3, 4}


def test_the_run_tells_what_failed_and_why_it_went_back():
    document = run_document(fold_all(undone_run()))
    assert (document.exit_code, document.outcome, document.release) == (10, "undone", 11)
    assert document.undo_cause == "libra-web-7f3a2c-2 exited with 1"
    assert document.failures[0].detail == ("boom", "red \\x07")
