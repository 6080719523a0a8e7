"""`docs/keys.md`, from the table of actions and their commands. `make keys`."""

from __future__ import annotations

from pathlib import Path

from tui.screens.same_command import page

PAGE = Path(__file__).parents[2] / "docs" / "keys.md"


def main() -> None:
    """Write it anew."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
