"""Answers recorded in probe containers of a laboratory's host, and what they mean."""

from underway.api.inside import connections_of, holders_of, inside_of
from underway.api.probing import is_left
from underway.model.look import DiskLook, Holder, Reach
from underway.model.names import LABEL_ROLE, LABEL_SINCE, ContainerName, HostName
from underway.model.snapshot import ContainerState, ContainerStatus

SEEN = """== disk
overlay         10218772 2349136   7328564      25% /
== files
overlay         655360 94467 560893   15% /
== listening
   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 91 1
   1: 0B08E70A:7530 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 92 1
   0: 00000000000000000000000000000000:0016 00000000000000000000000000000000:0000 0A 0:0 0 0 0
== ipv4
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
Local:
  +-- 0.0.0.0/0 3 0 5
     +-- 10.231.8.0/24 2 0 1
        |-- 10.231.8.11
           /32 host LOCAL
        |-- 10.231.8.255
           /32 link BROADCAST
     +-- 127.0.0.0/8 2 0 2
        |-- 127.0.0.1
           /32 host LOCAL
== ipv6
fd000000000000000000000000000001 02 40 00 80     eth0
fe800000000000000042fafffec4ae5f 02 40 20 80     eth0
00000000000000000000000000000001 01 80 10 80       lo
"""
EDGE, HOST = HostName("h1"), HostName("h2")


def test_disk_ports_and_addresses_are_read():
    inside = inside_of(SEEN)
    assert inside.disk == DiskLook(7328564 * 1024, 10218772 * 1024, 560893, 655360)
    assert inside.listening == {80, 30000, 22}
    assert inside.addresses == {"10.231.8.11", "fd00::1"}


def test_what_was_not_told_is_not_known():
    inside = inside_of("")
    assert inside.disk is None
    assert inside.listening == inside.addresses == frozenset()


def test_a_file_system_without_a_number_of_files_is_read():
    text = SEEN.replace("655360 94467 560893   15%", "0 0 0 - ")
    disk = inside_of(text).disk
    assert disk is not None
    assert (disk.files_free, disk.files_total) == (0, 0)


def test_each_answer_of_a_connection_has_its_meaning():
    def reach(text: str) -> Reach:
        (look,) = connections_of(text, EDGE, {HOST: (29999, "cafe")})
        assert (look.edge, look.host, look.port) == (EDGE, HOST, 29999)
        return look.reach

    assert reach("h2\t0\tcafe\n") is Reach.REACHED
    assert reach("h2\t0\tbabe\n") is Reach.STRANGER
    assert reach("h2\t1\t\n") is Reach.REFUSED
    assert reach("h2\t124\t\n") is Reach.SILENT
    assert reach("h2\t0\t\n") is Reach.SILENT
    assert reach("h3\t0\tcafe\n") is Reach.UNTRIED


def test_processes_that_share_a_socket_are_one_holder():
    assert holders_of("812\tnginx\t\n811\tnginx\t\n900\thaproxy\tab\n\n") == (
        Holder("haproxy", 900, "ab"),
        Holder("nginx", 811),
    )


def test_a_probe_is_left_when_it_ended_and_is_older_than_any_lives():
    def probe(status: ContainerStatus, since: str, role: str = "probe") -> ContainerState:
        labels = ((LABEL_ROLE, role), (LABEL_SINCE, since))
        return ContainerState("1", ContainerName("p"), "i", status, labels)

    now, old, young = "2027-01-15T08:00:00Z", "2027-01-15T07:50:00Z", "2027-01-15T07:59:59Z"
    assert is_left(probe(ContainerStatus.CREATED, old), now)
    assert is_left(probe(ContainerStatus.EXITED, "?"), now)
    assert not is_left(probe(ContainerStatus.CREATED, young), now)
    assert not is_left(probe(ContainerStatus.RUNNING, old), now)
    assert not is_left(probe(ContainerStatus.EXITED, old, "before"), now)
