"""Makes `docs/reference/backup-faults.md` of the cells that tests noted as they held.

python -m scripts.fault_table artifacts/backup-faults.tsv
"""

import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "backup-faults.md"
HEAD = """\
# What was broken while data was backed up

Written by `scripts/fault_table.py` from what `tests/e2e/test_backup_fault_table.py` noted: each
line was made to happen on a real engine. After each, requests were answered, nothing stayed
paused, quiet or stopped, the list showed complete points only, the last good one came back bit for
bit, and the next backup succeeded. Exit code -9 is a client that was killed.

| fault | when | exit code | what was said |
|---|---|---|---|
"""


def main(path: str) -> int:
    """Write the page; each fault and moment once, as it was noted last."""
    cells: dict[tuple[str, str], str] = {}
    for line in Path(path).read_text().splitlines():
        fault, moment, code, told = line.split("\t")
        said = told.replace("|", "\\|")
        cells[fault, moment] = f"| {fault} | {moment} | {code} | {said} |\n"
    PAGE.write_text(HEAD + "".join(cells.values()))
    sys.stdout.write(f"{len(cells)} cells\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
