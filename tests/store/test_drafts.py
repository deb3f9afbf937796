"""Drafts: what was sent, as an answer or as a note, is no draft any more."""

from __future__ import annotations

from pathlib import Path

from crm_store import attachments as attachment_reads
from crm_store import messages as reads
from hub import AddNote, AttachmentId, DialogQuery, SaveDraft
from tests.houses import house, message


async def test_a_note_that_was_written_leaves_no_draft_of_itself(
    tmp_path: Path, database_url: str
) -> None:
    async with house(tmp_path, database_url) as home:
        await home.receive(message("a", "person-a"))
        one = (await home.user.dialogs(DialogQuery(view="everything"))).dialogs[0].id

        async def drafts() -> int:
            return len((await home.user.dialogs(DialogQuery(view="drafts"))).dialogs)

        await home.user.do(SaveDraft(dialog_id=one, mode="note", text="He is ang"))
        assert await drafts() == 1
        await home.user.do(AddNote(dialog_id=one, text="He is angry"))
        assert await drafts() == 0
        # An answer that was begun is still to come.
        await home.user.do(SaveDraft(dialog_id=one, text="Dear"))
        await home.user.do(AddNote(dialog_id=one, text="I answer him"))
        assert await drafts() == 1


async def test_a_draft_whose_file_is_gone_is_shown_without_it(
    tmp_path: Path, database_url: str
) -> None:
    async with house(tmp_path, database_url) as home:
        came = (await home.receive(message("a", "person-a")))[0]
        gone = (AttachmentId(5),)
        await home.user.do(SaveDraft(dialog_id=came.dialog_id, text="See", attachments=gone))
        draft = await home.user.read(reads.draft, came.dialog_id)
        assert draft is not None
        assert draft.attachments == gone
        assert await home.user.read(attachment_reads.attachments_of, draft.attachments) == []
