"""Run every benchmark: `python -m bench`."""

import sys

from bench import backup, deploy


def main() -> int:
    """Run them one after another; non-zero if one could not run."""
    return deploy.main() or backup.main()


if __name__ == "__main__":
    sys.exit(main())
