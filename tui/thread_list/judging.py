"""Verdicts and why, tags, deletion and the trash: keys for the marked threads, or the one under the cursor."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Literal, cast

from textual.screen import Screen

from core.errors import SensorloomError
from core.workspace import Workspace
from tui.local_keys import keys_of
from tui.thread_list.arranging import Arranging
from tui.thread_list.known_folder import KnownFolder
from tui.widgets.thread_list import ThreadList

if TYPE_CHECKING:
    from core.curate import Bulk, Verdict
    from core.thread.summary import Summary

IN_WORDS = {"accept": "accepted", "reject": "rejected", "skip": "skipped"}
TAKEN_BACK = "verdict taken back"
DELETED, RESTORED = "moved to the trash", "brought back from the trash"


TAG_KEYS = "1234567890abcdefghijklmnopqrstuvwxyz"
MOST_TAGS = 24
"""Tags that get a key; others are typed."""


def tag_keys(settings: Mapping[str, str], used: Sequence[str]) -> dict[str, str]:
    """Key to tag: those of the settings, then those that threads have, under the keys that are left."""
    keys = dict(settings)
    free = iter(key for key in TAG_KEYS if key not in settings)
    for tag in used:
        if tag not in keys.values() and len(keys) < MOST_TAGS and (key := next(free, "")):
            keys[key] = tag
    return keys


class Judging:
    """Judges one after the other in the order of the keys, off the screen's loop."""

    def __init__(
        self,
        screen: Screen[None],
        workspace: Workspace,
        folder: KnownFolder,
        listed: ThreadList,
        arranging: Arranging,
        let_go: Callable[[Sequence[str]], None],
        done: Callable[[Sequence[str]], None],
    ) -> None:
        """Args: `let_go` is told of threads that are about to leave the folder, `done` of what was done."""
        self._screen = screen
        self._workspace = workspace
        self._folder = folder
        self._list = listed
        self._arranging = arranging
        self._let_go = let_go
        self._done = done
        self._waiting: list[tuple[str, Callable[[], Bulk]]] = []
        self._busy = False
        self.idle = asyncio.Event()
        """Set while nothing waits to be saved."""
        self.idle.set()
        self._asked: tuple[Verdict, list[str]] | None = None
        """The verdict that was given again, and the threads that have it."""

    def judge(self, verdict: Verdict) -> None:
        """Give a verdict and go on to the next thread.

        The verdict that a thread has already is taken back where the same key is pressed once more.
        """
        chosen = self._chosen()
        known = self._folder.summaries
        again = bool(chosen) and all(stem in known and known[stem].verdict == verdict for stem in chosen)
        if again and self._asked != (verdict, chosen):
            self._asked = verdict, chosen
            which = chosen[0] if len(chosen) == 1 else f"each of these {len(chosen)} threads"
            self._say(f"{which} is {IN_WORDS[verdict]} already; the same key once more takes that back")
            return
        self._unmark(chosen)
        change = None if again else verdict

        def work() -> Bulk:
            from core.curate import set_verdicts

            return set_verdicts(self._workspace, chosen, change)

        if chosen:
            self._do(TAKEN_BACK if again else IN_WORDS[verdict], work)
            if not again:
                self._list.action_move_down()

    def say_why(self) -> None:
        """Ask for the reasons of the verdict and a note; a thread without one is rejected, and the next one comes.

        With several threads, what is left as it was stays with each of them.
        """
        from tui.dialogs.words import Words, WordsScreen

        stems, chosen = self._with_summaries()
        verdicts = {summary.verdict for summary in chosen}
        if not chosen:
            return
        if len(verdicts) > 1:
            self._say("these threads have different verdicts; mark those of one verdict")
            return
        verdict: Verdict = cast("Verdict", verdicts.pop() or "reject")
        is_new = not chosen[0].verdict
        reasons = tuple(word for word in chosen[0].reasons if all(word in summary.reasons for summary in chosen))
        note = chosen[0].note if len(chosen) == 1 else ""

        def answered(words: Words | None) -> None:
            if words is None:
                return
            new_note = words.text if words.text != note else None
            add = [word for word in words.chosen if word not in reasons]
            remove = [word for word in reasons if word not in words.chosen]
            self._unmark(stems)

            def work() -> Bulk:
                from core.curate import set_verdicts

                return set_verdicts(self._workspace, stems, verdict, new_note, add=add, remove=remove)

            self._do(IN_WORDS[verdict], work)
            if is_new:
                self._list.action_move_down()

        title = f"why {IN_WORDS[verdict]}" + (f" · {len(stems)} threads" if len(stems) > 1 else "")
        offered = self._workspace.settings.reasons
        self._screen.app.push_screen(WordsScreen(title, offered, reasons, "a note, in your own words", note), answered)

    def tag(self) -> None:
        """Ask for tags, and set and take away what changed."""
        from tui.dialogs.words import Words, WordsScreen

        stems, chosen = self._with_summaries()
        if not chosen:
            return
        common = tuple(tag for tag in chosen[0].tags if all(tag in summary.tags for summary in chosen))
        used = Counter(tag for summary in self._folder.summaries.every() for tag in summary.tags)

        def answered(words: Words | None) -> None:
            if words is None:
                return
            tags = [*words.chosen, *(tag.strip() for tag in words.text.split(","))]
            add = [tag for tag in tags if tag and tag not in common]
            remove = [tag for tag in common if tag not in tags]

            def work() -> Bulk:
                from core.curate import change_tags

                return change_tags(self._workspace, stems, add, remove)

            if add or remove:
                self._unmark(stems)
                self._do("tagged", work)

        title = "tags" + (f" · {len(stems)} threads" if len(stems) > 1 else "")
        offered = tag_keys(self._workspace.settings.tags, [tag for tag, _ in used.most_common()])
        self._screen.app.push_screen(
            WordsScreen(title, offered, common, "further tags, separated by commas", ""), answered
        )

    def _with_summaries(self) -> tuple[list[str], list[Summary]]:
        """The chosen threads that can be read, and what is known of them."""
        known = self._folder.summaries
        stems = [stem for stem in self._chosen() if stem in known and not known[stem].problem]
        return stems, [known[stem] for stem in stems]

    def delete(self) -> None:
        """Move to the trash; undo brings it back."""
        chosen = self._chosen()
        self._unmark(chosen)
        self._let_go(chosen)

        def work() -> Bulk:
            from core.curate import delete

            return delete(self._workspace, chosen)

        if chosen:
            self._do(DELETED, work)

    def restore(self, stem: str) -> None:
        """Bring a deleted thread back, and go to it."""

        def work() -> Bulk:
            from core.curate import restore

            return restore(self._workspace, [stem])

        self._do(RESTORED, work)
        self._arranging.go_to(stem)

    def _finished(self, what: str, done: Bulk) -> None:
        """Say what was done where it is not plain to see, and go on with what waits."""
        self._busy = False
        severity: Literal["warning", "information"] = "warning" if done.problems else "information"
        count = len(done.changed)
        if done.problems:
            first, *others = done.problems
            text = f"{first} (and {len(others)} more)" if others else first
        elif count > 1 or what in (DELETED, RESTORED, TAKEN_BACK):
            which = f"{count} threads" if count > 1 else next(iter(done.changed), "nothing")
            text = f"{which}: {what}; in the list {keys_of(self._screen)['turn.undo']} undoes that"
        else:
            text = ""
        if text:
            self._screen.notify(text, severity=severity, markup=False)
        self._done(done.changed)
        self._next()

    def _chosen(self) -> list[str]:
        """The marked threads that the list shows, or the one under the cursor."""
        return self._arranging.marked() or ([self._list.current.stem] if self._list.current else [])

    def _unmark(self, chosen: Sequence[str]) -> None:
        """Take the marks of what is acted on away; say of those that the filter hides that they stay."""
        self._asked = None
        self._arranging.unmark(chosen)
        if hidden := len(self._list.marked):
            self._say(
                f"{hidden} marked thread{'s' if hidden > 1 else ''} that the filter hides: nothing is done to them"
            )

    def _say(self, text: str) -> None:
        self._screen.notify(text, markup=False)

    def _do(self, what: str, work: Callable[[], Bulk]) -> None:
        self.idle.clear()
        self._waiting.append((what, work))
        self._next()

    def _next(self) -> None:
        if self._busy:
            return
        if not self._waiting:
            self.idle.set()
            return
        self._busy = True
        self._screen.run_worker(partial(self._work, *self._waiting.pop(0)), thread=True, group="judging")

    def _work(self, what: str, work: Callable[[], Bulk]) -> None:
        from core.curate import Bulk

        try:
            done = work()
        except SensorloomError as error:
            done = Bulk((), (str(error),))
        self._screen.call_later(self._finished, what, done)
