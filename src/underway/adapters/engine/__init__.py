"""`ports.Engine` over the Docker Engine API.

docker-py carries the HTTP session, the registry credentials and nothing else: every call here is
one call of the Engine API, with a deadline, and its answer is translated at the border. What only
computes (bodies, states, frames, archives) stands in modules of its own without I/O.
"""

from underway.adapters.engine.command_server import CommandServer
from underway.adapters.engine.connection import Connection
from underway.adapters.engine.engine import DockerEngine
from underway.adapters.engine.route import Route, UnixRoute

__all__ = ["CommandServer", "Connection", "DockerEngine", "Route", "UnixRoute"]
