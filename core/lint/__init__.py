"""What is wrong in threads: one module per kind of check, what puts it right, and the folder's findings, kept.

A check is a function of a thread; nothing here decides for a person, and nothing is fixed that was not asked for.
From outside, the room is imported before a module of it (`from core.lint import label_set`): two threads of the screen
that begin at once with the one and the other would each wait for the other's import.
"""

from __future__ import annotations

from core.lint.answer import COUNTS, EMPTY_ANSWER, ID, UNKNOWN_ANSWER
from core.lint.arguments import ARGUMENTS_JSON, ARGUMENTS_SCHEMA, UNDECLARED_TOOL
from core.lint.calls import DUPLICATE_ID, ORPHAN, UNANSWERED
from core.lint.control_tokens import CONTROL_TOKENS
from core.lint.failed_calls import FAILED_CALLS
from core.lint.finding import Check, Context, Finding
from core.lint.grounding import GROUNDING
from core.lint.hint import HINT_CHECK
from core.lint.leak import LEAK
from core.lint.secrets import SECRETS
from core.lint.shape import CONSECUTIVE, CONTENT_TYPE, ENDS_ON_TOOL, STALE
from core.thread.value import Thread

CHECKS: tuple[Check, ...] = (
    UNANSWERED, ORPHAN, DUPLICATE_ID, UNDECLARED_TOOL, ARGUMENTS_JSON, ARGUMENTS_SCHEMA, ENDS_ON_TOOL, CONSECUTIVE,
    EMPTY_ANSWER, UNKNOWN_ANSWER, COUNTS, ID, CONTENT_TYPE, STALE, CONTROL_TOKENS, SECRETS, LEAK, GROUNDING,
    FAILED_CALLS, HINT_CHECK,
)  # fmt: skip
"""The checks of a thread on its own, in the order they are reported."""

__all__ = ["CHECKS", "Check", "Context", "Finding", "check_thread", "fix_thread"]


def check_thread(thread: Thread, context: Context | None = None) -> list[Finding]:
    """Everything that is wrong in one thread, by check. Pure; a few milliseconds."""
    context = context or Context()
    return [finding for check in CHECKS for finding in check.find(thread, context)]


def fix_thread(thread: Thread) -> Thread:
    """The thread with everything put right that needs no decision. Doing it twice changes nothing more."""
    for check in CHECKS:
        if check.fix is not None and any(finding.fixable for finding in check.find(thread, Context())):
            thread = check.fix(thread)
    return thread
