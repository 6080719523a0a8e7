"""The actions of a curation session.

Each takes a workspace and what was read, saves, records a step in the thread's history, and returns what now
stands on disk. Every key of the app and every command that changes a thread calls one of these.
"""

from core.curate.branching import branch
from core.curate.bulk import Bulk
from core.curate.editing import (
    delete_turn,
    edit_message,
    left_unexecuted,
    reexecute,
    set_loss,
    set_loss_of,
    settle_stale,
)
from core.curate.judging import Verdict, change_tags, label_turn, reason_named, set_verdicts, verdict_in_words
from core.curate.outside import keep_mine, mine_as_branch, resolve, take_theirs
from core.curate.proposals import accept, create_thread, edit_proposal, set_aside, take_sample, unbegin
from core.curate.structuring import insert_turn, join_turns, move_turn, say, split_calls
from core.curate.taking_back import take_back
from core.curate.trash import delete, list_trash, restore, trash_by_age
from core.curate.undoing import Undone, redo, redo_latest, undo, undo_latest

__all__ = [
    "Bulk",
    "Undone",
    "Verdict",
    "accept",
    "branch",
    "change_tags",
    "create_thread",
    "delete",
    "delete_turn",
    "edit_message",
    "edit_proposal",
    "insert_turn",
    "join_turns",
    "keep_mine",
    "label_turn",
    "left_unexecuted",
    "list_trash",
    "mine_as_branch",
    "move_turn",
    "reason_named",
    "redo",
    "redo_latest",
    "reexecute",
    "resolve",
    "restore",
    "say",
    "set_aside",
    "set_loss",
    "set_loss_of",
    "set_verdicts",
    "settle_stale",
    "split_calls",
    "take_back",
    "take_sample",
    "take_theirs",
    "trash_by_age",
    "unbegin",
    "undo",
    "undo_latest",
    "verdict_in_words",
]
