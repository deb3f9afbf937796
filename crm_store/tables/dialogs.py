"""Tables of dialogs and of everything said in them."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from crm_store.tables.base import ID, data, flag, key, metadata, num, raw, ref, word, words

# The list row is denormalised (last line, counters, who waits): one indexed query, no join
# over messages. `slot` is what "always one open dialog" is unique over: "" for a channel
# without threads, else the thread's key or the dialog's own id.
#
# The indexes that the views are counted by hold what a view asks of a dialog and what decides who
# sees it, so that counting reads no row; a message changes `last_at` in them anyway.
COUNTED = ("snoozed_until", "merged_into", "account_id", "assignee_id", "team_id")
dialogs = Table(
    "dialogs",
    metadata,
    key(),
    ref("account_id"),
    word("channel"),
    ref("contact_id"),
    ref("address_id"),
    word("slot"),
    word("thread_key"),
    word("subject"),
    word("subject_folded"),
    word("status", "new"),
    flag("is_open", True),
    ref("assignee_id"),
    ref("team_id"),
    num("priority"),
    num("snoozed_until"),
    num("created_at"),
    num("closed_at"),
    num("last_at"),
    ref("last_message_id"),
    word("last_direction"),
    word("preview"),
    num("waiting_since"),
    num("first_response_at"),
    num("last_inbound_at"),
    ref("last_inbound_id"),
    num("window_until"),
    num("inbound_count"),
    num("message_count"),
    num("failed_count"),
    flag("is_group"),
    word("language"),
    ref("merged_into"),
    num("version", 1),
    Index("ix_dialogs_last", "last_at", "id"),
    Index("ix_dialogs_open_last", "is_open", "last_at", "id", *COUNTED),
    Index(
        "ix_dialogs_assignee",
        "assignee_id",
        "is_open",
        "last_at",
        "id",
        "inbound_count",
        *(one for one in COUNTED if one != "assignee_id"),
    ),
    Index("ix_dialogs_contact", "contact_id", "last_at"),
    Index("ix_dialogs_account_last", "account_id", "last_at"),
    Index(
        "uq_dialogs_open_slot",
        "account_id",
        "address_id",
        "slot",
        unique=True,
        sqlite_where=text("is_open"),
        postgresql_where=text("is_open"),
    ),
    Index(
        "ix_dialogs_waiting",
        "is_open",
        "waiting_since",
        "id",
        *COUNTED,
        sqlite_where=text("is_open = 1 AND waiting_since > 0"),
        postgresql_where=text("is_open AND waiting_since > 0"),
    ),
    Index(
        "ix_dialogs_snoozed",
        *COUNTED,
        sqlite_where=text("snoozed_until > 0"),
        postgresql_where=text("snoozed_until > 0"),
    ),
    Index(
        "ix_dialogs_failed",
        "failed_count",
        *COUNTED,
        sqlite_where=text("failed_count > 0"),
        postgresql_where=text("failed_count > 0"),
    ),
)

messages = Table(
    "messages",
    metadata,
    key(),
    ref("dialog_id"),
    ref("account_id"),
    ref("contact_id"),
    word("direction"),
    word("author_kind"),
    ref("author_id"),
    word("author_name"),
    words("text"),
    word("subject"),
    word("external_id"),
    ref("reply_to"),
    num("at"),
    num("received_at"),
    word("status"),
    word("reason"),
    word("reason_text"),
    num("due_at"),
    flag("automated"),
    flag("late"),
    flag("has_html"),
    flag("has_quote"),
    word("unsupported"),
    num("edited_at"),
    num("deleted_at"),
    data("people"),
    data("cause"),
    data("extra"),
    Index("ix_messages_dialog", "dialog_id", "at", "id"),
    Index("ix_messages_external", "account_id", "external_id"),
    # Calls are few among messages; who is to be called back is asked for all day long.
    Index(
        "ix_messages_calls",
        "dialog_id",
        "id",
        sqlite_where=text("direction = 'call'"),
        postgresql_where=text("direction = 'call'"),
    ),
)

# What is read only when a message is opened: kept apart so that a thread stays narrow.
bodies = Table(
    "bodies",
    metadata,
    key("message_id"),
    words("full_text"),
    words("html"),
    data("headers"),
    Column("raw", LargeBinary, nullable=False, server_default=text("''")),
    word("raw_blob"),
    Index(
        "ix_bodies_raw_blob",
        "raw_blob",
        sqlite_where=text("raw_blob <> ''"),
        postgresql_where=text("raw_blob <> ''"),
    ),
)

# Every arrival ever taken, by its channel's own key: the same one again changes nothing, also
# after its message was deleted (the row is the tombstone).
arrivals = Table(
    "arrivals",
    metadata,
    Column("account_id", ID, nullable=False),
    Column("dedupe_key", String(400), nullable=False),
    ref("message_id"),
    num("at"),
    PrimaryKeyConstraint("account_id", "dedupe_key"),
    sqlite_with_rowid=False,
)

# External ids seen in a dialog, ours, theirs, and those only referred to (R15): what an answer
# or a reference is matched with.
thread_references = Table(
    "thread_references",
    metadata,
    Column("account_id", ID, nullable=False),
    Column("reference", String(400), nullable=False),
    Column("dialog_id", ID, nullable=False),
    num("at"),
    PrimaryKeyConstraint("account_id", "reference", "dialog_id"),
    Index("ix_thread_references_dialog", "dialog_id"),
    sqlite_with_rowid=False,
)

# Who takes part in a dialog of a channel with copies: only a participant's reference or token
# lets a message in (R14); a stranger's is offered as related.
participants = Table(
    "participants",
    metadata,
    Column("dialog_id", ID, nullable=False),
    Column("kind", String(100), nullable=False),
    Column("value", String(400), nullable=False),
    PrimaryKeyConstraint("dialog_id", "kind", "value"),
    sqlite_with_rowid=False,
)

attachments = Table(
    "attachments",
    metadata,
    key(),
    ref("message_id"),
    ref("dialog_id"),
    ref("account_id"),
    ref("user_id"),
    word("name"),
    word("media_type"),
    num("size"),
    word("state", "ready"),
    # Of any length: SQLite keeps to none, and would make the table anew to say so.
    Column(
        "reference",
        String(400).with_variant(Text(), "postgresql"),
        nullable=False,
        server_default="",
    ),
    word("content_id"),
    flag("inline"),
    word("blob_id"),
    word("error"),
    num("created_at"),
    Index("ix_attachments_message", "message_id"),
    Index(
        "ix_attachments_pending",
        "id",
        sqlite_where=text("state = 'pending'"),
        postgresql_where=text("state = 'pending'"),
    ),
)

blobs = Table(
    "blobs",
    metadata,
    Column("id", String(64), primary_key=True),
    word("sha256"),
    num("size"),
    num("references_count"),
    num("created_at"),
)

tags = Table(
    "tags",
    metadata,
    key(),
    word("name"),
    word("name_folded"),
    UniqueConstraint("name_folded"),
)

dialog_tags = Table(
    "dialog_tags",
    metadata,
    Column("dialog_id", ID, nullable=False),
    Column("tag_id", ID, nullable=False),
    PrimaryKeyConstraint("dialog_id", "tag_id"),
    Index("ix_dialog_tags_tag", "tag_id", "dialog_id"),
    sqlite_with_rowid=False,
)

# Unread is a subtraction (dialog's inbound count less the count seen), so no message is
# ever touched by reading.
read_marks = Table(
    "read_marks",
    metadata,
    Column("user_id", ID, nullable=False),
    Column("dialog_id", ID, nullable=False),
    ref("message_id"),
    num("inbound_seen"),
    flag("muted"),
    num("at"),
    PrimaryKeyConstraint("user_id", "dialog_id"),
    Index("ix_read_marks_dialog", "dialog_id"),
    sqlite_with_rowid=False,
)

drafts = Table(
    "drafts",
    metadata,
    Column("user_id", ID, nullable=False),
    Column("dialog_id", ID, nullable=False),
    word("mode", "reply"),
    words("text"),
    data("attachments", "[]"),
    ref("reply_to"),
    num("updated_at"),
    PrimaryKeyConstraint("user_id", "dialog_id"),
    Index("ix_drafts_dialog", "dialog_id"),
    sqlite_with_rowid=False,
)

mentions = Table(
    "mentions",
    metadata,
    Column("user_id", ID, nullable=False),
    Column("message_id", ID, nullable=False),
    ref("dialog_id"),
    flag("seen"),
    PrimaryKeyConstraint("user_id", "message_id"),
    Index("ix_mentions_dialog", "dialog_id"),
    sqlite_with_rowid=False,
)

reactions = Table(
    "reactions",
    metadata,
    Column("message_id", ID, nullable=False),
    Column("who", String(400), nullable=False),
    word("emoji"),
    num("at"),
    PrimaryKeyConstraint("message_id", "who"),
    sqlite_with_rowid=False,
)

# Earlier texts of edited messages.
message_versions = Table(
    "message_versions",
    metadata,
    key(),
    ref("message_id"),
    words("text"),
    num("at"),
    Index("ix_message_versions_message", "message_id"),
)

# Further external ids of one entry: the parts of an album.
message_aliases = Table(
    "message_aliases",
    metadata,
    Column("account_id", ID, nullable=False),
    Column("external_id", String(400), nullable=False),
    ref("message_id"),
    PrimaryKeyConstraint("account_id", "external_id"),
    Index("ix_message_aliases_message", "message_id"),
    sqlite_with_rowid=False,
)

# Edits, deletes and reactions that overtook the message they are about: merged when it comes.
parked_arrivals = Table(
    "parked_arrivals",
    metadata,
    key(),
    ref("account_id"),
    word("external_id"),
    word("kind"),
    data("payload"),
    num("parked_at"),
    Index("ix_parked_arrivals_external", "account_id", "external_id"),
)

quarantine = Table(
    "quarantine",
    metadata,
    key(),
    ref("account_id"),
    num("received_at"),
    word("source"),
    word("state", "waiting"),
    words("error"),
    words("trace"),
    word("method"),
    words("url"),
    data("headers", "[]"),
    raw("raw"),
    num("attempts"),
    Index("ix_quarantine_state", "state", "id"),
)
