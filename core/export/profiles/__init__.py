"""One profile per form a trainer takes: a pure function from a thread to its rows, with the config that loads them."""

from __future__ import annotations

import difflib

from core.errors import UsageError
from core.export.profiles import (
    hf,
    llamafactory,
    ms_swift,
    openai_chat,
    openrlhf,
    oumi,
    plain,
    preference,
    rl,
    stepwise,
    torchtune,
    verl,
)
from core.export.profiles.profile import Profile

PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        plain.OPENAI_V1,
        hf.HF,
        llamafactory.LLAMAFACTORY,
        ms_swift.MS_SWIFT,
        verl.VERL,
        openrlhf.OPENRLHF,
        oumi.OUMI,
        torchtune.TORCHTUNE,
        openai_chat.OPENAI,
        preference.TRL_DPO,
        preference.TRL_KTO,
        preference.OPENAI_DPO,
        preference.LLAMAFACTORY_DPO,
        stepwise.TRL_PRM,
        rl.RL,
    )
}
"""Every profile by name."""


def profile_of(name: str) -> Profile:
    """The profile of that name. Raises UsageError naming the nearest one."""
    if name in PROFILES:
        return PROFILES[name]
    near = difflib.get_close_matches(name, PROFILES, 1)
    hint = f"did you mean `{near[0]}`?" if near else f"there are: {', '.join(PROFILES)}"
    raise UsageError(f"there is no profile `{name}`; {hint}")
