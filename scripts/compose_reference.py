"""Write the generated references of Compose keys and x-underway.

Run `python -m scripts.compose_reference` after a change of the table or the wishes.
"""

from pathlib import Path

from underway.compose.reference import (
    compose_keys_page,
    deviations_page,
    x_underway_page,
    x_underway_schema,
)

ROOT = Path(__file__).resolve().parent.parent

PAGES = {
    ROOT / "docs/reference/compose-keys.md": compose_keys_page,
    ROOT / "docs/reference/compose-differences.md": deviations_page,
    ROOT / "docs/reference/x-underway.md": x_underway_page,
    ROOT / "src/underway/compose/x-underway.schema.json": x_underway_schema,
}


def main() -> None:
    """Write every page."""
    for path, page in PAGES.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page(), encoding="utf-8")
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
