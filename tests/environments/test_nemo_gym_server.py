"""The server for NeMo Gym, with what it stands on stood in for: its rollouts do not wait for one another."""

from __future__ import annotations

import asyncio
import importlib
import sys
import threading
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from core.environments import __name__ as environments
from core.episodes.episode import Episode
from core.episodes.tasks import tasks
from core.workspace import open_workspace
from tests.tools.made import made_dataset, write_dataset


class Loose(BaseModel):
    model_config = ConfigDict(extra="allow", arbitrary_types_allowed=True)


def module(name: str, **names: Any) -> ModuleType:
    stand_in = ModuleType(name)
    vars(stand_in).update(names)
    return stand_in


@pytest.fixture
def server_class(monkeypatch: pytest.MonkeyPatch) -> Any:
    parts = ("Config", "SeedSessionRequest", "SeedSessionResponse", "VerifyRequest", "VerifyResponse")
    based = {f"Base{'ResourcesServer' * (part == 'Config')}{part}": type(part, (Loose,), {}) for part in parts}
    for stood_in in (
        module("fastapi", FastAPI=object, Request=object),
        module("fastapi.responses", PlainTextResponse=SimpleNamespace),
        module("nemo_gym"),
        module("nemo_gym.base_resources_server", SimpleResourcesServer=Loose, **based),
        module("nemo_gym.server_utils", SESSION_ID_KEY="id"),
    ):
        monkeypatch.setitem(sys.modules, stood_in.__name__, stood_in)
    name = f"{environments}.nemo_gym"
    monkeypatch.delitem(sys.modules, name, raising=False)
    yield importlib.import_module(name).SessionServer
    sys.modules.pop(name, None)


def test_a_conversation_is_scored_while_other_rollouts_are_answered(
    server_class: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_dataset(tmp_path / "data" / "made", made_dataset(2, 1))
    (task, *_) = tasks(open_workspace(str(tmp_path), environ={}), "made")
    answered = threading.Event()
    score = Episode.score

    def slow(episode: Episode, messages: Any) -> Any:
        assert answered.wait(20), "nobody else is answered while a conversation is scored"
        return score(episode, messages)

    monkeypatch.setattr(Episode, "score", slow)
    server = server_class(config={"workspace": str(tmp_path)})
    request = SimpleNamespace(session={"id": "one"})
    ended = Loose.model_validate(
        {
            "task": task.row(),
            "responses_create_params": SimpleNamespace(input="What?"),
            "response": SimpleNamespace(output=[{"role": "assistant", "content": f"Final Answer: {task.truth}"}]),
        }
    )

    async def both() -> Any:
        verified = asyncio.ensure_future(server.verify(request, ended))
        await asyncio.sleep(0)
        await server.seed_session(SimpleNamespace(session={"id": "two"}), Loose.model_validate({"task": task.row()}))
        answered.set()
        return await verified

    assert asyncio.run(both()).reward > 0
