"""Putting a streamed reply together, however its server cuts it up.

Servers differ: calls come in fragments or whole, with or without an index or an id, with the name once or
in every chunk, with reasoning in a field of its own or between `<think>` tags. `Reply.read` reads one chunk
and returns what is new in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from core.model.pieces import content, is_object, overlap, string, whole_characters
from core.model.text_calls import TextCalls
from core.thread.cost import finite

NAMELESS = "unnamed_tool"
"""What a call without a name is called, so that its error result tells the model."""

_OPEN, _CLOSE = "<think>", "</think>"


@dataclass(frozen=True, slots=True)
class TextAdded:
    """More of the message's text. `reasoning` is text that the server streams apart."""

    run: str
    text: str
    reasoning: bool = False


@dataclass(frozen=True, slots=True)
class CallAdded:
    """The model begins its call number `index` of this message (from 0)."""

    run: str
    index: int
    name: str


@dataclass(frozen=True, slots=True)
class ArgumentsAdded:
    """More of the arguments of call `index`, as they are streamed: a fragment of JSON."""

    run: str
    index: int
    text: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """The endpoint asked for patience, or failed and is tried again; what came of the message is void."""

    run: str
    seconds: float
    reason: str
    busy: bool = False
    """Whether the endpoint has too much to do, or is asked too often."""
    asked_to: bool = False
    """Whether it is the endpoint that named the time."""


@dataclass(slots=True)
class WrittenCall:
    """A tool call as the model wrote it."""

    server_index: int | None = None
    server_id: str = ""
    name: str = ""
    arguments: str = ""
    announced: bool = False


@dataclass(frozen=True, slots=True)
class CallWritten:
    """Call number `index` is whole and can be carried out."""

    index: int
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Prefilling:
    """The server reads what it was sent, as llama.cpp tells with `return_progress`: so many tokens of so many."""

    run: str
    done: int
    total: int


ReplyEvent = TextAdded | CallAdded | ArgumentsAdded | CallWritten | Prefilling


@dataclass(slots=True)
class Reply:
    """What has come of one message so far. `run` is the run that its events carry."""

    run: str = ""
    text: str = ""
    reasoning: str = ""
    calls: list[WrittenCall] = field(default_factory=list[WrittenCall])
    finish: str = ""
    ended: bool = False
    """Whether the server marked the end of the stream."""
    model: str = ""
    fingerprint: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost: float | None = None
    """What the message cost, where the server says so in its `usage`."""
    sent: dict[str, Any] = field(default_factory=dict[str, Any])
    """How it was asked for: the options of the request, and what was `dropped` because the server refuses it."""
    calls_from_text: bool = False
    """Whether the calls were read out of the text; see `core.model.text_calls`."""
    tool_names: frozenset[str] = frozenset()
    """What the model was offered, by which two names in a row are told from one name in two pieces."""
    _thinking: bool = False
    _held: str = ""
    _written: int = 0

    @property
    def empty(self) -> bool:
        """Whether nothing came that is worth keeping."""
        return not (self.text.strip() or self.calls or self._held.strip())

    def read(self, chunk: Any) -> Iterator[ReplyEvent]:
        """Read one chunk of the stream (or a whole completion) as the JSON object it is."""
        if not isinstance(chunk, dict):
            return
        self.model = self.model or string(chunk.get("model"))
        self.fingerprint = self.fingerprint or string(chunk.get("system_fingerprint"))[:200]
        self._count(chunk.get("usage"))
        progress = chunk.get("prompt_progress")
        if isinstance(progress, dict):
            done, total = progress.get("processed"), progress.get("total")
            if isinstance(done, int) and isinstance(total, int):
                yield Prefilling(self.run, done, total)
        choices = chunk.get("choices")
        first = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(first, dict):
            return
        delta = first.get("delta") or first.get("message")
        if isinstance(delta, dict):
            yield from self._reasoned(string(delta.get("reasoning_content") or delta.get("reasoning")))
            yield from self._spoken(content(delta.get("content")) or string(delta.get("refusal")))
            calls = delta.get("tool_calls")
            for part in calls if isinstance(calls, list) else [calls] if isinstance(calls, dict) else []:
                if isinstance(part, dict):
                    yield from self._called(part)
        self.finish = string(first.get("finish_reason")) or self.finish

    def end(self) -> Iterator[ReplyEvent]:
        """The stream is over: release what was held back and close the last call."""
        held, self._held = self._held, ""
        yield from self._emit(held)
        self._settle_thinking()
        self.text = whole_characters(self.text.strip())
        self.reasoning = whole_characters(self.reasoning.strip())
        self.calls = [call for call in self.calls if call.name or call.arguments.strip()]
        yield from self._close(len(self.calls), whole=True)

    def adopt(self, written: TextCalls) -> Iterator[ReplyEvent]:
        """Take the calls that stand in the text for calls, and the rest for the text. Only after `end`."""
        self.text, self.calls_from_text = written.rest, True
        for call in written.calls:
            index, self._written = len(self.calls), self._written + 1
            self.calls.append(WrittenCall(name=call.name, arguments=call.arguments, announced=True))
            yield CallAdded(self.run, index, call.name)
            yield ArgumentsAdded(self.run, index, call.arguments)
            yield CallWritten(index, call.name, call.arguments)

    def reset(self) -> None:
        """Forget what came: the request is made again."""
        fresh = Reply(self.run, tool_names=self.tool_names)
        for name in self.__slots__:
            setattr(self, name, getattr(fresh, name))

    def _count(self, usage: Any) -> None:
        if isinstance(usage, dict):
            prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
            self.prompt_tokens = prompt if isinstance(prompt, int) else self.prompt_tokens
            self.completion_tokens = completion if isinstance(completion, int) else self.completion_tokens
            if (cost := finite(usage.get("cost"))) is not None:
                self.cost = cost

    def _reasoned(self, text: str) -> Iterator[ReplyEvent]:
        if text:
            self.reasoning += text
            yield TextAdded(self.run, text, reasoning=True)

    def _spoken(self, text: str) -> Iterator[ReplyEvent]:
        """Text with `<think>` parts told apart; a tag cut in two is held back until it is whole."""
        self._held += text
        while self._held:
            tag = _CLOSE if self._thinking else _OPEN
            before, whole_tag, after = self._held.partition(tag)
            if whole_tag:
                yield from self._emit(before)
                self._thinking, self._held = not self._thinking, after
                continue
            ready_size = len(self._held) - overlap(self._held, tag)
            ready, self._held = self._held[:ready_size], self._held[ready_size:]
            yield from self._emit(ready)
            return

    def _emit(self, text: str) -> Iterator[ReplyEvent]:
        if not text:
            return
        if self._thinking:
            self.reasoning += text
        else:
            if not self.text:
                text = text.lstrip()
            self.text += text
        if text:
            yield TextAdded(self.run, text, reasoning=self._thinking)

    def _settle_thinking(self) -> None:
        """Templates that open `<think>` in the prompt leave only its end in the reply."""
        before, closing_tag, after = self.text.rpartition(_CLOSE)
        if closing_tag:
            self.reasoning += before.replace(_CLOSE, "")
            self.text = after

    def _called(self, part: dict[str, Any]) -> Iterator[ReplyEvent]:
        function = part.get("function")
        function = function if isinstance(function, dict) else part
        name, arguments = string(function.get("name")), function.get("arguments")
        if arguments is not None and not isinstance(arguments, str):
            arguments = json.dumps(arguments, ensure_ascii=False)
        number = self._call_number(part, name, arguments or "")
        call = self.calls[number]
        call.server_id = call.server_id or string(part.get("id"))
        if name and not call.announced and name != call.name:
            call.name += name
        if not arguments:
            return
        yield from self._announce(number)
        call.arguments += arguments
        yield ArgumentsAdded(self.run, number, arguments)

    def _call_number(self, part: dict[str, Any], name: str, arguments: str) -> int:
        """Which call a fragment belongs to; a new one is begun where none fits."""
        index, server_id = part.get("index"), string(part.get("id"))
        index = index if isinstance(index, int) else None
        for number in reversed(range(len(self.calls))):
            call = self.calls[number]
            if index is not None:
                same = call.server_index == index
            elif server_id:
                same = call.server_id == server_id
            else:
                same = number == len(self.calls) - 1
            if same and not self._begins_another(call, server_id, name, arguments):
                return number
            if same:
                break
        self.calls.append(WrittenCall(index, server_id))
        return len(self.calls) - 1

    def _begins_another(self, call: WrittenCall, server_id: str, name: str, arguments: str) -> bool:
        """Whether a fragment under the index of `call` is the beginning of a further one.

        Some servers number all calls 0, some give every fragment the name, and some do both.
        """
        if not name:
            return False
        other_id = bool(server_id and call.server_id and server_id != call.server_id)
        if not call.arguments.strip():
            two_names = {call.name, name} <= self.tool_names and name != call.name
            return other_id or two_names
        if not is_object(call.arguments):
            return other_id and not (arguments and not arguments.lstrip().startswith("{"))
        return other_id or name != call.name or arguments.lstrip().startswith("{")

    def _announce(self, number: int) -> Iterator[ReplyEvent]:
        call = self.calls[number]
        if call.announced:
            return
        yield from self._close(number)
        call.announced = True
        call.name = call.name.strip() or NAMELESS
        yield CallAdded(self.run, number, call.name)

    def _close(self, number: int, whole: bool = False) -> Iterator[ReplyEvent]:
        """Report the calls before `number`; while the stream goes on, only as far as their arguments are whole."""
        while self._written < number and (whole or is_object(self.calls[self._written].arguments)):
            index, self._written = self._written, self._written + 1
            call = self.calls[index]
            if not call.announced:
                call.announced = True
                call.name = call.name.strip() or NAMELESS
                yield CallAdded(self.run, index, call.name)
            call.arguments = whole_characters(call.arguments.strip()) or "{}"
            yield CallWritten(index, call.name, call.arguments)
