"""Which options of an export mean something beside which others. What would be accepted and ignored is refused."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, fields

from core.errors import UsageError
from core.export.profiles import PROFILES, profile_of
from core.export.report import ExportRequest


@dataclass(frozen=True, slots=True)
class Rule:
    """When an option means something."""

    applies: Callable[[ExportRequest], bool]
    needs: str
    """What it takes, as the end of a sentence."""


def _of_profile(option: str) -> Rule:
    names = [profile.name for profile in PROFILES.values() if option in profile.options]
    return Rule(lambda request: option in profile_of(request.profile).options, f"the profile {' or '.join(names)}")


RULES = {
    "split_calls": _of_profile("split_calls"),
    "template": _of_profile("template"),
    "call_ids": _of_profile("call_ids"),
    "with_system": _of_profile("with_system"),
    "mask_bad": _of_profile("mask_bad"),
    "rejected": _of_profile("rejected"),
    "correct_only": _of_profile("correct_only"),
    "wrong_too": _of_profile("correct_only"),
    "group": Rule(lambda request: request.split is not None, "a split"),
    "seed": Rule(lambda request: request.split is not None or request.cap is not None, "a split or a cap"),
}
"""By option. An option that is not named here means something beside every other."""


def flag(option: str) -> str:
    """An option as the command line has it."""
    return f"`--{option.replace('_', '-')}`"


def refuse_ignored(
    request: ExportRequest, chosen: Collection[str] | None = None, called: Callable[[str], str] = flag
) -> None:
    """Nothing where each chosen option means something.

    Args:
        request: what is asked for.
        chosen: the options that somebody chose; those that differ from what is usual when None.
        called: what an option is called where it was chosen.

    Raises:
        UsageError: one of them would be ignored; the message says what it takes.
    """
    usual = ExportRequest()
    differing = [field.name for field in fields(request) if getattr(request, field.name) != getattr(usual, field.name)]
    for option in differing if chosen is None else chosen:
        rule = RULES.get(option)
        if rule is not None and not rule.applies(request):
            beside = f" with the profile {request.profile}" if rule.needs.startswith("the profile") else ""
            raise UsageError(f"{called(option)} would change nothing{beside}: it takes {rule.needs}; leave it out")
