"""Effects of one run, counted from 1 and noted: each is a line of a journal."""

import threading
from pathlib import Path


class Effects:
    """Tells of each effect whether it is the one that is meant; 0 means none."""

    def __init__(self, journal: Path, number: int) -> None:
        self._journal = journal.open("a")
        self._number = number
        self._count = 0
        self._guard = threading.Lock()

    def is_meant(self, name: str) -> bool:
        """Note one more effect."""
        with self._guard:
            self._count += 1
            self._journal.write(f"{name}\n")
            self._journal.flush()
            return self._count == self._number
