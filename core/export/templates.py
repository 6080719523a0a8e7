"""Where the texts of config snippets are kept."""

from __future__ import annotations

from pathlib import Path

TEMPLATE_FOLDER = Path(__file__).parent / "snippets"
