"""What a build says, as lines: buildx's JSON progress, or plain text as it is.

The JSON objects are BuildKit's SolveStatus: `vertexes` are the build's steps, `logs` hold what
their commands wrote, in base64. Buildx 0.13 writes each object indented over many lines, newer
ones on one line; both end in a brace in the first column.
"""

import base64
import json
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Final

TAIL_LINES: Final = 30
_MASKED_FROM: Final = 4


class BuildLog:
    """Takes a builder's lines, hands readable ones on without sensitive values, keeps the last."""

    def __init__(self, progress: Callable[[str], None], sensitive: Iterable[str] = ()) -> None:
        """`progress` gets each readable line; what it raises ends the build."""
        self.reason = ""
        self._progress = progress
        self._masked = tuple(
            sorted({text for text in sensitive if len(text) >= _MASKED_FROM}, key=len, reverse=True)
        )
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._told: set[tuple[str, str]] = set()
        self._rest: dict[str, str] = {}
        self._object: list[str] = []

    def feed(self, line: str) -> None:
        """Take one line as the builder wrote it."""
        if not self._object and not line.startswith("{"):
            if line.startswith("ERROR: "):
                self.reason = self.mask(line.removeprefix("ERROR: "))
            self.say(line)
            return
        self._object.append(line)
        if not line.endswith("}") or line.startswith(" "):
            return
        text = "\n".join(self._object)
        self._object.clear()
        try:
            status = json.loads(text)
        except ValueError:
            self.say(text)
            return
        for vertex in status.get("vertexes") or ():
            self._vertex(vertex)
        for entry in status.get("logs") or ():
            self._output(entry)

    def say(self, line: str) -> None:
        """Keep one readable line and hand it on."""
        text = self.mask(line.rstrip())
        if text:
            self._tail.append(text)
            self._progress(text)

    def tail(self) -> tuple[str, ...]:
        """The last lines, an unfinished one included."""
        for rest in self._rest.values():
            if rest.strip():
                self._tail.append(self.mask(rest.rstrip()))
        self._rest.clear()
        return tuple(self._tail)

    def mask(self, text: str) -> str:
        """The text without sensitive values: a builder quotes what it expanded."""
        for value in self._masked:
            text = text.replace(value, "***")
        return text

    def _vertex(self, vertex: dict[str, Any]) -> None:
        name = " ".join(str(vertex.get("name") or "").split())
        digest = str(vertex.get("digest") or "")
        if vertex.get("error"):
            self._once(digest, "error", f"{name}: {vertex['error']}")
        elif vertex.get("cached"):
            self._once(digest, "start", f"{name} (cached)")
        elif vertex.get("started"):
            self._once(digest, "start", name)

    def _once(self, digest: str, kind: str, text: str) -> None:
        if (digest, kind) not in self._told:
            self._told.add((digest, kind))
            self.say(text)

    def _output(self, entry: dict[str, Any]) -> None:
        """Output comes in pieces that need not end with a line."""
        vertex = str(entry.get("vertex") or "")
        text = base64.b64decode(entry.get("data") or "").decode("utf-8", "replace")
        *lines, rest = (self._rest.get(vertex, "") + text).split("\n")
        self._rest[vertex] = rest
        for line in lines:
            self.say(line.rstrip("\r").rpartition("\r")[2])
