from __future__ import annotations

import json
from typing import Any

import pytest

from core.errors import ModelError
from core.model.client import Model
from core.model.endpoints import Endpoint, ModelChoice
from core.model.reply import CallWritten, Reply
from core.model.text_calls import TextCall, text_calls
from core.settings_tables import ModelSettings
from tests.fake_server import fake_server, says

OFFERED = frozenset({"look", "listen"})
TOOLS = [{"type": "function", "function": {"name": name}} for name in sorted(OFFERED)]
LOOK = TextCall("look", '{"at": "x"}')
JSON = '{"name": "look", "arguments": {"at": "x"}}'

FORMS: dict[str, tuple[str, tuple[TextCall, ...], str]] = {
    "Hermes": (f"Let me look.\n<tool_call>\n{JSON}\n</tool_call>", (LOOK,), "Let me look."),
    "Hermes, not closed": (f"<tool_call>{JSON}", (LOOK,), ""),
    "Hermes, two": (f"<tool_call>{JSON}</tool_call>\n<tool_call>{JSON}</tool_call>", (LOOK, LOOK), ""),
    "Hermes, a tool that is not offered": (
        '<tool_call>{"name": "smell", "arguments": {}}</tool_call>', (TextCall("smell", "{}"),), ""
    ),
    "Qwen coder": (
        "I look.\n<tool_call>\n<function=look>\n<parameter=at>\nx\n</parameter>\n</function>\n</tool_call>",
        (LOOK,),
        "I look.",
    ),
    "function with JSON": ('<function=look>{"at": "x"}</function>', (LOOK,), ""),
    "Llama": ('{"name": "look", "parameters": {"at": "x"}}', (LOOK,), ""),
    "Llama's code tag": (f"<|python_tag|>{JSON}<|eom_id|>", (LOOK,), ""),
    "Llama, two": (f"{JSON}; {JSON}", (LOOK, LOOK), ""),
    "the API's own shape": (
        json.dumps({"type": "function", "function": {"name": "look", "arguments": '{"at": "x"}'}}), (LOOK,), ""
    ),
    "fenced": (f"Let me look.\n```json\n{JSON}\n```", (LOOK,), "Let me look."),
    "at the end of a sentence": (f"I call {JSON}", (LOOK,), "I call"),
    "a list": (f"[{JSON}, {JSON}]", (LOOK, LOOK), ""),
    "Mistral": (f"[TOOL_CALLS] [{JSON}]", (LOOK,), ""),
    "Mistral's newer form": ('[TOOL_CALLS]look[ARGS]{"at": "x"}', (LOOK,), ""),
    "Harmony": (
        "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>commentary to=functions.look "
        '<|constrain|>json<|message|>{"at": "x"}<|call|>',
        (LOOK,),
        "",
    ),
    "Harmony, the tool first": (
        '<|start|>assistant to=functions.look<|channel|>commentary json<|message|>{"at": "x"}<|call|>', (LOOK,), ""
    ),
    "no arguments": ('{"name": "look"}', (TextCall("look", "{}"),), ""),
    "tokens that hold no call": (
        "<|channel|>final<|message|>It walks.", (), "<|channel|>final<|message|>It walks."
    ),
    "a form that nobody reads": ("<tool_call>look\n<arg_key>at", (), "<tool_call>look\n<arg_key>at"),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_the_common_forms_are_known(form: str) -> None:
    text, calls, rest = FORMS[form]
    written = text_calls(text, OFFERED)
    assert written is not None
    assert (written.calls, written.rest) == (calls, rest)


@pytest.mark.parametrize(
    "text",
    [
        "It walks.\n\nFinal Answer: walking",
        '{"name": "anna", "arguments": {}}',
        'The result {"mean": 9.8, "name": "body_acc_x"} speaks for it.',
        "a < b and {x} and [1, 2]",
        "{" * 5000,
        '{"a":' * 5000,
    ],
)
def test_text_that_only_looks_alike_stays_text(text: str) -> None:
    assert text_calls(text, OFFERED) is None


async def replied(text: str, tool_text: Any = "refuse", tools: Any = TOOLS) -> tuple[Reply, list[Any]]:
    with fake_server(says(text)) as server:
        model = Model(ModelChoice(Endpoint("lab", server.url), "fake", ModelSettings(tool_text=tool_text)))
        reply, events = Reply("r"), list[Any]()
        try:
            async for event in model.stream(reply, [{"role": "user", "content": "?"}], tools):
                events.append(event)
        finally:
            await model.aclose()
    return reply, events


@pytest.mark.parametrize("form", FORMS)
async def test_a_call_written_as_text_is_said_and_ends_the_run(form: str) -> None:
    with pytest.raises(
        ModelError, match="lab: the model wrote its call as text: start the server with its tool parser"
    ):
        await replied(FORMS[form][0])


async def test_it_is_taken_as_a_call_where_the_settings_say_so() -> None:
    reply, events = await replied(f"Let me look.\n<tool_call>{JSON}</tool_call>", "parse")
    assert [event for event in events if isinstance(event, CallWritten)] == [CallWritten(0, "look", '{"at": "x"}')]
    assert (reply.text, reply.calls_from_text) == ("Let me look.", True)
    with pytest.raises(ModelError, match="in a form that cannot be read"):
        await replied(FORMS["a form that nobody reads"][0], "parse")


async def test_an_answer_and_a_model_without_tools_are_left_alone() -> None:
    reply, _ = await replied("Final Answer: walking")
    assert reply.text == "Final Answer: walking"
    reply, _ = await replied(JSON, tools=())
    assert reply.text == JSON
