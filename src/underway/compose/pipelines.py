"""What lets others run `underway deploy`: a git hook, and jobs of CI services. Pure text.

Every piece does what the guide on continuous integration says by hand, and is the team's to change.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from underway.compose.canonical import Tree
from underway.compose.interpolation import (
    required_variables,
    templates_in,
    unset_variables,
)


class Service(StrEnum):
    """The CI services that a job can be written for."""

    GITHUB = "github"
    GITLAB = "gitlab"
    JENKINS = "jenkins"


PATHS: Final = {
    Service.GITHUB: ".github/workflows/deploy.yaml",
    Service.GITLAB: ".gitlab-ci.yml",
    Service.JENKINS: "Jenkinsfile",
}
"""Where each service looks for its file, from the top of the checkout."""
HOOK: Final = "hooks/post-receive"
_INSTALL: Final = "pip install --quiet 'underway[compose]'"
_SSH: Final = (
    "mkdir -p -m 700 ~/.ssh",
    "umask 077",
    'printf "%s\\n" "$UNDERWAY_SSH_KEY" > ~/.ssh/underway',
    'printf "%s\\n" "$UNDERWAY_KNOWN_HOSTS" >> ~/.ssh/known_hosts',
    'printf "IdentityFile ~/.ssh/underway\\n" >> ~/.ssh/config',
)
"""The key that the hosts know, and the host keys that this build believes."""
_KEYS: Final = ("UNDERWAY_SSH_KEY", "UNDERWAY_KNOWN_HOSTS")


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What a job deploys: pushes to `branch`, to `environment` ("": the file alone).

    `variables` are those that the file takes from outside.
    """

    branch: str = "main"
    environment: str = ""
    variables: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """The deploy as every job runs it: nobody is asked, and an earlier one is waited for."""
        where = f" -E {self.environment}" if self.environment else ""
        return f"underway deploy{where} --plain --wait 10m"


def outside(tree: Tree) -> tuple[str, ...]:
    """The variables that a file takes from outside and has no default for, sorted."""
    names: set[str] = set()
    for template in templates_in(tree):
        names |= required_variables(template, {}) | unset_variables(template, {})
    return tuple(sorted(names))


def job_text(service: Service, pipeline: Pipeline) -> str:
    """The file of a CI service, ended by a newline."""
    job = _JOBS[service]
    names = (*_KEYS, *pipeline.variables)
    return job.text.format(
        branch=pipeline.branch,
        names=", ".join(names),
        variables="\n".join(job.variable.format(name=name) for name in names),
        ssh="\n".join(f"{job.indent}{line}" for line in _SSH),
        install=_INSTALL,
        command=pipeline.command,
    )


def hook_text(pipeline: Pipeline) -> str:
    """A post-receive hook of a bare repository, in the shell that every system has."""
    return _HOOK.format(branch=pipeline.branch, command=pipeline.command)


_GITHUB: Final = """\
# Deploys what is pushed. The secrets named below belong into the repository's settings.
name: deploy
on:
  push:
    branches: [{branch}]
concurrency: deploy
jobs:
  deploy:
    runs-on: ubuntu-latest
    env:
{variables}
    steps:
      - uses: actions/checkout@v4
        with: {{fetch-depth: 0}}  # tags are made from git's
      - uses: actions/setup-python@v5
        with: {{python-version: "3.13"}}
      - name: Reach the hosts
        run: |
{ssh}
      - run: {install}
      - run: {command}
"""
_GITLAB: Final = """\
# Deploys what is pushed. These variables belong into the project's CI/CD settings:
# {names}.
deploy:
  image: python:3.13
  variables: {{GIT_DEPTH: 0}}  # tags are made from git's
  resource_group: deploy
  rules:
    - if: $CI_COMMIT_BRANCH == '{branch}'
  script:
    - |
{ssh}
    - {install}
    - {command}
"""
_JENKINS: Final = """\
// Deploys what is pushed. These credentials (secret texts) belong into Jenkins:
// {names}.
pipeline {{
  agent any
  options {{ disableConcurrentBuilds() }}
  environment {{
{variables}
  }}
  stages {{
    stage('Deploy') {{
      when {{ branch '{branch}' }}
      steps {{
        sh '''#!/bin/sh -eu
{ssh}
python3 -m venv .underway
.underway/bin/{install}
.underway/bin/{command}
'''
      }}
    }}
  }}
}}
"""


class _Job(NamedTuple):
    """The file of one service: `variable` is a line of each variable, `indent` that of the shell.

    `text` has places for the branch, the variables' names and lines, the shell that makes the
    hosts reachable, what installs Underway, and the deploy.
    """

    text: str
    indent: str = ""
    variable: str = ""


_JOBS: Final = {
    Service.GITHUB: _Job(_GITHUB, " " * 10, "      {name}: ${{{{ secrets.{name} }}}}"),
    Service.GITLAB: _Job(_GITLAB, " " * 6),
    Service.JENKINS: _Job(_JENKINS, "", "    {name} = credentials('{name}')"),
}

_HOOK: Final = """\
#!/bin/sh
# Deploys what is pushed to {branch}; written by `underway init --hook`, yours to change.
# A push is taken whatever comes of the deploy: its progress and its end are shown to who pushes.
# Variables that the file takes from outside stand in the repository's file `underway.env`.
set -eu
branch={branch}

deploy() {{ # COMMIT
  repository=$(pwd)
  checkout=$(mktemp -d)
  unset GIT_DIR GIT_QUARANTINE_PATH
  trap 'git -C "$repository" worktree remove --force "$checkout"' EXIT INT TERM
  git -C "$repository" worktree add --quiet --force --detach "$checkout" "$1"
  if [ -f "$repository/underway.env" ]; then
    set -a
    . "$repository/underway.env"
    set +a
  fi
  cd "$checkout"
  {command}
}}

while read -r _ new ref; do
  [ "$ref" = "refs/heads/$branch" ] || continue
  case $new in
    *[!0]*) (deploy "$new") || echo "the deploy ended with exit code $?: see above" ;;
  esac
done
"""
