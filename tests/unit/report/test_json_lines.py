import json
import typing

import pytest

from tests.unit.report.sample import undone_run
from underway.errors import IntegrityError
from underway.model.event import Body, Event
from underway.report.json_lines import BODY_TYPES, decode_event, encode_event, event_schema_text


def test_the_envelope_is_what_the_reference_says():
    line = json.loads(encode_event(undone_run()[4]))
    assert line == {
        "version": 1,
        "run": "r7",
        "sequence": 5,
        "time": 1_800_000_005.0,
        "actor": "kim@laptop",
        "host": "app1",
        "type": "step-started",
        "body": {"step": 1, "kind": "PullImage", "subject": "libra:3f2a91c", "cause": "not here"},
    }


@pytest.mark.parametrize("event", undone_run(), ids=lambda event: type(event.body).__name__)
def test_an_event_survives_its_line(event: Event):
    assert b"\n" not in encode_event(event)
    assert decode_event(encode_event(event)) == event


def test_every_body_has_a_type():
    assert set(BODY_TYPES.values()) == set(typing.get_args(Body))
    sampled = {type(event.body) for event in undone_run()}
    assert sampled == set(BODY_TYPES.values())


def test_a_newer_field_is_ignored():
    line = json.loads(encode_event(undone_run()[0]))
    line["body"]["later"] = line["later"] = 1
    assert decode_event(json.dumps(line)) == undone_run()[0]


@pytest.mark.parametrize(
    "change", [{"version": 2}, {"type": "unknown"}, {"body": {}}, {"sequence": "x"}]
)
def test_what_is_not_ours_is_refused(change: dict[str, object]):
    line = {**json.loads(encode_event(undone_run()[0])), **change}
    with pytest.raises(IntegrityError) as caught:
        decode_event(json.dumps(line))
    assert caught.value.code == "event-unreadable"


def test_garbage_is_refused():
    with pytest.raises(IntegrityError):
        decode_event("not json")


def test_the_schema_names_every_type():
    schema = json.loads(event_schema_text())
    named = {branch["properties"]["type"]["const"] for branch in schema["oneOf"]}
    assert named == set(BODY_TYPES)
