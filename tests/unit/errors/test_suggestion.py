"""A name that is not there is answered with the one that was meant, or with those there are."""

from underway.errors.suggestion import is_misspelt, meant_hint, name_hint, nearest


def test_the_most_alike_name_is_meant() -> None:
    assert nearest("wbe", {"db", "web", "worker"}) == "web"
    assert nearest("postgres", ["db", "web"]) == ""
    assert nearest("bd", ["db", "web"]) == "db"


def test_capitals_and_underscores_make_no_difference() -> None:
    assert nearest("HOSTS", ["hosts", "host-ids"]) == "hosts"
    assert nearest("x_underway", ["x-underway"]) == "x-underway"


def test_what_can_only_be_meant_for_another_is_misspelt() -> None:
    assert is_misspelt("x-underwy", "x-underway")
    assert is_misspelt("x_underway", "x-underway")
    assert not is_misspelt("x-underway", "x-underway")
    assert not is_misspelt("x-overlay", "x-underway")


def test_a_hint_asks_or_tells() -> None:
    assert meant_hint("wbe", ["web"], "nothing") == "Did you mean `web`?"
    assert meant_hint("postgres", ["web"], "nothing") == "nothing"
    assert name_hint("postgres", {"web", "db"}) == "It has db, web."
    assert name_hint("postgres", ()) == "It has none."
