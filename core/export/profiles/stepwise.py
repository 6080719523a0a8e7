"""`trl_prm`: a thread as steps with a label each, for process reward models. TRL's PRMTrainer and Axolotl's
`stepwise_supervised` read it.

The form is TRL's type "stepwise supervision": `prompt` (text), `completions` (a text for each step) and `labels` (a
boolean for each). A tool's result stands at the beginning of the next step, so that a step is judged by what was known
when it was taken.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.export.profiles.conversation import arguments_of, compact, count_reasoning
from core.export.profiles.profile import Making, Profile, RefusedError, Row
from core.thread.turn_labels import label_of
from core.thread.value import Message, Thread, call_name, calls_of, is_assistant, text_of

NO_LABELS = "no turn is labelled"


def rows(thread: Thread, making: Making) -> list[Row]:
    """The thread as one row. `neutral` counts as no error, as in Lightman et al. (2023).

    Raises:
        RefusedError: no turn is labelled, or only some are.
    """
    turns = [message for message in thread.messages if is_assistant(message)]
    labels = [label_of(message) for message in turns]
    if not any(labels):
        raise RefusedError(NO_LABELS, "none of its turns is labelled good, neutral or bad")
    if None in labels:
        unlabelled = [str(number) for number, label in enumerate(labels, 1) if label is None]
        numbers = ", ".join(unlabelled)
        raise RefusedError("turns without a label", f"turn {numbers} has no label; label every turn, or none")
    count_reasoning(thread.messages, making)
    if neutral := labels.count("neutral"):
        making.changes["neutral turns that count as no error"] += neutral
    prompt, completions = _steps(thread.messages)
    return [{"prompt": prompt, "completions": completions, "labels": [label != "bad" for label in labels]}]


def _steps(messages: Sequence[Message]) -> tuple[str, list[str]]:
    """What was said before the first step, and the steps: each with what came since the step before it."""
    before: list[str] = []
    prompt = ""
    steps: list[str] = []
    for message in messages:
        if not is_assistant(message):
            text = text_of(message)
            before.append(f"<tool_response>\n{text}\n</tool_response>" if message.get("role") == "tool" else text)
            continue
        if not steps:
            prompt, before = "\n\n".join(before), []
        steps.append("\n".join([*before, *_text_and_calls(message)]))
        before = []
    return prompt, steps


def _text_and_calls(message: Message) -> list[str]:
    """An assistant message as the profile writes it: its text, then each call in a tag of its own."""
    calls = [{"name": call_name(call), "arguments": arguments_of(call)} for call in calls_of(message)]
    text = text_of(message).strip()
    return [*([text] if text else []), *(f"<tool_call>\n{compact(call)}\n</tool_call>" for call in calls)]


TRL_PRM = Profile(
    name="trl_prm",
    about="process reward models: TRL's PRMTrainer, Axolotl",
    file_stem="training_data_trl_prm",
    rows=rows,
    steps=True,
)
