"""Writes the chat templates that Mistral's own package generates: `python write_templates.py FOLDER`, in an environment
that has mistral-common. Those of other families lie in TRL's package as files."""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

import sys
from pathlib import Path


def main(folder: str) -> None:
    """Write `mistral_v3.jinja`, `mistral_v11.jinja` and `mistral_v13.jinja`."""
    from mistral_common.integrations.chat_templates.template_generator import TemplateConfig, build_chat_template
    from mistral_common.tokens.tokenizers.base import TokenizerVersion

    for number in (3, 11, 13):
        config = TemplateConfig(version=TokenizerVersion(f"v{number}"), thinking_support=number >= 13)
        Path(folder, f"mistral_v{number}.jinja").write_text(build_chat_template(config), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
