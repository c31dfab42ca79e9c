from hypothesis import given
from hypothesis import strategies as st

from underway.rollout.last_lines import without_repeats


def test_a_traceback_of_every_start_is_told_once():
    block = ["Traceback", "  line 6", "KeyError: 'GREETING'"]
    assert without_repeats(block * 3) == block
    assert without_repeats(block[1:] + block + block) == block


def test_what_differs_is_kept():
    lines = ["starting", "waiting for db", "waiting for db", "gave up"]
    assert without_repeats(lines) == lines
    assert without_repeats(["one"]) == ["one"]
    assert without_repeats([]) == []


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=6), st.integers(2, 4))
def test_nothing_is_lost(block: list[str], rounds: int):
    told = without_repeats(block * rounds)
    assert set(told) == set(block)
    assert told == block[-len(told) :]
