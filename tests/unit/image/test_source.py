"""What git says of a source."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

from underway.adapters.source import source_facts
from underway.image.tags import SourceFacts


def test_source_facts_follow_git(tmp_path: Path) -> None:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    environment |= {
        f"GIT_{who}_{what}": "a@example.com"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    environment |= {"GIT_AUTHOR_DATE": "2026-03-04T05:06:07Z"}
    environment |= {"GIT_COMMITTER_DATE": "2026-03-04T23:30:00-02:00"}

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=tmp_path, env=environment, capture_output=True, check=True
        )
        return done.stdout.decode().strip()

    def facts() -> SourceFacts:
        return source_facts(tmp_path, environment=environment, now=1_700_000_000)

    assert facts() == SourceFacts(date="20231114", root=str(tmp_path))
    git("init", "-q")
    assert facts() == SourceFacts(date="20231114", root=str(tmp_path))
    (tmp_path / "a").write_text("1")
    (tmp_path / ".gitignore").write_text("*.log\n")
    git("add", ".")
    git("commit", "-qm", "one")
    git("tag", "v1.0.0")
    (tmp_path / "x.log").write_text("ignored")
    clean = facts()
    assert clean == SourceFacts(
        commit=git("rev-parse", "HEAD"),
        date="20260305",
        git_tags=("v1.0.0",),
        past_tags=("v1.0.0",),
        root=str(tmp_path),
    )
    (tmp_path / "b").write_text("untracked")
    assert facts() == replace(clean, is_dirty=True)
    git("add", ".")
    git("commit", "-qm", "two")
    after = facts()
    assert (after.git_tags, after.past_tags) == ((), ("v1.0.0",))
