"""Editing one message where it stands: its text, and each tool call as a name and its arguments."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message as Event
from textual.suggester import SuggestFromList
from textual.widgets import Input, TextArea

from core.errors import UsageError
from core.text import one_line
from core.thread.edits import with_call, with_text
from core.thread.value import Message, Thread, call_arguments, call_name, calls_of, text_of
from tui.local_keys import keys_of, local_bindings
from tui.widgets.line_field import LineField
from tui.widgets.message_fields import compact, fields_of, laid_out
from tui.widgets.plain import Plain, plain
from tui.widgets.text_field import TextField

CHECK_SECONDS = 0.15
"""How long typing must rest before the calls are checked against the tools' schemas."""


class NameField(LineField):
    """A tool's name: typed with completion, or walked through with the up and down keys."""

    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("tool_name")]

    def __init__(self, name: str, names: Sequence[str], *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(name, id=id, suggester=SuggestFromList(names))
        self._names = list(names)

    def action_other(self, step: int) -> None:
        """Put in the next tool's name."""
        if self._names:
            at = self._names.index(self.value) if self.value in self._names else -1 if step > 0 else 0
            self.value = self._names[(at + step) % len(self._names)]
            self.cursor_position = len(self.value)


class MessageEditor(VerticalScroll):
    """A message in fields. It is the caller who saves; leaving loses nothing, since every change is told."""

    DEFAULT_CSS = """
    MessageEditor {
        layer: editor; border: round $accent; background: $surface; padding: 0 1; scrollbar-size-vertical: 1;
        TextArea { border: none; padding: 0; background: $surface; height: auto; min-height: 3; }
        .no-text { min-height: 1; }
        .call { height: 1; }
        .call Plain { width: 2; }
        NameField { width: 1fr; border: none; padding: 0; background: $surface; }
        .arguments { margin-left: 2; }
        .problems { dock: bottom; color: $text-error; background: $surface; height: auto; max-height: 5; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("editor")]

    @dataclass
    class Saved(Event):
        """The person wants to keep the edit."""

        message: Message
        rerun: bool
        despite_problems: bool
        """Whether problems were on the screen, and saving was asked for a second time."""

    class Changed(Event):
        """Something was typed."""

    class Left(Event):
        """The person goes away from the editor."""

    @dataclass
    class Checked(Event):
        """What the tools' schemas say of the calls."""

        problems: tuple[str, ...]
        number: int

    def __init__(
        self, thread: Thread, message: Message, *, title: str, head: str = "", fields: Mapping[str, str] | None = None
    ) -> None:
        """A message in fields.

        Args:
            thread: whose tools the calls are checked against.
            message: what is edited.
            title: what it is, for the border.
            head: a beginning of the text that stays as it is and is not shown, such as a manifest.
            fields: what was typed before and not saved.
        """
        super().__init__(id="editor")
        self._head = head
        self._thread = thread
        self._original = message
        self._fields = fields or {}
        self._checks = 0
        self._problems: tuple[str, ...] = ()
        self._warned = False
        self.border_title = plain(title)  # pyright: ignore[reportAttributeAccessIssue] - a string would be markup

    @property
    def original(self) -> Message:
        """The message as it was when editing began."""
        return self._original

    @property
    def fields(self) -> dict[str, str]:
        """The text of every field by its name."""
        areas = {str(area.id): area.text for area in self.query(TextField)}
        return areas | {str(field.id): field.value for field in self.query(NameField)}

    @property
    def ready(self) -> bool:
        """Whether all fields are there: those of a call's name come after the others."""
        return len(self._inputs()) == 1 + 2 * len(calls_of(self._original))

    @property
    def unsaved(self) -> dict[str, str]:
        """The text of every field by its name; empty while the message is what it was."""
        return {} if self.message == self._original else self.fields

    @property
    def message(self) -> Message:
        """The message as the fields have it; unknown keys and whatever was not touched stay as they were."""
        message, fields, text = self._original, self.fields, self._text()
        if fields.get("text", text) != text:
            edited = fields["text"]
            edited = compact(edited, text_of(message)) if message.get("role") == "tool" else self._head + edited
            message = with_text(message, edited)
        for number, call in enumerate(calls_of(self._original)):
            name, arguments = fields[f"name-{number}"], fields[f"arguments-{number}"]
            stored = call_arguments(call)
            name = name if name == call_name(call) else name.strip()
            edited = stored if arguments == laid_out(stored) else compact(arguments, stored)
            if edited != stored or name != call_name(call):
                message = with_call(message, number, name, edited)
        return message

    def compose(self) -> ComposeResult:
        """A field for the text, and two for each call."""
        calls = calls_of(self._original)
        text = self._text()
        yield TextField(self._fields.get("text", text), id="text", classes="" if text or not calls else "no-text")
        names = [_tool_name(schema) for schema in self._thread.tools or ()]
        for number, call in enumerate(calls):
            name, arguments = f"name-{number}", f"arguments-{number}"
            with Horizontal(classes="call"):
                yield Plain("▸ ")
                yield NameField(self._fields.get(name, call_name(call)), names, id=name)
            laid = laid_out(call_arguments(call))
            yield TextField(self._fields.get(arguments, laid), id=arguments, classes="arguments")
        if calls:
            yield Plain(id="problems", classes="problems")

    def _text(self) -> str:
        """The message's own text as it is shown: a result laid out where it is JSON."""
        return fields_of(self._original, self._head)["text"]

    def on_mount(self) -> None:
        """Begin at what is most often edited."""
        self.border_subtitle = keys_of(self).hints("editor.save", "editor.rerun")
        self.focus_field()
        self._check()

    def focus_field(self) -> None:
        """Put the focus on the arguments of a call, or else the text."""
        self.query_one("#arguments-0" if calls_of(self._original) else "#text").focus()

    def action_field(self, step: int) -> None:
        """Go to another field; keys never leave the editor, where letters would be commands."""
        fields = self._inputs()
        at = next((index for index, field in enumerate(fields) if field is self.screen.focused), -1 if step > 0 else 0)
        self.screen.set_focus(fields[(at + step) % len(fields)])  # at once, where `focus()` would wait its turn

    def _inputs(self) -> list[TextField | NameField]:
        return [field for field in self.query("*") if isinstance(field, TextField | NameField)]

    async def keys_taken_in(self) -> None:
        """Wait until every field has taken the keys that were pressed while it had the focus."""
        for field in self._inputs():
            done = asyncio.Event()
            field.call_later(done.set)
            await done.wait()

    async def action_save(self, rerun: bool) -> None:
        """Hand the edit over. Calls with problems are only saved when asked for twice."""
        await self.keys_taken_in()
        if self._problems and not self._warned:
            self._warned = True
            self._tell(("saving it all the same takes the same key once more", *self._problems))
            return
        self.post_message(self.Saved(self.message, rerun, bool(self._problems)))

    async def action_external(self) -> None:
        """Hand what the fields hold to another editor, and take back what comes of it."""
        from tui.widgets.message_text import edited_outside

        await self.keys_taken_in()
        try:
            message = edited_outside(self.app, self.message, self._head)
        except UsageError as error:
            self.notify(one_line(str(error), 300), severity="error", markup=False)
            return
        for name, text in fields_of(message, self._head).items():
            field = self.query_one(f"#{name}")
            if isinstance(field, NameField):
                field.value = text
            elif isinstance(field, TextField):
                field.text = text

    async def action_leave(self) -> None:
        """Go away; the draft is the caller's."""
        await self.keys_taken_in()
        self.post_message(self.Left())

    @on(TextArea.Changed)
    @on(Input.Changed)
    def _typed(self, event: TextArea.Changed | Input.Changed) -> None:
        event.stop()
        self._warned = False
        self.post_message(self.Changed())
        self.set_timer(CHECK_SECONDS, partial(self._check, self._checks + 1))
        self._checks += 1

    def _check(self, number: int = 0) -> None:
        # a check that was waited for may come when the fields are not all there yet, or are being taken away
        if number == self._checks and self.ready and calls_of(self._original):
            message = self.message
            calls = len(calls_of(message))

            def work() -> None:
                from core.thread.call_checks import message_problems

                problems = message_problems(self._thread, message, self._original)
                lines = (f"{_prefix(problem.path, calls)}{problem.text}" for problem in problems)
                self.post_message(self.Checked(tuple(map(one_line, lines)), number))

            self.run_worker(work, thread=True, exclusive=True, group="check")

    @on(Checked)
    def _checked(self, event: Checked) -> None:
        event.stop()
        if event.number == self._checks:
            self._problems = event.problems
            self._tell(event.problems)

    def _tell(self, lines: Sequence[str]) -> None:
        shown = self.query_one_optional("#problems", Plain)
        if shown is not None:
            shown.show("\n".join(f"✗ {line}" for line in lines[:4]))


def _prefix(path: str, calls: int) -> str:
    """Where in the message a problem is; which call goes without saying where there is one."""
    return f"{path.removeprefix('tool_calls[0].') if calls == 1 else path}: "


def _tool_name(schema: Mapping[str, Any]) -> str:
    function = schema.get("function")
    return str(function.get("name", "")) if isinstance(function, Mapping) else ""
