"""JSON -> typed values, safe whichever thread asks first.

msgspec learns a type when it is first named and keeps what it learnt with the class. Two threads
that name one type for the first time at once can meet it half learnt, and the process crashes
(seen: a segmentation fault while the ledgers of three hosts were read side by side). So types are
learnt here one at a time; decoding itself needs no lock.
"""

import threading
from typing import Any, Final, TypeVar

import msgspec

_Value = TypeVar("_Value")
_DECODERS: Final[dict[object, "msgspec.json.Decoder[Any]"]] = {}
_LEARNING: Final = threading.Lock()


def decoded(data: bytes | str, kind: type[_Value]) -> _Value:
    """The value; raises msgspec.MsgspecError where the data is none of `kind`."""
    decoder = _DECODERS.get(kind)
    if decoder is None:
        with _LEARNING:
            decoder = _DECODERS.get(kind) or msgspec.json.Decoder(kind)
            _DECODERS[kind] = decoder
    value: _Value = decoder.decode(data)
    return value
