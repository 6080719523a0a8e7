"""What can be chosen of an export, and the request that the choices make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from core.errors import UsageError
from core.export.options import refuse_ignored
from core.export.profiles import PROFILES
from core.export.profiles.profile import TEMPLATES
from core.export.report import ExportRequest
from core.export.split import parse_split
from tui.dialogs.option_rows import Option

OPTIONS = (
    Option("filter", "filter", "which threads; the same words as in the list", asks="export only threads that match",
           empty="every thread"),
    Option("threads", "threads", "unfinished ones end without an answer",
           (("finished", "finished only (recommended)"), ("all", "all, unfinished too"))),
    Option("rejected", "rejected", "threads with the verdict reject", (("", "left out"), ("yes", "exported too"))),
    Option("new", "exported before", "by this profile's exports so far",
           (("", "exported again"), ("yes", "only new and changed threads"))),
    Option("profile", "profile", "the form of the rows, and whose",
           tuple((profile.name, f"{profile.name} · {profile.about}") for profile in PROFILES.values())),
    Option("split", "split", "train, validation and test in files of their own",
           (("", "one file"), ("90/10", "90/10"), ("80/20", "80/20"), ("80/10/10", "80/10/10")),
           asks="shares of train/val or train/val/test, such as 90/10; empty for one file"),
    Option("group", "kept together", "never on two sides of the split",
           (("subject", "a subject's sessions"), ("session", "a session's threads"),
            ("family", "a thread's branches"))),
    Option("held_out", "held out", "never trained on, in this and every later export; only a test side has them",
           empty="no session", screen=True),
    Option("dedupe", "duplicates", "threads that say what an earlier one says",
           (("off", "exported"), ("exact", "exact ones left out"), ("near", "near ones left out too"))),
    Option("cap", "balance", "how many threads of each label at most, drawn by the seed",
           (("", "as many as there are"), ("50", "at most 50 of a label"), ("200", "at most 200 of a label"),
            ("1000", "at most 1000 of a label")),
           asks="threads of each label at most; empty for all"),
    Option("wrong", "wrong answers", "that no person accepted; the preference profiles make pairs of them",
           (("", "exported too"), ("leave", "left out"))),
    Option("seed", "seed", "what the split and the balance draw by", (("0", "0"), ("1", "1"), ("2", "2")),
           asks="a whole number"),
    Option("with_system", "system prompt", "what was sent before each thread; its examples' turns are out of the loss",
           (("", "left out, with the examples"), ("yes", "exported too, with the examples"))),
    Option("mask_bad", "bad turns", "that a person labelled bad; only the profiles hf and openai can mask them",
           (("", "trained like the others"), ("yes", "kept as context, out of the loss"))),
    Option("calls", "parallel calls", "Llama-3's templates take one call a turn",
           (("", "as they are"), ("split", "as turns of one call each"))),
    Option("call_ids", "call ids", "stored ones name the session; only openai_v1 has them",
           (("stored", "as they are stored"), ("neutral", "nine letters and digits"))),
    Option("template", "joined results", "of parallel calls; only in the profiles for LLaMA-Factory",
           tuple((name, f"as {name} templates join them") for name in TEMPLATES)),
)  # fmt: skip
"""Everything there is to choose, in the order of the dialog."""


_FIELDS = {"calls": "split_calls", "wrong": "correct_only"}
"""The options that are called otherwise in a request."""


def usual(filter_text: str, *, correct_only: bool = False) -> dict[str, str]:
    """What is chosen before anybody chooses: what `x` does, in a workspace with this setting."""
    chosen = {option.name: option.values[0][0] if option.values else "" for option in OPTIONS}
    return {**chosen, "filter": filter_text, "wrong": "leave" if correct_only else ""}


def request_of(chosen: Mapping[str, str]) -> ExportRequest:
    """The request that these choices make. Raises UsageError for a typed value that cannot be read, and for a choice
    that would change nothing beside the others."""
    seed = _number("seed", chosen["seed"] or "0", 0)
    split = parse_split(chosen["split"], cast("Any", chosen["group"]), seed) if chosen["split"] else None
    request = ExportRequest(
        profile=chosen["profile"],
        filter=chosen["filter"],
        finished_only=chosen["threads"] == "finished",
        rejected=bool(chosen["rejected"]),
        new_only=bool(chosen["new"]),
        split=split,
        dedupe=cast("Any", chosen["dedupe"]),
        cap=_number("balance", chosen["cap"], 1) if chosen["cap"] else None,
        seed=seed,
        correct_only=bool(chosen["wrong"]) if not PROFILES[chosen["profile"]].wants_wrong else None,
        call_ids=cast("Any", chosen["call_ids"]),
        split_calls=bool(chosen["calls"]),
        template=chosen["template"],
        mask_bad=bool(chosen["mask_bad"]),
        with_system=bool(chosen["with_system"]),
    )
    plain = usual("")
    labels = {_FIELDS.get(option.name, option.name): option.label for option in OPTIONS}
    differing = [_FIELDS.get(name, name) for name, value in chosen.items() if value != plain[name] and name != "wrong"]
    refuse_ignored(request, differing, lambda name: f"`{labels[name]}`")
    return request


def _number(label: str, text: str, least: int) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < least:
        raise UsageError(f"{label}: `{text}` is no whole number from {least} on")
    return int(text)
