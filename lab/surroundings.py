"""The environment in which a user of a laboratory's first host runs commands."""

import os
import sys
from pathlib import Path

from lab.laboratory import Laboratory


def surroundings(lab: Laboratory) -> dict[str, str]:
    """This process's environment with the laboratory's programs, host and images.

    The programs beside this Python come first: a virtual environment's own.
    """
    tools = lab.describe()["tools"]
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{tools['path']}:{os.environ['PATH']}",
        "DOCKER_CONFIG": tools["docker_config"],
        "DOCKER_HOST": lab.hosts[0].url,
        "UNDERWAY_TOOLS_BASE": lab.images["tools-base"],
    }
