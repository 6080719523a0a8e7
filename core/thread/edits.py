"""Edits of a thread in place: pure functions from a thread to a new one.

Nothing after an edit is deleted; what rests on it is marked stale (`core.thread.stale`). What later turns rest on is
the question, the calls, their results, and what the assistant said without calling a tool:

- an edited question, or any other user message, makes every later assistant message stale;
- an edited, added or removed call makes its own result stale (or missing, or gone) and what follows stale;
- an edited result makes what follows stale, and the results of calls that name an artifact it no longer makes;
- the text beside tool calls makes nothing stale: its calls and their results, which are what the later turns go
  by, still stand. A curator's commonest edit is of such wording;
- the text of a message without calls makes what follows stale; nothing follows the final one.

An assistant message that is edited loses its own stale mark: it is now what a person wants there. The turn as it
was goes to the alternatives, so that it can serve as the rejected side of a preference pair.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

from core.errors import UsageError
from core.thread.alternatives import shifted, with_turn_kept
from core.thread.question import question_of, question_turn
from core.thread.stale import made_by, mark_after, marked, without
from core.thread.turns import Turn, call_id, call_ids, calls_with_results, results_of, turn_at
from core.thread.updates import with_messages, with_metadata
from core.thread.value import Message, Thread, call_arguments, call_name, calls_of, is_assistant, text_of

if TYPE_CHECKING:
    from tools.registry import Tool, ToolContext


def with_text(message: Message, text: str) -> Message:
    """A message with another text; for a tool message its result."""
    return {**message, "content": text}


def with_call(message: Message, number: int, name: str, arguments: str) -> Message:
    """An assistant message whose call `number` (from 0) names another tool or has other arguments.

    A number one past the last adds a call; its id is given when the message is put into a thread.
    """
    calls = list(calls_of(message))
    if number == len(calls):
        calls.append({"id": "", "type": "function", "function": {}})
    function = {**(calls[number].get("function") or {}), "name": name, "arguments": arguments}
    calls[number] = {**calls[number], "function": function}
    return {**message, "tool_calls": calls}


def edited(thread: Thread, index: int, message: Message) -> Thread:
    """The thread with message `index` replaced by an edited one, and what rests on it marked.

    Raises:
        UsageError: there is no such message, or the edit would change what the message is: its role, the call a
            result answers, an id that another call has.
    """
    old = message_at(thread, index)
    if message == old:
        return thread
    if message.get("role") != old.get("role"):
        raise UsageError(f"message {index + 1} is the {old.get('role')}'s; an edit cannot make it another's")
    if is_assistant(old):
        return _edited_assistant(thread, index, message)
    if old.get("role") == "tool":
        return _edited_result(thread, index, message)
    changed = _replaced(thread, index, message)
    if text_of(message) != text_of(old):
        changed = with_messages(changed, mark_after(changed.messages, index, index + 1))
    if index < question_turn(thread).end and question_of(changed) not in (None, question_of(thread)):
        changed = with_metadata(changed, user_query=question_of(changed))
    return changed


def message_at(thread: Thread, index: int) -> Message:
    """The thread's message `index`. Raises UsageError when there is none."""
    if not 0 <= index < len(thread.messages):
        raise UsageError(f"{thread.id} has {len(thread.messages)} messages, no number {index + 1}")
    return thread.messages[index]


def assistant_turn(thread: Thread, index: int, otherwise: str) -> Turn:
    """The assistant's turn that message `index` belongs to. Raises UsageError, saying `otherwise` where it is none."""
    message_at(thread, index)
    turn = turn_at(thread, index)
    if turn.kind != "assistant":
        raise UsageError(otherwise)
    return turn


def _replaced(thread: Thread, index: int, message: Message) -> Thread:
    return with_messages(thread, [*thread.messages[:index], message, *thread.messages[index + 1 :]])


def _edited_result(thread: Thread, index: int, message: Message) -> Thread:
    old = thread.messages[index]
    if message.get("tool_call_id") != old.get("tool_call_id"):
        raise UsageError(f"message {index + 1} answers the call {old.get('tool_call_id')}; an edit cannot change that")
    if same_result(old, message.get("content")):
        return _replaced(thread, index, message)
    changed = _replaced(thread, index, {**without(message, "stale"), "edited": True})
    turn = turn_at(thread, index)
    calls = answered_calls(thread, index)
    number = next((number for number, (_, answer) in enumerate(calls) if answer == index), len(calls))
    call = calls[number][0] if number < len(calls) else {}
    gone = made_by(call, old) - made_by(call, message)
    numbers = range(number + 1, len(calls))
    return with_messages(changed, mark_after(changed.messages, turn.start, turn.end, gone, numbers=numbers))


def answered_calls(thread: Thread, index: int) -> list[tuple[Mapping[str, Any], int | None]]:
    """The calls of the turn that message `index` belongs to, each with the message that answers it, or None."""
    return calls_with_results(thread.messages, turn_at(thread, index).start)


def same_result(message: Message, content: Any) -> bool:
    """Whether a tool message already says `content`, as text or as the same JSON value."""
    return message.get("content") == content or _value(message.get("content")) == _value(content)


def _value(content: Any) -> Any:
    try:
        return json.loads(content) if isinstance(content, str) else content
    except (ValueError, RecursionError):
        return content


def _edited_assistant(thread: Thread, index: int, message: Message) -> Thread:
    old = thread.messages[index]
    turn = turn_at(thread, index)
    message = _with_ids(thread, index, without(message, "stale", "label"))
    before = {str(call.get("id", "")): call for call in calls_of(old)}
    after = {str(call.get("id", "")): call for call in calls_of(message)}
    changed = {call_id for call_id in after if call_id not in before or not _same_call(before[call_id], after[call_id])}
    removed = before.keys() - after.keys()
    block: list[Message] = [message]
    gone: set[str] = set()
    answers = {answer: call for call, answer in answered_calls(thread, index) if answer is not None}
    for at in range(index + 1, turn.end):
        result = thread.messages[at]
        call = answers.get(at)
        answered_id = str(call.get("id", "")) if call else ""
        if call and answered_id in changed | removed:
            gone |= made_by(call, result)
            result = marked({**result, "name": call_name(after[answered_id])}) if answered_id in after else None
        if result is not None:
            block.append(result)
    messages: list[Message] = [*thread.messages[:index], *block, *thread.messages[turn.end :]]
    end = index + len(block)
    said_otherwise = not after and text_of(message) != text_of(old)
    if changed or removed or said_otherwise:
        messages = mark_after(
            messages, index, end, gone, numbers=range(len(after)), calls_changed=bool(changed or removed)
        )
    edited_thread = shifted(with_messages(thread, messages), turn.end, end - turn.end)
    if changed or removed or text_of(message) != text_of(old):
        edited_thread = with_turn_kept(edited_thread, thread, turn, "edited")
    return edited_thread


def _same_call(left: Mapping[str, Any], right: Mapping[str, Any]) -> bool:
    return call_name(left) == call_name(right) and _value(call_arguments(left)) == _value(call_arguments(right))


def _with_ids(thread: Thread, index: int, message: Message) -> Message:
    """The edited message with an id on every call, new ones after those its turn has. Raises UsageError for an id that
    another call has; one that a file made elsewhere holds twice already may stay."""
    everywhere = call_ids(thread.messages)
    before = call_ids([thread.messages[index]])
    own = [str(call.get("id") or "") for call in calls_of(message)]
    for chosen in filter(None, own):
        if own.count(chosen) > max(1, before.count(chosen)) or (chosen in everywhere and chosen not in before):
            raise UsageError(f"another call has the id {chosen} already")
    if all(own):
        return message
    turn = turn_at(thread, index).number
    free = (
        chosen
        for chosen in (call_id(thread.id, turn, number) for number in count())
        if chosen not in everywhere and chosen not in own
    )
    calls = [{**call, "id": chosen or next(free)} for call, chosen in zip(calls_of(message), own, strict=True)]
    return {**message, "tool_calls": calls}


def answered(thread: Thread, index: int, contents: Mapping[int, str]) -> Thread:
    """The thread with results for calls of the assistant message `index`: call number (from 0) to content.

    A result that is the same already only loses its marks. Where one is new or another, what follows is marked.
    """
    calls = calls_of(message_at(thread, index))
    messages = list(thread.messages)
    end = turn_at(thread, index).end
    artifacts: set[str] = set()
    changed = False
    for number in sorted(contents):
        call, places = calls[number], results_of(messages, index)
        answer = places[number]
        result: dict[str, Any] = {"role": "tool", "tool_call_id": call.get("id"), "name": call_name(call)}
        if answer is None:
            at = max((earlier for earlier in places[:number] if earlier is not None), default=index) + 1
            messages.insert(at, {**result, "content": contents[number]})
            artifacts |= made_by(call, messages[at])
            changed = True
            continue
        old = messages[answer]
        plain = without(old, "stale", "edited")
        if same_result(old, contents[number]):
            messages[answer] = plain
            continue
        messages[answer] = {**plain, "name": call_name(call), "content": contents[number]}
        artifacts |= made_by(call, old) ^ made_by(call, messages[answer])
        changed = True
    by = len(messages) - len(thread.messages)
    if changed:
        later = [number for number in range(min(contents), len(calls)) if number not in contents]
        messages = mark_after(messages, index, end + by, artifacts, numbers=later)
    return shifted(with_messages(thread, messages), end, by)


def reexecuted(
    thread: Thread,
    index: int,
    tools: Sequence[Tool],
    context: ToolContext,
    only: Collection[int] | None = None,
    *,
    every: bool = False,
) -> Thread:
    """The thread with the calls of the assistant message `index` carried out again with their present arguments.

    Args:
        thread: the thread.
        index: the assistant message.
        tools: the tools there are; a call of another is answered with an error result, as a model's would be.
        context: what the calls work on, with the windows that earlier calls made.
        only: numbers of the calls whose results are wanted (from 0); all unless told.
        every: carry out the calls after the last wanted one too, for the windows that they add to the context.

    Raises:
        UsageError: the message calls no tool.
    """
    from tools.registry import call as carry_out

    calls = calls_of(message_at(thread, index))
    if not calls:
        raise UsageError(f"message {index + 1} calls no tool, so there is nothing to execute")
    chosen = range(len(calls)) if only is None else only
    # a call may name what one before it in the same message made, so those are carried out for the context's sake
    contents = {
        number: carry_out(tools, context, call_name(call), call_arguments(call)).content
        for number, call in enumerate(calls if every else calls[: max(chosen, default=-1) + 1])
    }
    return answered(thread, index, {number: contents[number] for number in chosen})
