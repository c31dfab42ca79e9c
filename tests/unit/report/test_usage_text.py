from tests.unit.report.sample import HOSTS, NEW, WEB
from underway.model.names import HostName
from underway.model.usage import ReplicaUsage, UsageReport, UsageSample, usage_between
from underway.report.line import draw
from underway.report.usage_text import usage_lines

MIB = 1 << 20
BARE = ReplicaUsage(NEW[HOSTS[0]], HOSTS[0], WEB, cpu_limit=0.5, memory_limit_bytes=100 * MIB)
EARLIER = UsageSample(10.0, 4.0, 50 * MIB, received_bytes=1000, sent_bytes=0)
LATER = UsageSample(12.0, 4.75, 95 * MIB, received_bytes=5096, sent_bytes=2048, processes=7)


def test_rates_are_over_the_time_between_two_samples():
    used = usage_between(BARE, EARLIER, LATER)
    assert (used.cpus, used.received_per_s, used.sent_per_s) == (0.375, 2048, 1024)
    assert (used.memory_bytes, used.processes, used.cpu_limit) == (95 * MIB, 7, 0.5)


def test_what_needs_two_samples_of_one_life_is_not_made_up():
    came = usage_between(BARE, None, LATER)
    assert (came.cpus, came.sent_per_s, came.memory_bytes) == (None, None, 95 * MIB)
    restarted = usage_between(BARE, LATER, UsageSample(14.0, 0.1, MIB))
    assert (restarted.cpus, restarted.memory_bytes) == (None, MIB)
    assert usage_between(BARE, EARLIER, None) == BARE


def test_amounts_stand_beside_their_limits_and_little_left_is_red():
    report = UsageReport(12.0, (usage_between(BARE, EARLIER, LATER), BARE), (HostName("app2"),))
    assert draw(usage_lines(report)) == (
        "REPLICA             HOST  CPU             MEMORY                 RECEIVED   SENT"
        "       PROCESSES\n"
        "libra-web-7f3a2c-1  app1  37.5% of 50.0%  95.0 MiB of 100.0 MiB  2.0 KiB/s  1.0 KiB/s  7\n"
        "libra-web-7f3a2c-1  app1  -               -                      -          -          -\n"
        "app2 does not answer\n"
    )
    coloured = draw(usage_lines(report), is_coloured=True)
    assert "\x1b[31m95.0 MiB of 100.0 MiB\x1b[0m" in coloured
    assert "\x1b[33m37.5% of 50.0%\x1b[0m" in coloured
    assert draw(usage_lines(UsageReport(1.0))) == "no replica runs\n"
