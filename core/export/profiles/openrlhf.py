"""`openrlhf`: the chat rows of `hf`, and the script that makes rows of prompt and response of them for one model.

OpenRLHF's own rendering of messages drops their tools and trains every turn. A prompt and a response that are rendered
already it trains as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import Template

from core.export.profiles import hf
from core.export.profiles.profile import Making, Profile, Written, train_and_held
from core.export.templates import TEMPLATE_FOLDER


def snippets(stem: str, files: Sequence[Written], making: Making) -> Mapping[str, str]:
    """The script, and the template it needs for models whose own drops tools."""
    train, held = train_and_held(files)
    named = {"--data.dataset": train} | ({"--eval.dataset": held} if held else {})
    script = Template((TEMPLATE_FOLDER / "openrlhf_rows.py.txt").read_text(encoding="utf-8"))
    return {
        f"{stem}.openrlhf.py": script.substitute(files=repr(named), template=repr(f"{stem}.{hf.TOOLS_TEMPLATE}")),
        f"{stem}.{hf.TOOLS_TEMPLATE}": (TEMPLATE_FOLDER / hf.TOOLS_TEMPLATE).read_text(encoding="utf-8"),
    }


OPENRLHF = Profile(
    name="openrlhf",
    about="OpenRLHF: with the script that renders each turn for a model",
    file_stem="training_data_openrlhf",
    trainers=("openrlhf",),
    rows=hf.rows,
    snippets=snippets,
    options=frozenset(("split_calls", "rejected", "correct_only", "mask_bad", "with_system")),
)
