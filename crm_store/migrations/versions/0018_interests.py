"""Interests on their way through pipelines, with a first pipeline to begin with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FIRST = (("New", 10), ("Qualification", 25), ("Proposal", 50), ("Negotiation", 70), ("Agreement", 90))
REASONS = ("Too expensive", "Chose a competitor", "Not needed any more", "Does not answer", "Another reason")


def _id(name: str) -> sa.Column[int]:
    return sa.Column(name, ID, autoincrement=False, nullable=False)


def _number(name: str, default: int = 0) -> sa.Column[int]:
    return sa.Column(name, ID, server_default=sa.text(str(default)), nullable=False)


def _word(name: str, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.String(length=400), server_default=default, nullable=False)


def _flag(name: str, default: str = "false") -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), server_default=sa.text(default), nullable=False)


def _list(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.JSON(), server_default=sa.text("'[]'"), nullable=False)


def upgrade() -> None:
    """Make the tables, and a pipeline of five stages."""
    op.create_table(
        "pipelines",
        _id("id"),
        _word("name"),
        _number("position"),
        _flag("active", "true"),
        _list("roles"),
        _number("version", 1),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pipelines")),
    )
    op.create_table(
        "stages",
        _id("id"),
        _number("pipeline_id"),
        _word("name"),
        _word("name_folded"),
        _number("position"),
        _word("colour"),
        _number("probability"),
        _number("norm_us"),
        _list("required"),
        _list("checklist"),
        _list("allowed"),
        _number("version", 1),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stages")),
    )
    op.create_index("ix_stages_pipeline_id", "stages", ['pipeline_id', 'position'])
    op.create_table(
        "loss_reasons",
        _id("id"),
        _number("pipeline_id"),
        _word("name"),
        _number("position"),
        _flag("needs_comment"),
        _flag("active", "true"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_loss_reasons")),
    )
    op.create_index("ix_loss_reasons_pipeline_id", "loss_reasons", ['pipeline_id', 'position'])
    op.create_table(
        "interests",
        _id("id"),
        _word("title"),
        _word("title_folded"),
        _word("status", "in_work"),
        _number("client_id"),
        _number("contact_id"),
        _number("pipeline_id"),
        _number("stage_id"),
        _number("stage_since"),
        _number("owner_id"),
        _number("team_id"),
        _number("amount"),
        _word("currency", "RUB"),
        _number("probability"),
        _word("probability_from", "stage"),
        _number("expected_close"),
        _word("source"),
        _word("source_folded"),
        _word("next_step"),
        _word("next_step_folded"),
        _number("next_step_at"),
        _number("loss_reason_id"),
        _word("loss_comment"),
        _word("loss_comment_folded"),
        _number("closed_at"),
        _number("lead_id"),
        _number("created_at"),
        _number("deleted_at"),
        _number("version", 1),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interests")),
    )
    op.create_index("ix_interests_board", "interests", ['stage_id', 'status', 'deleted_at', 'stage_since', 'id'])
    op.create_index("ix_interests_client_id", "interests", ['client_id'])
    op.create_index("ix_interests_contact_id", "interests", ['contact_id'])
    op.create_index("ix_interests_created", "interests", ['pipeline_id', 'created_at'])
    op.create_index("ix_interests_owner_id", "interests", ['owner_id', 'id'])
    op.create_table(
        "interest_lines",
        _number("interest_id"),
        _number("position"),
        _word("name"),
        _number("quantity"),
        _number("price"),
        sa.PrimaryKeyConstraint("interest_id", "position", name=op.f("pk_interest_lines")),
    )
    op.create_table(
        "interest_people",
        _id("interest_id"),
        _id("contact_id"),
        _word("role"),
        sa.PrimaryKeyConstraint("interest_id", "contact_id", name=op.f("pk_interest_people")),
    )
    op.create_index("ix_interest_people_contact_id", "interest_people", ['contact_id'])
    op.create_table(
        "interest_helpers",
        _id("interest_id"),
        _id("user_id"),
        _word("role"),
        _number("since"),
        _flag("access"),
        sa.PrimaryKeyConstraint("interest_id", "user_id", name=op.f("pk_interest_helpers")),
    )
    op.create_index("ix_interest_helpers_user_id", "interest_helpers", ['user_id', 'interest_id'])
    op.create_table(
        "interest_ticks",
        _id("interest_id"),
        _id("stage_id"),
        _word("point"),
        _number("done_by"),
        _number("done_at"),
        sa.PrimaryKeyConstraint("interest_id", "stage_id", "point", name=op.f("pk_interest_ticks")),
    )
    op.create_table(
        "interest_stays",
        _id("id"),
        _number("interest_id"),
        _number("stage_id"),
        _number("entered_at"),
        _number("left_at"),
        _flag("passed"),
        _number("moved_by"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interest_stays")),
    )
    op.create_index("ix_interest_stays_interest_id", "interest_stays", ['interest_id', 'left_at'])
    op.create_index("ix_interest_stays_stage_id", "interest_stays", ['stage_id', 'interest_id'])
    _first_rows()


def _first_rows() -> None:
    pipelines = sa.table("pipelines", sa.column("id"), sa.column("name"))
    op.bulk_insert(pipelines, [{"id": 1, "name": "Sales"}])
    columns = ("id", "pipeline_id", "name", "name_folded", "position", "probability")
    stages = sa.table("stages", *(sa.column(one) for one in columns))
    op.bulk_insert(
        stages,
        [
            {
                "id": n + 1,
                "pipeline_id": 1,
                "name": name,
                "name_folded": name.lower(),
                "position": n,
                "probability": chance,
            }
            for n, (name, chance) in enumerate(FIRST)
        ],
    )
    columns = ("id", "pipeline_id", "name", "position", "needs_comment")
    reasons = sa.table("loss_reasons", *(sa.column(one) for one in columns))
    op.bulk_insert(
        reasons,
        [
            {"id": n + 1, "pipeline_id": 1, "name": name, "position": n, "needs_comment": n == 4}
            for n, name in enumerate(REASONS)
        ],
    )


def downgrade() -> None:
    """Take them away."""
    for name in (
        "interest_stays",
        "interest_ticks",
        "interest_helpers",
        "interest_people",
        "interest_lines",
        "interests",
        "loss_reasons",
        "stages",
        "pipelines",
    ):
        op.drop_table(name)
