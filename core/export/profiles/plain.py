"""`openai_v1`: the threads themselves, copied. Axolotl and ms-swift read it as it is."""

from __future__ import annotations

from core.export.profiles.hf import axolotl_snippet
from core.export.profiles.profile import Profile

OPENAI_V1 = Profile(
    name="openai_v1",
    about="the threads as they are stored; Axolotl and ms-swift read it as it is",
    file_stem="training_data_openai",
    trainers=("axolotl",),
    options=frozenset(("call_ids", "rejected", "correct_only", "with_system")),
    snippets=axolotl_snippet,
)
