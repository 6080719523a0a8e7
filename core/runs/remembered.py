"""What servers refuse to be asked, remembered in the workspace for each endpoint and model.

It is forgotten when the endpoint's address or settings change, and by `sensorloom endpoints forget`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from core.errors import SensorloomError
from core.model.client import Model
from core.model.endpoints import Endpoint, ModelChoice
from core.model.refusals import Refusals
from core.storage.memory import recall, update
from core.workspace import Workspace

KEY = "refusals"
"""Under it stands, by the endpoint's name, `{"settings": digest, "models": {model: [names]}}`."""


class KeptRefusals(Refusals):
    """Those of one endpoint, kept in the workspace's memory."""

    def __init__(self, workspace: Workspace, endpoint: Endpoint) -> None:
        super().__init__()
        self._workspace = workspace
        self._endpoint = endpoint

    def of(self, model: str) -> frozenset[str]:
        """What a model is asked without, as it is remembered now."""
        return super().of(model) | frozenset(refusals_of(self._workspace, self._endpoint).get(model, ()))

    def add(self, model: str, names: Iterable[str]) -> None:
        """Ask a model without these too. What cannot be written is known while the program runs."""
        added = {*names}

        def change(every: Any) -> dict[str, Any]:
            models = _models(every, self._endpoint)
            models[model] = sorted({*models.get(model, ()), *added})
            return {**_mapping(every), self._endpoint.name: {"settings": digest_of(self._endpoint), "models": models}}

        try:
            update(self._workspace, KEY, change)
        except SensorloomError:
            super().add(model, added)


def open_model(workspace: Workspace, choice: ModelChoice) -> Model:
    """A model that is asked without what its endpoint was known to refuse, and remembers what it refuses now."""
    return Model(choice, refusals=None if choice.endpoint.builtin else KeptRefusals(workspace, choice.endpoint))


def refusals_of(workspace: Workspace, endpoint: Endpoint) -> dict[str, list[str]]:
    """What each model of an endpoint refuses, by its name; of the endpoint as it is set now."""
    return _models(recall(workspace, KEY), endpoint)


def forget_refusals(workspace: Workspace, endpoint: str = "") -> list[str]:
    """Forget what an endpoint refuses, or every one; returns the names of those of which something was known."""
    known = _mapping(recall(workspace, KEY))
    names = [name for name in known if endpoint in ("", name)]
    if names:
        update(workspace, KEY, lambda every: {name: of for name, of in _mapping(every).items() if name not in names})
    return names


def digest_of(endpoint: Endpoint) -> str:
    """Of where an endpoint is and how it is set to be asked. What its headers hold is not in it: they may be keys."""
    settings = {name: value for name, value in endpoint.options.items() if name != "headers"}
    text = json.dumps([endpoint.base_url, settings, sorted(endpoint.headers)], sort_keys=True, default=list)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _models(every: Any, endpoint: Endpoint) -> dict[str, list[str]]:
    of = _mapping(_mapping(every).get(endpoint.name))
    if of.get("settings") != digest_of(endpoint):
        return {}
    models = _mapping(of.get("models"))
    return {
        model: [name for name in names if isinstance(name, str)]
        for model, names in models.items()
        if isinstance(names, list)
    }


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
