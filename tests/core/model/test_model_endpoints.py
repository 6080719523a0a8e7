from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from core.errors import ModelError, UsageError
from core.model.endpoints import (
    BUILTIN,
    BUILTIN_MODEL,
    Endpoint,
    choose,
    configured,
    without_secrets,
)
from core.model.listing import first_model, list_everything, list_models, local_candidates
from core.trust import acts_of, keep_answer
from core.workspace import Workspace, open_workspace
from tests.fake_server import Answer, fails, fake_server

SETTINGS = """
[model]
endpoint = "lab"
temperature = 0.4

[[endpoints]]
name = "spare"
base_url = "http://127.0.0.1:8000/v1/"

[[endpoints]]
name = "lab"
base_url = "http://lab:9000/v1"
model = "qwen"
api_key_env = "LAB_KEY"
"""


def workspace(tmp_path: Path, settings: str = "") -> Workspace:
    (tmp_path / "sensorloom.toml").write_text(settings)
    keep_answer(tmp_path, acts_of(tmp_path).files, trusted=True)
    return open_workspace(str(tmp_path), environ={})


def serving(*names: str) -> Answer:
    return Answer(body=json.dumps({"object": "list", "data": [{"id": name} for name in names]}).encode())


def test_with_nothing_configured_the_built_in_analyst_answers(tmp_path: Path) -> None:
    assert configured(workspace(tmp_path), {}) == (BUILTIN,)
    assert choose(workspace(tmp_path), environ={}).endpoint.builtin


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({"OPENAI_BASE_URL": "http://box:8000/v1/"}, "http://box:8000/v1"),
        ({"OPENAI_API_KEY": "sk-x"}, "https://api.openai.com/v1"),
        ({"OPENAI_BASE_URL": "http://box:8000/v1", "OPENAI_API_KEY": "sk-x"}, "http://box:8000/v1"),
    ],
)
def test_the_environment_works_as_everywhere(tmp_path: Path, environ: Mapping[str, str], url: str) -> None:
    choice = choose(workspace(tmp_path), environ=environ)
    assert choice.endpoint.base_url == url
    assert choice.endpoint.api_key(environ) == environ.get("OPENAI_API_KEY", "none")
    assert "sk-x" not in repr(choice)


def test_the_settings_come_before_the_environment_and_an_option_before_both(tmp_path: Path) -> None:
    opened = workspace(tmp_path, SETTINGS)
    environ = {"OPENAI_BASE_URL": "http://box:8000/v1"}
    assert [endpoint.name for endpoint in configured(opened, environ)] == ["spare", "lab", "openai", "builtin"]
    assert choose(opened, environ=environ).endpoint == Endpoint("lab", "http://lab:9000/v1", "qwen", "LAB_KEY")
    assert choose(opened, "openai", environ=environ).endpoint.base_url == "http://box:8000/v1"
    assert choose(opened, "builtin", environ=environ).endpoint.builtin
    assert choose(opened, "http://other/v1/", "m", environ=environ).endpoint.base_url == "http://other/v1"
    with pytest.raises(UsageError, match="known: spare, lab, openai, builtin"):
        choose(opened, "labb", environ=environ)


def test_a_key_goes_only_to_the_endpoint_it_was_set_for(tmp_path: Path) -> None:
    environ = {"OPENAI_BASE_URL": "http://box:8000/v1", "OPENAI_API_KEY": "sk-x"}
    opened = workspace(tmp_path)
    assert choose(opened, "http://box:8000/v1/", environ=environ).endpoint.api_key(environ) == "sk-x"
    assert choose(opened, "http://elsewhere/v1", environ=environ).endpoint.api_key(environ) == "none"


def test_sampling_options_replace_the_settings_only_where_given(tmp_path: Path) -> None:
    settings = choose(workspace(tmp_path, SETTINGS), environ={}, temperature=None, seed=3).settings
    assert (settings.temperature, settings.seed) == (0.4, 3)


def test_usual_ports_are_candidates_unless_configured(tmp_path: Path) -> None:
    known = configured(workspace(tmp_path, SETTINGS), {})
    names = [endpoint.name for endpoint in local_candidates(known)]
    assert names == ["SGLang", "llama.cpp", "Ollama", "LM Studio"]


async def test_everything_that_answers_is_listed_at_once(tmp_path: Path) -> None:
    with fake_server() as configured_server, fake_server() as nearby, fake_server() as gone:
        configured_server.models, nearby.models = serving("a", "b"), serving("c")
        settings = f'[[endpoints]]\nname = "lab"\nbase_url = "{configured_server.url}"\n'
        gone_url = gone.url
        gone.close()
        local = [Endpoint("Ollama", nearby.url), Endpoint("vLLM", gone_url)]
        listed = await list_everything(workspace(tmp_path, settings), {}, local)
    assert [(listing.endpoint.name, listing.models) for listing in listed] == [
        ("lab", ("a", "b")),
        ("builtin", (BUILTIN_MODEL,)),
        ("Ollama", ("c",)),
    ]


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (fails(401, "no"), "answered 401"),
        (Answer(body=b"<html>"), "not answer with JSON"),
        (Answer(body=b'{"data": 5}'), "not answer with JSON"),
        (serving(), "serves no models"),
    ],
)
async def test_an_endpoint_that_cannot_be_listed_says_why(answer: Answer, wanted: str) -> None:
    with fake_server() as server:
        server.models = answer
        listing = await list_models(Endpoint("lab", server.url), timeout_sec=60)
    assert wanted in listing.problem
    assert listing.models == ()


@pytest.mark.parametrize(("env", "wanted"), [("LAB_KEY", "set $LAB_KEY to a key"), ("", "it wants a key")])
async def test_a_refused_key_is_named_by_its_variable(env: str, wanted: str) -> None:
    with fake_server() as server:
        server.models = fails(401, "no")
        lab = Endpoint("lab", server.url, api_key_env=env)
        assert wanted in (await list_models(lab, timeout_sec=60)).problem
        with pytest.raises(ModelError, match="name a model with --model") as failed:
            await first_model(lab, timeout_sec=60)
    assert failed.value.for_all and "check that it runs" not in str(failed.value)


async def test_an_endpoint_that_hangs_is_given_up() -> None:
    with fake_server() as server:
        server.models = Answer(hang_first=True)
        listing = await list_models(Endpoint("lab", server.url), timeout_sec=0.2)
    assert "did not answer within 0.2 s" in listing.problem


def test_an_address_becomes_a_name_without_what_is_secret_in_it(tmp_path: Path) -> None:
    choice = choose(workspace(tmp_path), "http://me:hidden@lab:9000/v1?key=hidden", environ={})
    assert (choice.endpoint.name, choice.endpoint.base_url) == (
        "http://lab:9000/v1",
        "http://me:hidden@lab:9000/v1?key=hidden",
    )


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/v1", "no url", "http://[", "http://no-such-host.invalid/v1"])
async def test_an_address_where_nobody_answers_is_no_failure(url: str) -> None:
    listing = await list_models(Endpoint("lab", url))
    assert "lab" in listing.problem


async def test_without_a_name_the_servers_first_chat_model_is_asked() -> None:
    with fake_server() as server:
        server.models = serving("nomic-embed-text", "qwen3", "llama3")
        assert await first_model(Endpoint("lab", server.url), timeout_sec=60) == "qwen3"
        server.models = serving("nomic-embed-text")
        with pytest.raises(ModelError, match="--model"):
            await first_model(Endpoint("lab", server.url), timeout_sec=60)
    with pytest.raises(ModelError, match="OPENAI_MODEL"):
        await first_model(Endpoint("openai", "https://api.openai.com/v1"), timeout_sec=60)


def test_no_password_of_any_of_several_addresses_stands_in_their_name() -> None:
    several = "http://a/v1,https://u:pass-word@b:8000/v1?key=pass-word,http://{node}:8000/v1"
    assert without_secrets(several) == "http://a/v1,https://b:8000/v1,http://{node}:8000/v1"
