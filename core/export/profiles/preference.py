"""The preference profiles: one diverging assistant message on each side, which may be a tool call.

Longer sides would put tool results into the loss. Axolotl's preference loaders drop tool calls, so there is no
profile for it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from string import Template

from core.export.pairs import NO_PAIR, NOT_GOOD, Pair, is_good, pairs
from core.export.profiles import hf, llamafactory, openai_chat
from core.export.profiles.conversation import compact, require_tools
from core.export.profiles.profile import Making, Profile, RefusedError, Row, Written, train_and_held
from core.export.templates import TEMPLATE_FOLDER
from core.thread.call_ids import with_neutral_ids
from core.thread.value import Message, Thread


def _rows(thread: Thread, making: Making, make: Callable[[Thread, Pair, Making], list[Row]]) -> list[Row]:
    if not is_good(thread):
        raise RefusedError(NOT_GOOD, "it is neither right nor accepted, so nothing in it is to be preferred")
    better = pairs(thread, making.siblings, making.changes)
    if not better:
        raise RefusedError(NO_PAIR, "it has no alternative that still fits, and no branch that went wrong")
    require_tools(thread)
    return [row for pair in better for row in make(thread, _as_sent(pair, making.ahead), making)]


def _as_sent(pair: Pair, ahead: Sequence[Message]) -> Pair:
    """The pair after what was sent before the thread, with ids that say nothing."""
    prompt = (*ahead, *pair.prompt)
    *asked, chosen = with_neutral_ids((*prompt, pair.chosen))
    return Pair(tuple(asked), chosen, with_neutral_ids((*prompt, pair.rejected))[-1], pair.source)


def _trl_parts(thread: Thread, pair: Pair, making: Making) -> tuple[list[Row], list[Row], list[Row], Row]:
    """Prompt, chosen, rejected and the tools column, in the `hf` form without loss flags."""
    # one call a turn would move the results of a split turn behind the diverging message
    plain = Making(split_calls=False, changes=making.changes)
    prompt, chosen, rejected = (
        hf.messages([_unflagged(message) for message in side], plain)
        for side in (pair.prompt, (pair.chosen,), (pair.rejected,))
    )
    tools = list(thread.tools or ())
    return prompt, chosen, rejected, {"tools": compact(tools)} if tools else {}


def _unflagged(message: Mapping[str, object]) -> Mapping[str, object]:
    return {key: value for key, value in message.items() if key not in ("train", "weight")}


def _trl_dpo(thread: Thread, pair: Pair, making: Making) -> list[Row]:
    prompt, chosen, rejected, tools = _trl_parts(thread, pair, making)
    return [{"prompt": prompt, "chosen": chosen, "rejected": rejected, **tools}]


def _trl_kto(thread: Thread, pair: Pair, making: Making) -> list[Row]:
    prompt, chosen, rejected, tools = _trl_parts(thread, pair, making)
    return [
        {"prompt": prompt, "completion": chosen, "label": True, **tools},
        {"prompt": prompt, "completion": rejected, "label": False, **tools},
    ]


def _kto_rows(thread: Thread, making: Making) -> list[Row]:
    """As `_rows`; a message that is preferred to several others is one row."""
    rows = _rows(thread, making, _trl_kto)
    return list({json.dumps([row["prompt"], row["completion"], row["label"]]): row for row in rows}.values())


def _openai_dpo(thread: Thread, pair: Pair, making: Making) -> list[Row]:
    request = openai_chat.request(thread, [_unflagged(message) for message in pair.prompt], making)
    return [
        {
            "input": request,
            "preferred_output": [openai_chat.message_of(_unflagged(pair.chosen))],
            "non_preferred_output": [openai_chat.message_of(_unflagged(pair.rejected))],
        }
    ]


def _llamafactory_dpo(thread: Thread, pair: Pair, making: Making) -> list[Row]:
    turns = llamafactory.conversation(pair.prompt, making)
    if turns and turns[-1]["from"] == "gpt":
        raise RefusedError("order of messages", "the pair follows an assistant message, which the loader would skip")
    llamafactory.check_order(turns, last_by_model=False)
    tools = list(thread.tools or ())
    return [
        {
            "conversations": turns,
            "chosen": llamafactory.turn_of(pair.chosen),
            "rejected": llamafactory.turn_of(pair.rejected),
            "tools": compact(tools) if tools else "",
        }
    ]


def _trl_script(name: str) -> Callable[[str, Sequence[Written], Making], Mapping[str, str]]:
    def snippets(stem: str, files: Sequence[Written], making: Making) -> Mapping[str, str]:
        script = Template((TEMPLATE_FOLDER / name).read_text(encoding="utf-8"))
        train, held = train_and_held(files)
        return {f"{stem}.trl.py": script.substitute(train=repr(train), val=repr(held))}

    return snippets


def _llamafactory_snippets(stem: str, files: Sequence[Written], making: Making) -> Mapping[str, str]:
    columns = {"messages": "conversations", "chosen": "chosen", "rejected": "rejected", "tools": "tools"}
    entries = {
        llamafactory.dataset_name(stem, file): {**llamafactory.dataset_entry(file.name, **columns), "ranking": True}
        for file in files
    }
    return {
        "dataset_info.json": compact(entries),
        f"{stem}.llamafactory.yaml": llamafactory.training_yaml("dpo", list(entries)),
    }


TRL_DPO = Profile(
    name="trl_dpo",
    about="TRL's DPOTrainer",
    file_stem="training_data_trl_dpo",
    trainers=("trl",),
    rows=lambda thread, making: _rows(thread, making, _trl_dpo),
    snippets=_trl_script("trl_dpo.py.txt"),
    pairs=True,
    options=frozenset(("with_system",)),
)
TRL_KTO = Profile(
    name="trl_kto",
    about="TRL's KTOTrainer",
    file_stem="training_data_trl_kto",
    trainers=("trl",),
    rows=_kto_rows,
    snippets=_trl_script("trl_kto.py.txt"),
    pairs=True,
    options=frozenset(("with_system",)),
)
OPENAI_DPO = Profile(
    name="openai_dpo",
    about="OpenAI's preference fine-tuning",
    file_stem="training_data_openai_dpo",
    rows=lambda thread, making: _rows(thread, making, _openai_dpo),
    pairs=True,
    options=frozenset(("with_system",)),
)
LLAMAFACTORY_DPO = Profile(
    name="llamafactory_dpo",
    about="LLaMA-Factory's DPO, ShareGPT form",
    file_stem="training_data_llamafactory_dpo",
    trainers=("llamafactory",),
    rows=lambda thread, making: _rows(thread, making, _llamafactory_dpo),
    snippets=_llamafactory_snippets,
    pairs=True,
    options=frozenset(("template", "with_system")),
)
