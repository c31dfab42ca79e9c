import typing
from collections.abc import Iterator
from dataclasses import replace

from tests.unit.report.sample import HOSTS, plan
from underway.backup.steps import DataStep
from underway.model.plan import Lane, Plan, Stage
from underway.model.step import RemoveContainer, StartContainer, Step
from underway.report.line import draw
from underway.report.plan_text import plan_lines
from underway.report.step_text import VERBS

COMPACT = """\
plan: bring libra from release 11 to release 12  4 stages, 16 steps, 2 hosts

web  environment COLOR changed

1. images
   pull image registry.test/libra:3f2a91c on app1, app2  because not here
2. start the new generation
   create libra-web-7f3a2c-1, libra-web-7f3a2c-2 on app1, app2  because web runs release 11
   start libra-web-7f3a2c-1, libra-web-7f3a2c-2 on app1, app2  because web runs release 11
   await libra-web-7f3a2c-1, libra-web-7f3a2c-2 on app1, app2  because just started
   record on app1, app2
3. cut over
   route web on app1, app2  because all ready
4. retire the old generation  from here on a failure goes forward
   drain libra-web-11aa22-1, libra-web-11aa22-2 on app1, app2  because replaced
   stop libra-web-11aa22-1, libra-web-11aa22-2 on app1, app2  because replaced

interrupts: db
  db: its strategy is recreate
left alone: libra-web-ffffff-9 on app2: not made by Underway
note: web has no health check: a TCP probe is used
"""

VERBOSE_STAGES = """\
2. start the new generation
   app1
     record release 12  because new release
     create libra-web-7f3a2c-1  because web runs release 11
     start libra-web-7f3a2c-1  because web runs release 11
     await libra-web-7f3a2c-1 to be ready within 1m 00s  because just started
   app2
     record release 12  because new release
     create libra-web-7f3a2c-2  because web runs release 11
     start libra-web-7f3a2c-2  because web runs release 11
     await libra-web-7f3a2c-2 to be ready within 1m 00s  because just started
3. cut over
   app1
     route web live b: libra-web-7f3a2c-1; drain: libra-web-11aa22-1  because all ready
"""


def test_compact_plan_puts_equal_work_on_one_line():
    assert draw(plan_lines(plan())) == COMPACT


def test_verbose_plan_shows_every_step_with_its_cause():
    assert VERBOSE_STAGES in draw(plan_lines(plan(), is_verbose=True))


def test_empty_plan_says_nothing_is_to_be_done():
    empty = Plan(plan().app, plan().release, "deploy")
    assert draw(plan_lines(empty)) == "nothing to do: libra is as wished (release 12)\n"


def test_interruptions_are_red():
    text = draw(plan_lines(plan()), is_coloured=True)
    assert "\x1b[31minterrupts: db\x1b[0m" in text


def test_many_subjects_are_counted():
    names = [f"libra-web-7f3a2c-{number}" for number in range(1, 8)]
    steps = tuple(RemoveContainer(HOSTS[0], name, "surplus") for name in names)
    many = replace(plan(), stages=(Stage("remove", (Lane(HOSTS[0], steps),)),))
    assert "libra-web-7f3a2c-4 and 3 more on app1" in draw(plan_lines(many))


def test_causes_that_differ_in_numbers_share_a_line():
    names = ["libra-web-7f3a2c-1", "libra-web-7f3a2c-2", "libra-web-11aa22-1"]
    causes = ["replica 1 of 2", "replica 2 of 2", "surplus"]
    steps = tuple(StartContainer(HOSTS[0], *pair) for pair in zip(names, causes, strict=True))
    mixed = replace(plan(), stages=(Stage("start", (Lane(HOSTS[0], steps),)),))
    text = draw(plan_lines(mixed))
    assert "libra-web-7f3a2c-1, libra-web-7f3a2c-2 on app1  because replica 1 of 2, …\n" in text
    assert "start libra-web-11aa22-1 on app1  because surplus\n" in text


def test_every_kind_of_step_has_a_verb():
    def kinds(union: object) -> Iterator[str]:
        for part in typing.get_args(union):
            yield from kinds(part) if typing.get_args(part) else [part.__name__]

    assert set(VERBS) == {*kinds(Step), *kinds(DataStep)}
