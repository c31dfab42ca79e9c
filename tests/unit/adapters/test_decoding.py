"""Types are learnt one at a time, however many threads ask first."""

import re
import threading
from pathlib import Path

import msgspec
import pytest

from underway.adapters import decoding
from underway.adapters.chain import _KINDS
from underway.adapters.decoding import decoded

PACKAGE = Path(decoding.__file__).parent


def test_what_does_not_fit_is_told():
    with pytest.raises(msgspec.ValidationError):
        decoded(b'"text"', int)
    assert decoded(b"7", int) == 7


def test_each_type_is_learnt_once_though_many_ask_at_once(monkeypatch: pytest.MonkeyPatch):
    learnt: list[object] = []
    together = threading.Barrier(8)
    real = msgspec.json.Decoder

    def learn(kind: object) -> object:
        learnt.append(kind)
        return real(kind)  # type: ignore[call-overload]

    monkeypatch.setattr(decoding, "_DECODERS", {})
    monkeypatch.setattr(msgspec.json, "Decoder", learn)

    def ask() -> None:
        together.wait(10)
        for kind in _KINDS.values():
            with pytest.raises(msgspec.ValidationError):
                decoded(b"[]", kind)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(map(repr, learnt)) == sorted(map(repr, _KINDS.values()))


def test_nobody_else_names_a_type_where_threads_read():
    """Records are read side by side: only `decoded` may name a type to msgspec there."""
    named = re.compile(r"json[.]decode[(].*type=")
    assert not [p for p in PACKAGE.rglob("*.py") if named.search(p.read_text(encoding="utf-8"))]
