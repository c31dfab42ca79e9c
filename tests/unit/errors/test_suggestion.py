"""A name that is not there is answered with the one that was meant, or with those there are."""

from underway.errors.suggestion import meant_hint, name_hint, nearest


def test_the_most_alike_name_is_meant() -> None:
    assert nearest("wbe", {"db", "web", "worker"}) == "web"
    assert nearest("postgres", ["db", "web"]) == ""
    assert nearest("x-underwy", ["x-underway"], at_least=0.8) == "x-underway"
    assert nearest("x-under", ["x-overlay"], at_least=0.8) == ""


def test_a_hint_asks_or_tells() -> None:
    assert meant_hint("wbe", ["web"], "nothing") == "Did you mean `web`?"
    assert meant_hint("postgres", ["web"], "nothing") == "nothing"
    assert name_hint("postgres", {"web", "db"}) == "It has db, web."
