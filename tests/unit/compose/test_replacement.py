"""Update order follows from the facts: the whole truth table, and the images that write alone."""

from itertools import product

import pytest

from underway.compose.notebook import Notebook
from underway.compose.positions import Positions
from underway.compose.replacement import Facts, is_database_image, strategy_of
from underway.errors import ConfigurationError
from underway.model.spec import Strategy

WISHES = ("", "rolling", "blue-green", "recreate")
ORDERS = ("", "start-first", "stop-first")
OVERLAPPING = {"rolling", "blue-green"}


def notebook() -> Notebook:
    return Notebook({}, {}, Positions(()), {}, {})


def expected(facts: Facts) -> str:
    """The table in words: contradictions first, then the wish, then the facts."""
    overlaps = facts.wished in OVERLAPPING or facts.order == "start-first"
    is_written_twice = bool(facts.wished and facts.order)
    alone = facts.is_single_writer or facts.has_fixed_port or facts.has_fixed_name
    rows = (
        (
            is_written_twice and (facts.wished in OVERLAPPING) != (facts.order == "start-first"),
            "strategy-at-odds",
        ),
        (overlaps and facts.is_single_writer, "strategy-single-writer"),
        (overlaps and facts.has_fixed_port, "strategy-port-clash"),
        (facts.wished == "blue-green" and not facts.is_proxied, "strategy-needs-proxy"),
        (facts.wished, facts.wished),
        (facts.order == "start-first", "rolling"),
        (facts.order == "stop-first", "recreate"),
        (alone or facts.has_host_network, "recreate"),
    )
    return next((outcome for holds, outcome in rows if holds), "rolling")


@pytest.mark.parametrize("wished", WISHES)
@pytest.mark.parametrize("order", ORDERS)
def test_the_strategy_follows_from_the_facts(wished: str, order: str) -> None:
    for proxied, writer, port, name, host in product((False, True), repeat=5):
        facts = Facts(wished, order, proxied, writer, port, name, host)
        try:
            outcome = strategy_of(facts, "web", notebook()).value
        except ConfigurationError as error:
            outcome = error.code
        assert outcome == expected(facts), facts


def test_four_outcomes_pinned_by_hand() -> None:
    assert strategy_of(Facts(), "web", notebook()) is Strategy.ROLLING
    assert strategy_of(Facts(is_single_writer=True), "db", notebook()) is Strategy.RECREATE
    assert strategy_of(Facts(has_fixed_port=True), "web", notebook()) is Strategy.RECREATE
    assert strategy_of(Facts(order="stop-first"), "web", notebook()) is Strategy.RECREATE


@pytest.mark.parametrize(
    ("image", "has_volume", "is_writer"),
    [
        ("postgres:17", True, True),
        ("lab/postgres", True, True),
        ("registry.example.com:5000/data/postgres@sha256:00", True, True),
        ("postgres", False, True),
        ("mcr.microsoft.com/mssql/server:2022", True, True),
        ("docker.elastic.co/elasticsearch/elasticsearch:8", True, True),
        ("redis:7", False, False),
        ("redis:7", True, True),
        ("valkey/valkey", True, True),
        ("prometheuscommunity/postgres-exporter", True, False),
        ("registry.example.com/libra", True, False),
        ("", True, False),
    ],
)
def test_known_databases_write_alone(image: str, *, has_volume: bool, is_writer: bool) -> None:
    assert is_database_image(image, has_volume=has_volume) is is_writer
