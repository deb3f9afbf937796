"""Which function carries out which command: the one table of them all.

Handlers live with their noun. Where volume is, a command has a set-based handler that works
on a whole group at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from crm_store import (
    accounts,
    erasure,
    introductions,
    journal,
    leads,
    people,
    templates,
    users,
    work,
)
from crm_store.unit_of_work import UnitOfWork
from dialogs import acts, changes, compose, intake, outbox, receipts, surgery, workflow
from hub import commands as c
from hub.commands import Command
from hub.errors import NotAllowed

One = Callable[[UnitOfWork, Any], Any]
Many = Callable[[UnitOfWork, Sequence[Any]], Sequence[Any]]

MANY: dict[type[Command], Many] = {
    c.Receive: intake.receive_many,
    c.RecordReceipt: receipts.record_receipts,
    c.SettleDelivery: outbox.settle_many,
}

ONE: dict[type[Command], One] = {
    c.RecordArrival: changes.record_arrival,
    c.SendMessage: compose.send_message,
    c.CancelSend: compose.cancel_send,
    c.RescheduleSend: compose.reschedule_send,
    c.RetryDelivery: compose.retry_delivery,
    c.EditMessage: acts.edit_message,
    c.RetractMessage: acts.retract_message,
    c.ReactToMessage: acts.react_to_message,
    c.SettleAct: acts.settle_act,
    c.AddNote: compose.add_note,
    c.ClaimDeliveries: outbox.claim_deliveries,
    c.StartSending: outbox.start_sending,
    c.ExpireLeases: outbox.expire_leases,
    c.ReleaseHeld: outbox.release_held,
    c.StartDialog: surgery.start_dialog,
    c.SplitDialog: surgery.split_dialog,
    c.MergeDialogs: surgery.merge_dialogs,
    c.LinkContact: surgery.link_contact,
    c.DeleteMessage: surgery.delete_message,
    c.AssignDialog: workflow.assign_dialog,
    c.SetDialogStatus: workflow.set_dialog_status,
    c.SnoozeDialog: workflow.snooze_dialog,
    c.WakeDialogs: workflow.wake_dialogs,
    c.TagDialog: workflow.tag_dialog,
    c.SetSubject: workflow.set_subject,
    c.SetPriority: workflow.set_priority,
    c.MarkRead: workflow.mark_read,
    c.MuteDialog: workflow.mute_dialog,
    c.SaveDraft: workflow.save_draft,
    c.CreateContact: people.create_contact,
    c.UpdateContact: people.update_contact,
    c.IntroducePerson: introductions.introduce_person,
    c.AddAddress: people.add_address,
    c.RemoveAddress: people.remove_address,
    c.BlockAddress: people.block_address,
    c.CreateClient: people.create_client,
    c.ChangeClient: people.change_client,
    c.RemoveClient: people.remove_client,
    c.CreateLead: leads.create_lead,
    c.ChangeLead: leads.change_lead,
    c.TakeLead: leads.take_lead,
    c.RejectLead: leads.reject_lead,
    c.ReopenLead: leads.reopen_lead,
    c.ConvertLead: leads.convert_lead,
    c.UndoConversion: leads.undo_conversion,
    c.RemoveLead: leads.remove_lead,
    c.EraseContact: erasure.erase_contact,
    c.CreateAccount: accounts.create_account,
    c.UpdateAccount: accounts.update_account,
    c.RemoveAccount: accounts.remove_account,
    c.RecordHealth: accounts.record_health,
    c.RecordConnection: accounts.record_connection,
    c.RecordInspection: accounts.record_inspection,
    c.SaveTemplates: templates.save_templates,
    c.AdvanceMark: accounts.advance_mark,
    c.Quarantine: accounts.quarantine_input,
    c.SettleQuarantine: accounts.settle_quarantine,
    c.UploadAttachment: accounts.upload_attachment,
    c.SettleAttachment: accounts.settle_attachment,
    c.CreateUser: users.create_user,
    c.UpdateUser: users.update_user,
    c.UpdateProfile: users.update_profile,
    c.SetPassword: users.set_password,
    c.SetSecondFactor: users.set_second_factor,
    c.OpenSession: users.open_session,
    c.RevokeSessions: users.revoke_sessions,
    c.CreateToken: users.create_token,
    c.RevokeToken: users.revoke_token,
    c.SaveTeam: users.save_team,
    c.UpdateBrand: users.update_brand,
    c.SaveView: users.save_view,
    c.RemoveView: users.remove_view,
    c.RunJob: work.run_job,
    c.ClaimJobs: work.claim_jobs,
    c.SettleJob: work.settle_job,
    c.SaveWebhook: work.save_webhook,
    c.RemoveWebhook: work.remove_webhook,
    c.RepeatWebhook: work.repeat_webhook,
    c.MoveCursor: journal.move_cursor,
    c.ParkEvent: journal.park_event,
    c.ReportPluginFailure: work.report_plugin_failure,
}


def need_permission(uow: UnitOfWork, command: Command) -> None:
    """The one place where a command's right is checked."""
    if uow.viewer.is_system:
        return
    if not command.permission:
        raise NotAllowed(f"{type(command).__name__} is the hub's own command")
    uow.viewer.need(command.permission)
