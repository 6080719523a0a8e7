from __future__ import annotations

import errno
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.errors import SensorloomError
from core.storage import drafts
from core.storage.drafts import Drafts, EditDraft
from core.storage.store import Stored
from core.workspace import Workspace, open_workspace
from tests.core.curate.world import proposal_for


def test_an_edit_and_proposals_under_way_are_there_at_the_next_start(
    workspace: Workspace, finished: Stored, hostile: str
):
    edit = EditDraft(3, finished.digest, {"name": "crop", "arguments": '{"start_sec": ' + hostile})
    proposals = (proposal_for(finished.thread, hostile, ("mean_of", {})), proposal_for(finished.thread, "b"))
    drafts.save_edit(workspace, finished.stem, EditDraft(1, "", {"text": "before"}))
    drafts.save_proposals(workspace, finished.stem, proposals)
    drafts.save_edit(workspace, finished.stem, edit)
    again = open_workspace(str(workspace.root), environ={})
    assert drafts.all_drafts(again) == {finished.stem: Drafts(edit, proposals)}
    drafts.clear_edit(again, finished.stem)
    assert drafts.load_drafts(again, finished.stem) == Drafts(None, proposals)
    drafts.save_proposals(again, finished.stem, ())
    assert drafts.all_drafts(again) == {} and drafts.load_drafts(again, finished.stem) == Drafts()


def test_a_damaged_draft_is_no_draft(workspace: Workspace):
    drafts.save_edit(workspace, "x", EditDraft(1, "", {"text": "a"}))
    path = workspace.private / "drafts" / "x.json"
    for data in (b"", b"[1]", b'{"edit": {"index": "no"}}', b"\xff"):
        path.write_bytes(data)
        assert drafts.all_drafts(workspace) == {}
    drafts.clear_edit(workspace, "never-there")
    path.write_bytes(b"not yet JSON, but somebody's")
    drafts.save_edit(workspace, "x", EditDraft(1, "", {"text": "b"}))
    assert path.with_suffix(".damaged").read_bytes() == b"not yet JSON, but somebody's"


def test_what_a_full_disk_refuses_is_kept_until_the_program_ends(workspace: Workspace, monkeypatch: pytest.MonkeyPatch):
    typed = EditDraft(1, "", {"text": "two hours of work"})
    drafts.save_edit(workspace, "x", EditDraft(1, "", {"text": "before"}))

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(SensorloomError, match=r"no space left.*is kept until sensorloom ends"):
            drafts.save_edit(workspace, "x", typed)
        assert drafts.load_drafts(workspace, "x").edit == typed, "opening it again shows what was typed"
    drafts.save_proposals(workspace, "x", ())
    path = workspace.private / "drafts" / "x.json"
    assert b"two hours of work" in path.read_bytes(), "it is on disk as soon as that takes it"


def test_an_edit_and_proposals_that_change_at_one_moment_are_both_kept(workspace: Workspace, finished: Stored):
    proposal = proposal_for(finished.thread, "a")
    with ThreadPoolExecutor(2) as pool:
        for number in range(30):
            edit = EditDraft(number, "", {"text": str(number)})
            proposals = (proposal,) * (number % 3 + 1)
            for future in (
                pool.submit(drafts.save_edit, workspace, "x", edit),
                pool.submit(drafts.save_proposals, workspace, "x", proposals),
            ):
                future.result()
            assert drafts.load_drafts(workspace, "x") == Drafts(edit, proposals)
