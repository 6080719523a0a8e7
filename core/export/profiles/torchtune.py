"""`torchtune`: the rows of `verl`, and the dataset that renders them by the template in the model's folder.

torchtune's own messages have no tools, and its `SFTDataset` refuses what the assistant says after a tool's result,
since no user spoke between (`validate_messages`). Tokens with a mask it takes as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import Template

from core.export.profiles import hf, verl
from core.export.profiles.profile import Making, Profile, Written, train_and_held
from core.export.templates import TEMPLATE_FOLDER


def snippets(stem: str, files: Sequence[Written], making: Making) -> Mapping[str, str]:
    """The dataset, in a module that a configuration can name, and the template for models whose own drops tools."""
    train, held = train_and_held(files)
    module, template = f"{stem}_torchtune", f"{stem}.{hf.TOOLS_TEMPLATE}"
    script = Template((TEMPLATE_FOLDER / "torchtune_rows.py.txt").read_text(encoding="utf-8"))
    return {
        f"{module}.py": script.substitute(module=module, train=repr(train), val=repr(held), template=repr(template)),
        template: (TEMPLATE_FOLDER / hf.TOOLS_TEMPLATE).read_text(encoding="utf-8"),
    }


TORCHTUNE = Profile(
    name="torchtune",
    about="torchtune: with the dataset that renders rows for a model",
    file_stem="training_data_torchtune",
    trainers=("torchtune",),
    rows=verl.rows,
    snippets=snippets,
    options=frozenset(("split_calls", "rejected", "correct_only", "mask_bad", "with_system")),
)
