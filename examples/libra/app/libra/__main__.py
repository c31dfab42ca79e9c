"""`python -m libra` runs the server."""

import sys

from libra.server import main

if __name__ == "__main__":
    sys.exit(main())
