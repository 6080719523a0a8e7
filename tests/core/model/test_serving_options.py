"""Each option of how a model is asked: seen in the request by a recording server, refused once by another."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx2
import pytest

from core.errors import ModelError, UsageError
from core.model.client import Model
from core.model.endpoints import Endpoint, ModelChoice, choose, chosen_with
from core.model.headers import may_be_written, refuse_spelled_out
from core.model.options import FLAGS, OPTIONS, read_option, shown_option, with_options
from core.model.refusals import Dropped
from core.model.reply import Prefilling, Reply
from core.settings_tables import ModelSettings
from core.workspace import Workspace, open_workspace
from tests.fake_server import delta, usage

TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}]
ASKED = [{"role": "system", "content": "Look well."}, {"role": "user", "content": "What is it?"}]
SAYS = (delta(content="It walks."), delta("stop"), usage(1_000_000, 500_000))

TYPED: dict[str, tuple[str, Any]] = {
    "temperature": ("0.3", {"temperature": 0.3}),
    "seed": ("7", {"seed": 7}),
    "max_tokens": ("99", {"max_tokens": 99}),
    "top_p": ("0.9", {"top_p": 0.9}),
    "top_k": ("40", {"top_k": 40}),
    "min_p": ("0.05", {"min_p": 0.05}),
    "stop": ('["END", "###"]', {"stop": ["END", "###"]}),
    "tool_choice": ("look", {"tool_choice": {"type": "function", "function": {"name": "look"}}}),
    "parallel_tool_calls": ("no", {"parallel_tool_calls": False}),
    "response_format": ('{"type": "json_object"}', {"response_format": {"type": "json_object"}}),
    "extra_body": (
        '{"chat_template_kwargs": {"enable_thinking": false}}',
        {"chat_template_kwargs": {"enable_thinking": False}},
    ),
}
"""Each option that is a part of the request's body: as a person types it, and as it is sent."""


class Server(httpx2.MockTransport):
    """Answers each request with the next of its answers, the last one again and again, and keeps what was asked."""

    def __init__(self, *answers: Sequence[Any] | tuple[int, Any]) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[httpx2.Headers] = []
        self.answers: list[Any] = list(answers) or [SAYS]
        super().__init__(self._answer)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.bodies.append(json.loads(request.content))
        self.headers.append(request.headers)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer[0], int):
            return httpx2.Response(answer[0], json=answer[1])
        text = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in answer) + "data: [DONE]\n\n"
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, text=text)


def refusing(words: str, status: int = 400) -> tuple[int, Any]:
    return status, {"error": {"message": words, "type": "invalid_request_error"}}


def modelled(server: Server, **options: Any) -> Model:
    settings = with_options(ModelSettings(), options)
    endpoint = Endpoint("lab", "http://lab/v1", options={"headers": settings.headers} if settings.headers else {})
    return Model(ModelChoice(endpoint, "m", settings), server, backoff_sec=0.0)


async def asked(model: Model, tools: Any = TOOLS) -> tuple[Reply, list[Any]]:
    reply = Reply("run")
    events = [event async for event in model.stream(reply, ASKED, tools)]
    await model.aclose()
    return reply, events


@pytest.mark.parametrize("name", TYPED)
async def test_an_option_is_sent_as_it_was_typed_and_recorded(name: str) -> None:
    typed, sent = TYPED[name]
    server = Server()
    reply, _ = await asked(modelled(server, **{name: read_option(name, typed)}))
    ((key, value),) = sent.items()
    assert server.bodies[0][key] == value
    assert reply.sent == ({"extra_body": sent} if name == "extra_body" else sent)
    assert read_option(name, shown_option(read_option(name, typed))) == read_option(name, typed)


@pytest.mark.parametrize("name", TYPED)
@pytest.mark.parametrize(
    "words",
    [
        "Unrecognized request argument supplied: {}",
        "[{{'type': 'extra_forbidden', 'loc': ('body', '{}'), 'msg': 'Extra inputs are not permitted'}}]",
        "Unsupported parameter: '{}' is not supported with this model.",
    ],
)
async def test_an_option_that_the_server_refuses_is_left_out_and_said_and_not_sent_again(name: str, words: str) -> None:
    typed, sent = TYPED[name]
    (key,) = sent
    server = Server(refusing(words.format(key)), SAYS)
    model = modelled(server, **{name: read_option(name, typed)})
    reply, events = await asked(model)
    assert key in server.bodies[0] and key not in server.bodies[1]
    assert reply.text == "It walks." and reply.sent["dropped"] == [key]
    assert [f"lab refuses `{key}`" in event.sentence for event in events if isinstance(event, Dropped)] == [True]
    again, events = await asked(model)
    assert key not in server.bodies[2] and again.sent["dropped"] == [key]
    assert not [event for event in events if isinstance(event, Dropped)]


ROLE_TROUBLE = "System role not supported"


async def test_instructions_are_given_as_whom_the_server_takes_them_from() -> None:
    for role, roles in (("developer", ["developer", "user"]), ("user", ["user"]), ("none", ["user"])):
        server = Server()
        reply, _ = await asked(modelled(server, system_role=role))
        assert [message["role"] for message in server.bodies[0]["messages"]] == roles
        assert ("Look well." in json.dumps(server.bodies[0]["messages"])) == (role != "none")
        assert reply.sent["system_role"] == role
    server = Server(refusing(ROLE_TROUBLE), refusing("role 'developer' is not supported"), SAYS)
    reply, events = await asked(modelled(server))
    assert [body["messages"][0]["role"] for body in server.bodies] == ["system", "developer", "user"]
    assert server.bodies[2]["messages"][0]["content"] == "Look well.\n\nWhat is it?"
    assert reply.sent["system_role"] == "user" and len([e for e in events if isinstance(e, Dropped)]) == 2


@pytest.mark.parametrize(
    "words",
    [
        "temperature must be between 0 and 2",
        "max_tokens is too large: 99999. This model supports at most 4096",
        "please stop",
    ],
)
async def test_a_value_out_of_range_is_told_and_the_parameter_not_dropped(words: str) -> None:
    server = Server(refusing(words))
    with pytest.raises(ModelError, match="refused the request"):
        await asked(modelled(server, temperature=5.0, max_tokens=99999, stop="no more"))
    assert len(server.bodies) == 1


async def test_a_parameter_is_only_remembered_once_the_server_answers_without_it() -> None:
    server = Server(refusing("Unknown parameter: 'seed'"), refusing("the context size is exceeded"))
    model = modelled(server, seed=7)
    with pytest.raises(ModelError):
        await asked(model)
    server.answers = [SAYS]
    await asked(model)
    assert server.bodies[-1]["seed"] == 7


async def test_a_secret_among_further_keys_is_sent_and_written_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_KEY", "sk-lab-key-12345")
    extra = {"api_key": "${LAB_KEY}", "nested": [{"access_token": "tok-plain-12345"}], "stop_token": "a", "guide": "$x"}
    settings = with_options(ModelSettings(), {"extra_body": extra})
    told = refusing("Incorrect API key provided: sk-lab-key-12345, tok-plain-12345", 401)
    server = Server(SAYS, told)
    model = Model(chosen_with(Endpoint("lab", "http://lab/v1"), "m", settings), server, backoff_sec=0.0)
    reply, _ = await asked(model)
    assert reply.sent == {"extra_body": {"stop_token": "a", "guide": "$x"}}
    assert server.bodies[0].items() >= {**extra, "api_key": "sk-lab-key-12345"}.items()
    with pytest.raises(ModelError) as raised:
        await asked(model)
    assert "12345" not in str(raised.value) and "[key]" in str(raised.value)
    monkeypatch.delenv("LAB_KEY")
    with pytest.raises(ModelError, match=r"`api_key` of extra_body names \$LAB_KEY, which is not set"):
        await asked(model)


def test_what_is_kept_of_further_keys_holds_no_secret() -> None:
    extra = {"api_key": "${LAB_KEY}", "nested": [{"access_token": "tok-plain-12345"}], "stop_token": "a"}
    written = {"extra_body": {"api_key": "${LAB_KEY}", "stop_token": "a"}}
    assert may_be_written({"extra_body": extra, "headers": {"a": "b"}}) == written
    with pytest.raises(UsageError, match=r'`access_token` is a secret.*write "\$\{NAME\}" there'):
        refuse_spelled_out(extra)
    several = {"api_keys": ["tok-plain-12345"], "stop_token": "a"}
    assert may_be_written({"extra_body": several}) == {"extra_body": {"stop_token": "a"}}
    for deep in (
        {"auth": {"type": {"value": "tok-plain-12345"}}},
        {"password": 12345678},
        {"api_key": "sk-plain${LAB_KEY}"},
        {"api_key": "${LAB_KEY}${LAB_KEY}"},
    ):
        assert may_be_written({"extra_body": {**deep, "stop_token": "a"}}) == {"extra_body": {"stop_token": "a"}}
        with pytest.raises(UsageError, match="is a secret"):
            refuse_spelled_out(deep)
    refuse_spelled_out({"auth": {"value": "${LAB_KEY}"}, "credentials": [{"user": "$LAB_USER"}]})
    schema = {"guided_json": {"properties": {"password": {"type": "string"}}, "required": ["key"]}, "max_tokens": 3}
    assert may_be_written({"extra_body": schema}) == {"extra_body": schema}
    refuse_spelled_out(schema)


async def test_a_secret_in_a_table_is_sent_and_neither_told_nor_taken_for_what_stands_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LAB_KEY", "lab-key-12345")
    extra = {"auth": {"value": "sk-${LAB_KEY}"}, "pin": "sk-${LAB_KEY}", "password": 98765432}
    settings = with_options(ModelSettings(), {"extra_body": extra})
    told = refusing("not sk-lab-key-12345, and no password 98765432", 401)
    server = Server(SAYS, told)
    model = Model(chosen_with(Endpoint("lab", "http://lab/v1"), "m", settings), server, backoff_sec=0.0)
    reply, _ = await asked(model)
    assert reply.sent == {"extra_body": {"pin": "sk-${LAB_KEY}"}}
    assert server.bodies[0].items() >= {**extra, "auth": {"value": "sk-lab-key-12345"}}.items()
    with pytest.raises(ModelError, match=r"not \[key\], and no password \[key\]"):
        await asked(model)


async def test_headers_hold_a_variables_value_which_nobody_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_TEAM", "secret-team-7")
    server = Server((401, {"error": {"message": "no access for secret-team-7"}}))
    model = modelled(server, headers={"X-Team": "t ${LAB_TEAM}"})
    with pytest.raises(ModelError) as failed:
        await asked(model)
    assert server.headers[0]["x-team"] == "t secret-team-7"
    assert "secret" not in str(failed.value) and failed.value.for_all and "secret" not in repr(model.choice)
    server.answers = [(401, {"error": {"message": "no such key: sk-lab-7"}})]
    with pytest.raises(ModelError) as failed:
        await asked(modelled(server, headers={"X-Api-Key": "sk-lab-7"}))
    assert "no such key" in str(failed.value) and "sk-lab-7" not in str(failed.value)
    reply, _ = await asked(modelled(Server(), headers={"X-Title": "mine"}))
    assert "headers" not in reply.sent
    monkeypatch.delenv("LAB_TEAM")
    with pytest.raises(ModelError, match=r"names \$LAB_TEAM, which is not set"):
        await asked(modelled(server, headers={"X-Team": "t ${LAB_TEAM}"}))


async def test_what_a_server_tells_of_its_progress_is_reported() -> None:
    progress = {**delta(role="assistant"), "prompt_progress": {"total": 4096, "processed": 1024, "cache": 0}}
    _, events = await asked(modelled(Server((progress, *SAYS))))
    assert Prefilling("run", 1024, 4096) in events


WRONG = {
    "temperature": "hot", "seed": "x", "max_tokens": "0", "top_p": "2", "top_k": "-5", "min_p": "nan", "stop": "[1]",
    "parallel_tool_calls": "maybe", "response_format": "[]", "extra_body": "{", "headers": '{"a": 1}',
    "system_role": "boss", "concurrency": "0", "connect_timeout_sec": "0", "first_token_timeout_sec": "-1",
    "timeout_sec": "inf", "price_in": "-1", "price_out": "free",
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_value_that_an_option_does_not_take_is_one_sentence(name: str) -> None:
    with pytest.raises(UsageError, match=f"^{name.replace('_', ' ')}: `.+` is not "):
        read_option(name, WRONG[name])


def test_every_option_is_looked_at_here() -> None:
    assert {*OPTIONS} == {*WRONG, "tool_choice"}
    assert {*TYPED} <= {*OPTIONS}
    page = (Path(__file__).parents[3] / "docs" / "models.md").read_text()
    assert not [word for word in (*OPTIONS, *(flag for flag, *_ in FLAGS.values())) if f"`{word}`" not in page]


def folder(tmp_path: Any, trust: Any, text: str) -> Workspace:
    (tmp_path / "sensorloom.toml").write_text(text)
    trust(tmp_path)
    return open_workspace(str(tmp_path), environ={})


def test_an_endpoint_goes_before_the_model_table_and_an_option_before_both(tmp_path: Any, trust: Any) -> None:
    workspace = folder(
        tmp_path,
        trust,
        '[model]\ntop_p = 0.5\ntop_k = 5\nmin_p = 0.1\nextra_body = {a = 1, b = 1}\nheaders = {"X-A" = "1"}\n'
        '[[endpoints]]\nname = "lab"\nbase_url = "http://lab/v1"\ntop_k = 6\nmin_p = 0.2\nextra_body = {b = 2}\n'
        'headers = {"X-B" = "2"}\nprice_in = 3\n',
    )
    choice = choose(workspace, "lab", environ={}, min_p=0.3, extra_body={"c": 3})
    settings = choice.settings
    assert (settings.top_p, settings.top_k, settings.min_p, settings.price_in) == (0.5, 6, 0.3, 3.0)
    assert settings.extra_body == {"a": 1, "b": 2, "c": 3}
    assert choice.endpoint.headers == {"X-A": "1", "X-B": "2"}
    assert (settings.connect_sec, settings.first_token_sec, settings.token_sec) == (10.0, 600.0, 60.0)
    assert hash(choice) == hash(choose(workspace, "lab", environ={}, min_p=0.3, extra_body={"c": 3}))
