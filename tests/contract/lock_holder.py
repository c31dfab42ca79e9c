"""A process that takes a lock and keeps it: `python -m tests.contract.lock_holder URL IMAGE APP`.

Prints `held` once it has the lock, and `lost` when it learns that it lost it.
"""

import sys
import time

from underway.adapters.connector import DockerConnector
from underway.adapters.lock import AttachedLocks
from underway.errors import LockLostError
from underway.model.names import AppName, HostName
from underway.model.spec import HostSpec


def main() -> None:
    url, image, app = sys.argv[1:]
    with DockerConnector() as connector:
        engine = connector.connect(HostSpec(HostName("h1"), url))
        with AttachedLocks([engine], lambda _: image).acquire(
            AppName(app), "deploy", wait_s=0
        ) as lock:
            sys.stdout.write("held\n")
            sys.stdout.flush()
            try:
                while True:
                    lock.check()
                    time.sleep(0.1)
            except LockLostError:
                sys.stdout.write("lost\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
