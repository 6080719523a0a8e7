from __future__ import annotations

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
