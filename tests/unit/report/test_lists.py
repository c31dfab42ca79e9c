from dataclasses import replace

from tests.unit.report.sample import APP, HOSTS, IMAGE, WEB
from underway.model.check import CheckResult, CheckVerdict
from underway.model.names import (
    HostName,
    NetworkName,
    ReleaseNumber,
    RunNumber,
    SensitiveName,
    ServiceName,
    VolumeName,
)
from underway.model.release import Release, RunRecord, ServiceImage
from underway.model.remark import Remark
from underway.model.spec import (
    AppSpec,
    Attachment,
    BeforeSpec,
    Dependency,
    DependencyCondition,
    EdgeSpec,
    EnvVar,
    HealthSpec,
    HostSpec,
    Mount,
    MountKind,
    ProxySpec,
    ServiceSpec,
    VolumeSpec,
)
from underway.model.status import LockStatus, ReleaseStanding, ReleaseStatus
from underway.model.testing import ReleasedSuite, SuiteOutcome, SuiteResult, Suites, SuiteSpec
from underway.report.check_text import check_exit_code, check_lines
from underway.report.config_text import config_lines
from underway.report.history_text import history_lines, release_lines, release_list_lines
from underway.report.line import draw
from underway.report.lock_text import lock_lines
from underway.report.suites_text import suite_lines

SERVICE = ServiceSpec(
    WEB,
    "registry.test/libra",
    HOSTS,
    environment=(
        EnvVar("MODE", "production"),
        EnvVar("KEY", sensitive=SensitiveName("env/web/KEY")),
    ),
    mounts=(Mount(MountKind.VOLUME, "uploads", "/uploads", read_only=True),),
    replicas=2,
    proxy=ProxySpec(("libra.test",), 8000),
    before=BeforeSpec(("migrate", "now")),
    engine='{"Config":{"Cmd":["serve","a b"]},"HostConfig":{"NanoCpus":1500000000}}',
    depends_on=(Dependency(ServiceName("db"), DependencyCondition.HEALTHY),),
    networks=(Attachment(NetworkName("back"), ("api",)),),
    health=HealthSpec(("CMD", "true"), 2.0),
    place="compose.yaml:3",
)
SPEC = AppSpec(
    APP,
    (SERVICE,),
    (HostSpec(HOSTS[0], "ssh://app1", "10.0.0.1", ("app",)), HostSpec(HOSTS[1], "ssh://app2")),
    edge=EdgeSpec((HOSTS[0],)),
    volumes=(VolumeSpec(VolumeName("uploads"), "libra_uploads"),),
    remarks=(Remark("no-effect", "`container_name` has no effect", "compose.yaml:5"),),
)
RELEASE = Release(
    ReleaseNumber(12),
    SPEC,
    (ServiceImage(WEB, IMAGE),),
    tag="v1",
    commit="3f2a91c0aa112233",
    created_at="2026-03-01T10:00:00Z",
    created_by="kim",
)
DONE = RunRecord(
    RunNumber(1),
    "deploy",
    ReleaseNumber(11),
    "kim@laptop",
    "2026-03-01T10:00:00Z",
    "2026-03-01T10:00:42Z",
    "done",
    current=ReleaseNumber(11),
)
CONFIG = """\
libra

hosts
  app1  ssh://app1  10.0.0.1  app
  app2  ssh://app2  -
  edge: app1, port 80

web  compose.yaml:3
  image        registry.test/libra
  strategy     rolling
  replicas     2 on app1, app2
  proxy        libra.test to port 8000, probe TCP every 1.0s, drain 30s
  before       migrate now (within 10m 00s)
  env          MODE=production
  env          KEY=(sensitive)
  mount        uploads at /uploads (read-only)
  network      back as api
  depends on   db (healthy)
  healthcheck  test CMD, true, interval 2
  command      serve 'a b'
  cpus         1.5
  stop grace   10s

volumes
  uploads  local  libra_uploads

note: `container_name` has no effect  compose.yaml:5 [no-effect]
"""
HISTORY = """\
RUN  STARTED (UTC)        COMMAND  RELEASE  BY          TOOK  OUTCOME
3    2026-03-01 10:00:00  deploy   11       kim@laptop  -     not finished
2    2026-03-01 10:00:00  deploy   12       kim@laptop  42s   \
failed and undone, 11 serves [replica-crashed]
1    2026-03-01 10:00:00  deploy   11       kim@laptop  42s   done
"""


def test_config_shows_what_was_understood_and_hides_sensitive_values():
    assert draw(config_lines(SPEC)) == CONFIG


def test_history_is_newest_first_and_tells_what_serves():
    undone = replace(
        DONE,
        number=RunNumber(2),
        release=ReleaseNumber(12),
        outcome="undone",
        exit_code=10,
        cause="web-2 exited [replica-crashed]",
    )
    open_run = replace(DONE, number=RunNumber(3), ended_at="", outcome="")
    assert draw(history_lines((DONE, undone, open_run))) == HISTORY
    assert draw(history_lines((undone,), is_verbose=True)).endswith(
        "\n\nrun 2: web-2 exited [replica-crashed]\n"
    )
    assert draw(history_lines(())) == "no run is recorded\n"


def test_releases_tell_what_became_of_each_and_which_tags_name_several():
    same = (ReleaseNumber(11),)
    failed = replace(RELEASE, number=ReleaseNumber(13), tag="v2")
    older = replace(RELEASE, number=ReleaseNumber(11))
    text = draw(
        release_list_lines(
            (
                ReleaseStatus(older, ReleaseStanding.RAN, (), (ReleaseNumber(12),)),
                ReleaseStatus(RELEASE, ReleaseStanding.CURRENT, HOSTS, same),
                ReleaseStatus(failed, ReleaseStanding.FAILED),
                ReleaseStatus(replace(failed, number=ReleaseNumber(14)), ReleaseStanding.SHIPPED),
            )
        )
    )
    assert text.splitlines()[1:] == [
        "14       v2             shipped, never deployed  2026-03-01 10:00:00  kim  3f2a91c0aa11",
        "13       v2             failed                   2026-03-01 10:00:00  kim  3f2a91c0aa11",
        "12       v1 (one of 2)  current on app1, app2    2026-03-01 10:00:00  kim  3f2a91c0aa11",
        "11       v1 (one of 2)  ran                      2026-03-01 10:00:00  kim  3f2a91c0aa11",
    ]


def test_releases_tell_what_their_tests_found():
    tested = replace(RELEASE, suites=(ReleasedSuite("web", "d"),))
    untested = replace(
        RELEASE, number=ReleaseNumber(13), suites=(ReleasedSuite("web", "d", has_passed=False),)
    )
    plain = replace(RELEASE, number=ReleaseNumber(11))
    known = [ReleaseStatus(one, ReleaseStanding.RAN) for one in (plain, tested, untested)]
    text = draw(release_list_lines(known))
    assert [line.split()[-1] for line in text.splitlines()] == ["TESTS", "untested", "passed", "-"]
    assert draw(release_lines(tested)).startswith("release 12 (v1) of libra, tests passed\n")
    assert draw(release_lines(untested)).startswith("release 13 (v1) of libra, untested\n")


def test_the_file_s_tests_are_shown():
    suite = SuiteSpec("all", WEB, ("/app/test.sh", "-v"), needs=(WEB,), timeout_s=90)
    text = draw(config_lines(SPEC, Suites((suite,), is_required=False)))
    shown = "tests (not required)\n  all  /app/test.sh -v in web with web (within 1m 30s)\n"
    assert shown in text
    assert "tests" not in draw(config_lines(SPEC))


def test_suites_stand_with_their_verdicts_and_where_to_read_on():
    results = (
        SuiteResult("unit", WEB, SuiteOutcome.ATTESTED),
        SuiteResult("all", WEB, SuiteOutcome.FAILED, 61, 3, "test-failed", "It failed."),
    )
    assert draw(suite_lines(results, logs="/logs", junit="report.xml")) == (
        "SUITE  SERVICE  TOOK    OUTCOME\n"
        "unit   web      -       passed before\n"
        "all    web      1m 01s  failed (exit status 3)\n"
        "logs: /logs\n"
        "JUnit XML: report.xml\n"
    )


def test_a_shipped_release_names_its_images():
    assert draw(release_lines(RELEASE)) == (
        "release 12 (v1) of libra\n  web  registry.test/libra:3f2a91c  abababababab\n"
    )


def test_checks_stand_by_host_with_remedies():
    results = (
        CheckResult(HostName(""), "compose", CheckVerdict.OK, "2.40"),
        CheckResult(HOSTS[0], "disk", CheckVerdict.FAIL, "1 GiB free", "free 4 GiB"),
        CheckResult(HOSTS[0], "clock", CheckVerdict.WARN, "3 s off", "run a time service"),
    )
    assert draw(check_lines(results)) == (
        "this machine\n"
        "  ok    compose  2.40\n"
        "app1\n"
        "  fail  disk     1 GiB free\n"
        "                 help: free 4 GiB\n"
        "  warn  clock    3 s off\n"
        "                 help: run a time service\n"
        "\n"
        "1 check failed: a deploy would be refused\n"
    )
    assert check_exit_code(results) == 4
    assert check_exit_code(results[:1]) == 0
    assert draw(check_lines(results[:1])).endswith("\nready\n")


def test_nothing_checked_is_not_ready():
    assert draw(check_lines(())) == "nothing was checked\n"


def test_lock_tells_who_holds_it_since_when():
    held = ((HOSTS[0], LockStatus("kim@laptop", "1970-01-01T00:00:00Z", "7")),)
    text = draw(lock_lines(APP, held, 90.0))
    assert "app1  kim@laptop  1970-01-01T00:00:00Z (1m 30s ago)  7\n" in text
    assert draw(lock_lines(APP, (), 0)) == "free: nobody holds the lock of libra\n"
