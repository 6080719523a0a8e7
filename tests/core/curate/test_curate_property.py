"""Random sequences of everything a curation session does, with restarts, kills and another program in between.

`SENSORLOOM_SEQUENCES=5000 pytest tests/core/curate/test_curate_property.py` runs that many.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import curate
from core.curate.editing import Way
from core.errors import ConflictError, UsageError
from core.storage import history, history_files, store, thread_files
from core.storage.store import Stored
from core.thread.edits import with_call, with_text
from core.thread.turns import call_ids, results_of, turns
from core.thread.value import Thread, call_arguments, call_name, calls_of, counted, is_assistant
from tests.core.curate.pairing import orphans, unanswered
from tests.core.curate.world import (
    FINAL,
    SCHEMAS,
    TOOLS,
    assistant,
    context_at,
    make_workspace,
    proposal_for,
    ramp,
    set_verdict,
    tools_at,
    without_call,
)
from tools.registry import ToolContext, call

SEQUENCES = int(os.environ.get("SENSORLOOM_SEQUENCES", "30"))
LONG = SEQUENCES > 1000
"""Whether a person asked for the long run, which then explores anew each time."""


class KilledError(BaseException):
    """Stands in for a kill at this point."""


class Folder:
    """A threads folder, and chance's choice of what to act on in it."""

    def __init__(self, root: Path) -> None:
        self.workspace = make_workspace(root)
        self.first: dict[str, bytes | None] = {}
        self.foreign()

    def foreign(self) -> None:
        """A thread of another program: its own layout, object results, no tools, keys that we do not know."""
        self.workspace.threads.mkdir(exist_ok=True)
        crop = assistant("cut", ("crop", {"start_sec": 0, "end_sec": 2}))
        crop["tool_calls"][0]["id"] = "chatcmpl-1"
        context = ToolContext(ramp(), "a")
        content = json.loads(call(TOOLS, context, "crop", '{"start_sec": 0, "end_sec": 2}').content)
        document = {
            "by": "another program",
            "id": "foreign",
            "metadata": {"dataset": "demo", "session": "a", "ground_truth": "walking", "x": {"y": [1, None]}},
            "messages": [
                {"role": "user", "content": "manifest"},
                {"role": "user", "content": {"type": "timeseries", "artifact_id": "ts_elsewhere"}},
                {"role": "user", "content": "what is it?"},
                crop,
                {"role": "tool", "tool_call_id": "chatcmpl-1", "content": content},
            ],
        }
        data = json.dumps(document, indent=1).encode()
        (self.workspace.threads / "foreign.json").write_bytes(data)
        self.first["foreign"] = data

    # what a step needs

    def path(self, stem: str) -> Path:
        return self.workspace.threads / f"{stem}.json"

    def pick(self, random: Random) -> Stored:
        stems = thread_files.stems(self.workspace.threads)
        if not stems:
            return curate.create_thread(self.workspace, "demo", "a", "what?")
        return store.read(self.workspace.threads, random.choice(stems))

    def pick_message(self, random: Random, role: str, *, calling: bool = False) -> tuple[Stored, int]:
        """A message of that role, of any thread that has one."""
        messages = [
            (stem, at)
            for stem in thread_files.stems(self.workspace.threads)
            for at, message in enumerate(store.read(self.workspace.threads, stem).thread.messages)
            if message["role"] == role and (calls_of(message) or not calling)
        ]
        if not messages:
            raise UsageError("no such message")
        stem, at = random.choice(messages)
        return store.read(self.workspace.threads, stem), at

    def some_call(self, random: Random, thread: Thread) -> tuple[str, dict[str, object]]:
        known = [
            text for message in thread.messages for text in str(message.get("content")).split('"') if text[:3] == "ts_"
        ]
        artifact = random.choice(["session", "ts_none", *known])
        if random.random() < 0.5:
            return "mean_of", {"artifact_id": artifact}
        start = random.randrange(0, 9)
        return "crop", {"start_sec": start, "end_sec": start + random.randrange(0, 4), "artifact_id": artifact}

    def proposal(self, random: Random, thread: Thread):
        if random.random() < 0.15:
            return proposal_for(thread, FINAL)
        calls = [self.some_call(random, thread) for _ in range(random.randrange(0, 4))]
        return proposal_for(thread, f"thought {random.randrange(99)}", *calls)

    def bytes_of(self, stem: str) -> bytes | None:
        return self.path(stem).read_bytes() if self.path(stem).exists() else None


class Authoring(Folder):
    """Actions on the turns of a thread; each takes the source of chance."""

    def create(self, random: Random) -> None:
        curate.create_thread(self.workspace, "demo", "a", f"question {random.randrange(9)}")

    def run(self, random: Random) -> None:
        stored = self.pick(random)
        for _ in range(random.randrange(1, 4)):
            stored = curate.accept(self.workspace, stored, self.proposal(random, stored.thread), SCHEMAS)

    def retry(self, random: Random) -> None:
        stored = self.pick(random)
        curate.set_aside(self.workspace, stored, self.proposal(random, stored.thread), "retried")

    def sample(self, random: Random) -> None:
        stored = self.pick(random)
        chosen, *others = (self.proposal(random, stored.thread) for _ in range(3))
        curate.take_sample(self.workspace, stored, chosen, others)

    def edit_text(self, random: Random) -> None:
        stored, at = self.pick_message(random, random.choice(["assistant", "user"]))
        if isinstance(stored.thread.messages[at]["content"], str):
            message = with_text(stored.thread.messages[at], f"edited {random.randrange(99)}")
            curate.edit_message(self.workspace, stored, at, message)

    def edit_result(self, random: Random) -> None:
        stored, at = self.pick_message(random, "tool")
        text = random.choice(['{"mean": 1}', "{ }", '{"artifact_id": "ts_hand"}', "not JSON"])
        curate.edit_message(self.workspace, stored, at, with_text(stored.thread.messages[at], text))

    def edit_call(self, random: Random) -> None:
        stored, at = self.pick_message(random, "assistant")
        message = stored.thread.messages[at]
        count = len(calls_of(message))
        if count and random.random() < 0.2:
            message = without_call(message, random.randrange(count))
        else:
            name, arguments = self.some_call(random, stored.thread)
            message = with_call(message, random.randrange(count + 1), name, json.dumps(arguments))
        if random.random() < 0.5:
            curate.edit_message(self.workspace, stored, at, message)
        else:
            curate.edit_message(self.workspace, stored, at, message, tools_at)

    def reexecute(self, random: Random) -> None:
        stored, at = self.pick_message(random, "assistant", calling=True)
        curate.reexecute(self.workspace, stored, at, TOOLS, context_at(stored.thread, at))

    def settle(self, random: Random) -> None:
        stored = self.pick(random)
        ways: list[Way] = ["rerun", "accept", "branch"]
        how = random.choice(ways)
        if how == "branch" and not any(is_assistant(m) and m.get("stale") for m in stored.thread.messages):
            return
        context = context_at(stored.thread, 0)  # it makes what earlier calls made itself
        curate.settle_stale(self.workspace, stored, how, tools=TOOLS, context=context)


class Curation(Authoring):
    """The folder under random actions. It holds no state of the product: every action starts from the files."""

    def branch(self, random: Random) -> None:
        stored = self.pick(random)
        curate.branch(self.workspace, stored, random.randrange(len(stored.thread.messages) + 1))

    def ask_otherwise(self, random: Random) -> None:
        curate.branch(self.workspace, self.pick(random), 0, question="and this?")

    def delete_turn(self, random: Random) -> None:
        curate.delete_turn(self.workspace, *self.pick_message(random, "assistant"))

    def judge(self, random: Random) -> None:
        if random.random() < 0.5:
            stored = self.pick(random)
            set_verdict(self.workspace, stored, random.choice(["accept", "reject", "skip", None]))
        curate.set_loss(self.workspace, *self.pick_message(random, "assistant"), random.random() < 0.5)

    def judge_many(self, random: Random) -> None:
        chosen = [stem for stem in thread_files.stems(self.workspace.threads) if random.random() < 0.7]
        if random.random() < 0.5:
            curate.set_verdicts(self.workspace, chosen, random.choice(["accept", "reject"]), "note")
        else:
            curate.change_tags(self.workspace, chosen, add=[random.choice("ab")], remove=[random.choice("abc")])

    def delete(self, random: Random) -> None:
        curate.delete(
            self.workspace, [stem for stem in thread_files.stems(self.workspace.threads) if random.random() < 0.5]
        )

    def restore(self, random: Random) -> None:
        curate.restore(self.workspace, [stem for stem in curate.list_trash(self.workspace) if random.random() < 0.8])

    def undo(self, random: Random) -> None:
        for _ in range(random.randrange(1, 4)):
            curate.undo(self.workspace, random.choice(sorted(self.first)))

    def undo_latest(self, random: Random) -> None:
        curate.undo_latest(self.workspace)

    def redo(self, random: Random) -> None:
        for _ in range(random.randrange(1, 4)):
            undone = [stem for stem in sorted(self.first) if history.read(self.workspace, stem).undone]
            if undone:
                curate.redo(self.workspace, random.choice(undone))

    def outside(self, random: Random) -> None:
        """Another program writes the file, and the thread is read again, kept, or found changed by a later action."""
        stored = self.pick(random)
        document = json.loads(stored.data)
        if random.random() < 0.2:
            self.path(stored.stem).unlink()
        else:
            document["metadata"]["theirs"] = random.randrange(9)
            self.path(stored.stem).write_text(json.dumps(document, indent=random.choice([None, 1, 2])))
        there = self.path(stored.stem).read_bytes() if self.path(stored.stem).exists() else None
        if there != stored.data:
            with pytest.raises(ConflictError):
                curate.accept(self.workspace, stored, self.proposal(random, stored.thread))
            with pytest.raises(ConflictError):
                curate.undo(self.workspace, stored.stem, seen=stored.digest)
        way = random.randrange(4)
        if way == 0 and there is not None:
            curate.take_theirs(self.workspace, stored)
        elif way == 1:
            curate.keep_mine(self.workspace, stored, stored.thread)
        elif way == 2 and there is not None:
            curate.mine_as_branch(self.workspace, stored, stored.thread)
        if stored.stem == "foreign" and not history.read(self.workspace, "foreign").steps:
            self.first["foreign"] = there  # nothing of ours has seen the file before

    def kill(self, random: Random) -> None:
        """The process dies at one of the writes of an action."""
        left = random.randrange(3)
        real = Path.replace

        def dying(written: Path, target: Path) -> Path:
            nonlocal left
            if target.parent == self.workspace.threads:
                if not left:
                    raise KilledError
                left -= 1
            return real(written, target)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Path, "replace", dying)
            try:
                getattr(self, random.choice([name for name in ACTIONS if name not in ("kill", "outside")]))(random)
            except KilledError:
                pass

    def tear(self, random: Random) -> None:
        """A kill in the middle of appending to a history."""
        logs = sorted(history_files.folder(self.workspace).glob("*.log"))
        if logs:
            log = random.choice(logs)
            for path, rest in ((log, b'{"number": 9, "at"'), (log.with_suffix(".pack"), b"SLp\0\1")):
                with path.open("ab") as file:
                    file.write(rest)

    def act(self, name: str, random: Random) -> None:
        try:
            getattr(self, name)(random)
        except UsageError:
            pass
        for stem in thread_files.stems(self.workspace.threads):
            self.first.setdefault(stem, None)
            check(store.read(self.workspace.threads, stem), saved_by_us=stem != "foreign")

    def undo_all_the_way(self) -> None:
        last = {stem: self.bytes_of(stem) for stem in self.first}
        pasts = {
            stem: history.reconcile(self.workspace, stem, store.present(self.workspace.threads, stem)) for stem in last
        }
        nothing_undone = not any(past.undone for past in pasts.values())
        for stem in self.first:
            self.until_nothing_is_left(stem, "undo")
        assert {stem: self.bytes_of(stem) for stem in self.first} == self.first
        for stem in self.first:
            self.until_nothing_is_left(stem, "redo")
        if nothing_undone:
            assert {stem: self.bytes_of(stem) for stem in self.first} == last

    def until_nothing_is_left(self, stem: str, direction: str) -> None:
        for _ in range(1000):
            try:
                getattr(curate, direction)(self.workspace, stem)
            except UsageError:
                return
        raise AssertionError("undo has no end")


ACTIONS = [
    "create", "run", "retry", "sample", "edit_text", "edit_result", "edit_call", "reexecute", "settle", "branch",
    "ask_otherwise", "delete_turn", "judge", "judge_many", "delete", "restore", "undo", "undo_latest", "redo",
    "outside", "kill", "tear",
]  # fmt: skip


def check(stored: Stored, *, saved_by_us: bool) -> None:
    """A thread is what FORMAT.md says, and every result is what its call answers or says that it is not."""
    thread = stored.thread
    messages = thread.messages
    ids = call_ids(messages)
    assert len(ids) == len(set(ids)) and all(ids)
    assert thread.id == stored.stem and messages[0]["role"] == "user"
    assert orphans(thread) == ()
    assert [turn.start for turn in turns(thread)][1:] == [turn.end for turn in turns(thread)][:-1]
    if saved_by_us:
        metadata = dict(thread.metadata)
        assert metadata == {**metadata, **{k: v for k, v in counted(messages, metadata).items() if k in metadata}}
    waiting = set(unanswered(thread))
    context = ToolContext(ramp(), "a")
    for index, message in enumerate(messages):
        for number, (asked, position) in enumerate(zip(calls_of(message), results_of(messages, index), strict=True)):
            answer = call(TOOLS, context, call_name(asked), call_arguments(asked)).content
            if position is None:
                assert (index, number) in waiting
                continue
            result = messages[position]
            if not result.get("stale") and not result.get("edited"):
                content = result["content"]
                assert (json.loads(content) if isinstance(content, str) else content) == json.loads(answer)
    for entry in thread.alternatives:
        assert is_assistant(entry["messages"][0])


@settings(
    max_examples=SEQUENCES,
    derandomize=not LONG,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    actions=st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 10**6)), min_size=1, max_size=25),
    seed=st.integers(0, 10**6),
)
@pytest.mark.timeout(0 if LONG else 120)
def test_any_sequence_leaves_valid_threads_and_undo_all_the_way_gives_the_first_bytes_back(
    actions: list[tuple[str, int]], seed: int
):
    # making every write durable is another test's matter, and most of the time of this one
    with tempfile.TemporaryDirectory() as root, pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda _: None)
        curation = Curation(Path(root))
        curation.act("run", Random(seed))
        for name, chance in actions:
            curation.act(name, Random(chance))
        curation.undo_all_the_way()
