"""The generated pages are what the code generates, and the table knows every key of Compose."""

import json
from pathlib import Path

import msgspec
import pytest

from tests.unit.compose.project import PATH
from underway.adapters.compose_program import find_compose
from underway.compose.engine_limits import LIMIT_KEYS
from underway.compose.engine_words import ENGINE_KEYS
from underway.compose.keys import RULES, Level, Verdict, rule_of
from underway.compose.reference import compose_keys_page, x_underway_page, x_underway_schema
from underway.compose.wishes import AppWish

ROOT = Path(__file__).resolve().parents[3]

COMPOSE_SERVICE_KEYS = """
annotations attach blkio_config build cap_add cap_drop cgroup cgroup_parent command configs
container_name cpu_count cpu_percent cpu_period cpu_quota cpu_rt_period cpu_rt_runtime cpu_shares
cpus cpuset credential_spec depends_on deploy develop device_cgroup_rules devices dns dns_opt
dns_search domainname entrypoint env_file environment expose extends external_links extra_hosts
gpus group_add healthcheck hostname image init ipc isolation label_file labels links logging
mac_address mem_limit mem_reservation mem_swappiness memswap_limit models network_mode networks
oom_kill_disable oom_score_adj pid pids_limit platform ports post_start pre_stop privileged
profiles provider pull_policy pull_refresh_after read_only restart runtime scale secrets
security_opt shm_size stdin_open stop_grace_period stop_signal storage_opt sysctls tmpfs tty
ulimits use_api_socket user userns_mode uts volumes volumes_from working_dir
"""
"""The properties of `service` in the schema of the Compose specification."""


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("docs/reference/compose-keys.md", compose_keys_page()),
        ("docs/reference/x-underway.md", x_underway_page()),
        ("src/underway/compose/x-underway.schema.json", x_underway_schema()),
    ],
)
def test_a_generated_page_is_up_to_date(path: str, text: str) -> None:
    written = (ROOT / path).read_text(encoding="utf-8")
    assert written == text, "run `python -m scripts.compose_reference`"


def test_every_service_key_of_compose_has_a_rule() -> None:
    assert sorted(COMPOSE_SERVICE_KEYS.split()) == sorted(
        rule.key for rule in RULES if rule.level is Level.SERVICE
    )


def test_a_key_has_one_rule_and_a_refused_one_a_remedy() -> None:
    assert len({(rule.level, rule.key) for rule in RULES}) == len(RULES)
    assert all(rule.text for rule in RULES if rule.verdict is not Verdict.HONOURED)


def test_what_is_translated_is_honoured() -> None:
    for key in ENGINE_KEYS | LIMIT_KEYS:
        rule = rule_of(Level.SERVICE, key)
        assert rule is not None, key
        assert rule.verdict is Verdict.HONOURED, key


def test_the_schema_has_every_setting_of_the_app() -> None:
    schema = json.loads(x_underway_schema())
    known = set(schema["$defs"]["AppWish"]["properties"])
    assert known == {field.name for field in msgspec.structs.fields(AppWish)}


def test_compose_is_on_this_machine() -> None:
    assert find_compose(PATH).version
