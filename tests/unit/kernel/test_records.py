"""Ledgers of several hosts agree on what a number means, or it is said that they do not."""

from dataclasses import replace

from tests.property.fleets import hosts, proxied, release
from underway.kernel.records import disputed_releases
from underway.model.names import HostName
from underway.model.release import LedgerState

WHERE = hosts(1)
ONE, TWO = (release(n, (proxied("web", WHERE, replicas=1),), WHERE) for n in (1, 2))
A, B, C = HostName("a"), HostName("b"), HostName("c")


def test_hosts_that_hold_the_same_or_less_do_not_dispute() -> None:
    assert disputed_releases([LedgerState(A, (ONE, TWO)), LedgerState(B, (ONE,))]) == {}


def test_a_number_with_two_contents_names_every_host_that_holds_it() -> None:
    other = replace(TWO, tag="another")
    ledgers = [LedgerState(C, (ONE, other)), LedgerState(A, (ONE, TWO)), LedgerState(B, (TWO,))]
    assert disputed_releases(ledgers) == {2: (A, B, C)}
