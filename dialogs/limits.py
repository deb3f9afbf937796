"""What an account's channel takes: refused at once and in words, before anything is queued."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Row

from crm_store import templates
from crm_store.reachability import BLOCKED, state_of
from crm_store.unit_of_work import UnitOfWork
from hub.capabilities import Capabilities
from hub.commands import SendMessage
from hub.errors import Conflict, Invalid, Unsupported


def check_send(
    uow: UnitOfWork,
    command: SendMessage,
    dialog: Row[Any],
    capabilities: Capabilities,
    files: Sequence[Row[Any]],
    profile: Mapping[str, Any] | None,
) -> None:
    """Refuse what the channel's capabilities forbid; raises Invalid, Unsupported or Conflict.

    `profile` is that of the person's address.
    """
    if not capabilities.sends:
        raise Unsupported("answers", "this channel only takes in: answer the person elsewhere")
    if not command.text.strip() and not command.html and not files and not command.template:
        raise Invalid("there is nothing to send", field="text")
    check_files(capabilities, files)
    check_buttons(capabilities, command)
    if command.template and not capabilities.templates:
        raise Unsupported("templates")
    if capabilities.reply_window is not None and not command.template:
        check_window(uow, dialog, command.due_at)
    if not capabilities.initiates and not dialog.inbound_count:
        raise Unsupported("writing first")
    if profile and state_of(profile, dialog.account_id)[0] == BLOCKED:
        raise Conflict(
            "this person does not take messages from this account", what="person_blocked"
        )


def check_files(capabilities: Capabilities, files: Sequence[Row[Any]]) -> None:
    """Refuse files that are too many, too large, or of a kind the channel does not take."""
    if files and not capabilities.max_attachment_bytes:
        raise Unsupported("files")
    if len(files) > capabilities.max_attachments:
        raise Invalid(
            f"this channel takes at most {capabilities.max_attachments} files", field="attachments"
        )
    for file in files:
        if not capabilities.takes_type(file.media_type):
            raise Invalid(
                f"{file.name}: this channel does not take files like this ({file.media_type})",
                field="attachments",
            )
        most = capabilities.limit_of(file.media_type)
        if file.size > most:
            megabytes = f"{most / 1_000_000:.4g} MB"
            narrower = most < capabilities.max_attachment_bytes
            raise Invalid(
                f"{file.name}: this channel takes files of the kind {file.media_type} "
                f"up to {megabytes}"
                if narrower
                else f"{file.name}: this channel takes files up to {megabytes}",
                field="attachments",
            )
    together = capabilities.max_files_bytes
    if together and sum(file.size for file in files) > together:
        raise Invalid(
            f"this channel takes {together / 1_000_000:.4g} MB of files in one message",
            field="attachments",
        )


def check_buttons(capabilities: Capabilities, command: SendMessage) -> None:
    """Refuse buttons that the channel cannot show."""
    if command.buttons and not capabilities.buttons:
        raise Unsupported("buttons")
    if len(command.buttons) > capabilities.buttons:
        raise Invalid(f"this channel shows at most {capabilities.buttons} buttons", field="buttons")
    if any(not one.label.strip() for one in command.buttons):
        raise Invalid("a button needs a label", field="buttons")
    if any(one.url and not one.url.startswith(("https://", "http://")) for one in command.buttons):
        raise Invalid("a button leads to an https:// address", field="buttons")


def check_window(uow: UnitOfWork, dialog: Row[Any], due_at: int = 0) -> None:
    """Refuse a free answer once the reply window is closed, or will be when it is to leave."""
    if max(due_at, uow.now) > dialog.window_until:
        raise Conflict(
            "the reply window of this channel is closed: only a template can be sent",
            what="window_closed",
        )


def fill_template(
    uow: UnitOfWork, command: SendMessage, account_id: int, capabilities: Capabilities | None
) -> SendMessage:
    """Give the command with the words that its template will have at the person's end."""
    if not command.template or capabilities is None:
        return command
    found = templates.approved(uow.conn, account_id, command.template, command.template_language)
    return replace(
        command,
        text=templates.filled(found, dict(command.template_values)),
        template_language=found.language,
        buttons=found.buttons,
    )
