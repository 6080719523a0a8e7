"""The actions with a person's own keys."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from core.errors import WorkspaceError
from tui.keys import PANE_ACTIONS, Action, Where
from tui.screens.actions import ACTIONS


def rebound(chosen: Mapping[str, str]) -> tuple[Action, ...]:
    """All actions with a person's keys.

    Raises:
        WorkspaceError: an action that does not exist, or a key that two actions would share.
    """
    known: Mapping[str, Action] = {action.id: action for action in (*PANE_ACTIONS, *ACTIONS)}
    for name in chosen:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean `{near[0]}`?" if near else "the help screen (?) lists the actions"
            raise WorkspaceError(f"sensorloom.toml, [keys]: there is no action `{name}`; {hint}")
    actions = tuple(replace(action, keys=chosen.get(action.id, action.keys)) for action in known.values())
    _check_unique(actions)
    return actions


def _check_unique(actions: Sequence[Action]) -> None:
    owners: dict[tuple[str, Where], str] = {}
    for action in actions:
        for key in action.keys.split(","):
            if not key.strip():
                raise WorkspaceError(f"sensorloom.toml, [keys]: `{action.id}` has no key")
            owner = owners.setdefault((key, action.where), action.id)
            if owner != action.id:
                raise WorkspaceError(
                    f"sensorloom.toml, [keys]: `{key}` would be both `{owner}` and `{action.id}`; choose another"
                )
