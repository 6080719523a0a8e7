"""All actions with the keys that a person chose under `[keys]` in `sensorloom.toml`."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import get_args

from core.errors import WorkspaceError
from tui.keys import PANE_ACTIONS, Action, Local, Where
from tui.local_action import LocalAction
from tui.local_keys import AROUND, IN_CONVERSATION, LOCAL_ACTIONS, WITHOUT_MOVES
from tui.screens.actions import ACTIONS

EVERY_ACTION: tuple[Action, ...] = (*PANE_ACTIONS, *IN_CONVERSATION, *ACTIONS, *LOCAL_ACTIONS)
"""Those of fields and dialogs included, in the help screen's order."""


def rebound(chosen: Mapping[str, str]) -> tuple[Action, ...]:
    """All actions with a person's keys.

    Raises:
        WorkspaceError: an action that does not exist, or a key that two actions would share.
    """
    known: Mapping[str, Action] = {action.id: action for action in EVERY_ACTION}
    for name in chosen:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean `{near[0]}`?" if near else "the help screen (?) lists the actions"
            raise WorkspaceError(f"sensorloom.toml, [keys]: there is no action `{name}`; {hint}")
        if isinstance(action := known[name], LocalAction) and action.is_digit:
            raise WorkspaceError(f"sensorloom.toml, [keys]: the keys of `{name}` are numbers, and stay")
    actions = tuple(replace(action, keys=chosen.get(action.id, action.keys)) for action in known.values())
    _check_unique(actions)
    return actions


def _check_unique(actions: Sequence[Action]) -> None:
    owners: dict[tuple[str, Where], str] = {}
    names = {move.id for move in PANE_ACTIONS}
    moves = [action for action in actions if action.id in names]
    for where in set(get_args(Local)) - WITHOUT_MOVES:
        owners |= {(key, AROUND.get(where, where)): move.id for move in moves for key in move.keys.split(",")}
    for action in actions:
        where = AROUND.get(action.where, action.where)
        for key in action.keys.split(","):
            if not key.strip():
                raise WorkspaceError(f"sensorloom.toml, [keys]: `{action.id}` has no key")
            owner = owners.setdefault((key, where), action.id)
            if owner != action.id:
                raise WorkspaceError(
                    f"sensorloom.toml, [keys]: `{key}` would be both `{owner}` and `{action.id}`; choose another"
                )
