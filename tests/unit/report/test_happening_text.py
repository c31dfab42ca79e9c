from dataclasses import replace

from tests.unit.report.test_lists import DONE
from underway.model.happening import ContainerEvent, Happening
from underway.model.names import ContainerName, HostName, ServiceName
from underway.report.happening_text import happening_document, happening_line
from underway.report.line import draw

HOST = HostName("app1")
DIED = ContainerEvent(
    1_772_359_200.0, ContainerName("libra-web-1"), "die", "137", ServiceName("web"), "replica"
)


def text(event: ContainerEvent) -> str:
    return draw([happening_line(Happening(event.time_s, HOST, event))])


def test_what_happened_to_a_container_is_told_in_words():
    assert text(DIED) == "2026-03-01 10:00:00  app1  libra-web-1  exited with 137\n"
    words = {
        ("oom", ""): "ran out of memory",
        ("kill", "15"): "got SIGTERM",
        ("kill", "34"): "got signal 34",
        ("rename", "libra-web-9"): "was libra-web-9",
        ("health_status", "unhealthy"): "unhealthy",
        ("start", ""): "started",
        ("something", ""): "something",
    }
    for (action, detail), said in words.items():
        assert text(replace(DIED, action=action, detail=detail)).endswith(f"libra-web-1  {said}\n")
    lock = replace(DIED, action="start", role="lock", by="kim@laptop")
    assert text(lock).endswith("app1  kim@laptop  holds the lock\n")


def test_a_run_begins_and_ends():
    begun = draw([happening_line(Happening(DIED.time_s, run=DONE))])
    assert begun == "2026-03-01 10:00:00  run 1  deploy release 11 by kim@laptop: begins\n"
    ended = draw([happening_line(Happening(DIED.time_s, run=DONE, is_end=True))])
    assert ended.endswith("by kim@laptop: done\n")
    document = happening_document("libra", Happening(DIED.time_s, run=DONE, is_end=True))
    assert (document.action, document.detail, document.run) == ("run-end", "done", 1)
    container = happening_document("libra", Happening(DIED.time_s, HOST, DIED))
    assert (container.action, container.detail, container.host) == ("die", "137", "app1")
