"""What a server refuses is remembered for its endpoint and model, and forgotten by a command and by other settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.model.client import Model
from core.model.endpoints import Endpoint, choose
from core.model.reply import Reply
from core.runs.remembered import KeptRefusals, digest_of
from core.workspace import Workspace, open_workspace
from tests.core.model.test_serving_options import SAYS, Server, refusing
from tui.__main__ import run

REFUSES = refusing("Unknown parameter: seed")
LAB = '[[endpoints]]\nname = "lab"\nbase_url = "http://lab/v1"\nmodel = "m"\nseed = 7\n'


def folder(root: Path, trust: Any, text: str) -> Workspace:
    (root / "sensorloom.toml").write_text(text)
    trust(root)
    return open_workspace(str(root), environ={})


async def sent(workspace: Workspace, *answers: Any) -> list[dict[str, Any]]:
    choice, server = choose(workspace, "lab", environ={}), Server(*answers)
    model = Model(choice, server, refusals=KeptRefusals(workspace, choice.endpoint))
    async for _ in model.stream(Reply("run"), [{"role": "user", "content": "?"}], ()):
        pass
    await model.aclose()
    return server.bodies


async def test_it_is_not_asked_again_until_it_is_forgotten_or_set_otherwise(
    tmp_path: Path, trust: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = folder(tmp_path, trust, LAB)
    assert ["seed" in body for body in await sent(workspace, REFUSES, SAYS)] == [
        True,
        False,
    ]
    assert ["seed" in body for body in await sent(workspace, SAYS)] == [False]
    assert run(["endpoints", "list", "--workspace", str(tmp_path)]) == 0
    assert "m is asked without: seed" in capsys.readouterr().out
    assert run(["endpoints", "forget", "lab", "--workspace", str(tmp_path)]) == 0
    assert ["seed" in body for body in await sent(workspace, REFUSES, SAYS)] == [
        True,
        False,
    ]
    workspace = folder(tmp_path, trust, LAB + "top_k = 3\n")
    assert ["seed" in body for body in await sent(workspace, SAYS)] == [True]
    assert run(["endpoints", "forget", "lad", "--workspace", str(tmp_path)]) != 0
    assert "there is no endpoint 'lad'" in capsys.readouterr().err


def test_it_is_of_the_headers_names_and_not_of_what_they_hold() -> None:
    lab = {value: Endpoint("lab", "http://lab/v1", options={"headers": {"X-Key": value}}) for value in ("a", "b")}
    other = Endpoint("lab", "http://lab/v1", options={"headers": {"X-Other": "a"}})
    assert digest_of(lab["a"]) == digest_of(lab["b"]) != digest_of(other)


async def test_endpoints_are_listed_with_how_they_are_asked(
    tmp_path: Path, trust: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    folder(tmp_path, trust, LAB + 'headers = {"X-Key" = "top-secret"}\n[model]\ntop_p = 0.5\n')
    assert run(["endpoints", "list", "--json", "--workspace", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    lab = json.loads(told)["endpoints"][0]
    assert (lab["options"], lab["headers"]) == ({"seed": 7, "top_p": 0.5}, ["X-Key"]) and "top-secret" not in told
