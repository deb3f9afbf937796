"""Tables of sales: pipelines with stages, interests, and what happened to them on the way."""

from __future__ import annotations

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table, text

from crm_store.tables.base import ID, data, flag, key, metadata, num, ref, word
from crm_store.tables.objects import columns_of
from hub.nouns import INTERESTS

pipelines = Table(
    "pipelines",
    metadata,
    key(),
    word("name"),
    num("position"),
    flag("active", True),
    data("roles", "[]"),
    num("version", 1),
)

stages = Table(
    "stages",
    metadata,
    key(),
    ref("pipeline_id"),
    word("name"),
    word("name_folded"),
    num("position"),
    word("colour"),
    num("probability"),
    num("norm_us"),
    # How many interests in work it holds at most; 0: any number.
    num("wip_limit"),
    data("required", "[]"),
    data("checklist", "[]"),
    data("allowed", "[]"),
    num("version", 1),
    Index("ix_stages_pipeline_id", "pipeline_id", "position"),
)

loss_reasons = Table(
    "loss_reasons",
    metadata,
    key(),
    ref("pipeline_id"),
    word("name"),
    num("position"),
    flag("needs_comment"),
    flag("active", True),
    Index("ix_loss_reasons_pipeline_id", "pipeline_id", "position"),
)

interests = Table(
    "interests",
    metadata,
    key(),
    *columns_of(INTERESTS),
    # How likely it was thought before it was closed, for the case that it is taken up again.
    num("open_probability"),
    num("deleted_at"),
    num("version", 1),
    Index("ix_interests_board", "stage_id", "status", "deleted_at", "stage_since", "id"),
    # Sums of the board's columns, and of the funnel, without a look at the rows.
    Index("ix_interests_heaps", "deleted_at", "status", "stage_id", "currency", "amount"),
    Index(
        "ix_interests_funnel",
        "pipeline_id",
        "deleted_at",
        "created_at",
        "status",
        "currency",
        "loss_reason_id",
        "amount",
    ),
    Index("ix_interests_owner_id", "owner_id", "id"),
    Index("ix_interests_owner_step", "owner_id", "status", "next_step_at", "id"),
    Index("ix_interests_client_id", "client_id"),
    # When a client bought last.
    Index(
        "ix_interests_bought",
        "client_id",
        "closed_at",
        sqlite_where=text("status = 'won' AND deleted_at = 0"),
        postgresql_where=text("status = 'won' AND deleted_at = 0"),
    ),
    Index("ix_interests_contact_id", "contact_id"),
)

interest_lines = Table(
    "interest_lines",
    metadata,
    ref("interest_id"),
    num("position"),
    word("name"),
    num("quantity"),
    num("price"),
    PrimaryKeyConstraint("interest_id", "position"),
)

interest_people = Table(
    "interest_people",
    metadata,
    Column("interest_id", ID, nullable=False),
    Column("contact_id", ID, nullable=False),
    word("role"),
    PrimaryKeyConstraint("interest_id", "contact_id"),
    Index("ix_interest_people_contact_id", "contact_id"),
)

interest_helpers = Table(
    "interest_helpers",
    metadata,
    Column("interest_id", ID, nullable=False),
    Column("user_id", ID, nullable=False),
    word("role"),
    num("since"),
    flag("access"),
    PrimaryKeyConstraint("interest_id", "user_id"),
    Index("ix_interest_helpers_user_id", "user_id", "interest_id"),
)

interest_ticks = Table(
    "interest_ticks",
    metadata,
    Column("interest_id", ID, nullable=False),
    Column("stage_id", ID, nullable=False),
    word("point"),
    ref("done_by"),
    num("done_at"),
    PrimaryKeyConstraint("interest_id", "stage_id", "point"),
)

interest_stays = Table(
    "interest_stays",
    metadata,
    key(),
    ref("interest_id"),
    ref("stage_id"),
    num("entered_at"),
    # 0 while it is there.
    num("left_at"),
    # A stage that was jumped over: reached, but nobody stayed.
    flag("passed"),
    # Not the first time in this stage: the funnel counts it once.
    flag("again"),
    ref("moved_by"),
    Index("ix_interest_stays_interest_id", "interest_id", "left_at"),
    Index("ix_interest_stays_reached", "interest_id", "again", "stage_id"),
    Index("ix_interest_stays_stage_id", "stage_id", "interest_id"),
)
