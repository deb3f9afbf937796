"""Tables of the funnel: sums that are kept, and the days that are to be counted again."""

from __future__ import annotations

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table

from crm_store.tables.base import ID, data, metadata, num, word

# What became of the interests of a pipeline that began in some days, counted from `day` on since
# 1970, UTC. `cut` and `value` say of whom: everybody's, a person's, or of a source.
funnel_sums = Table(
    "funnel_sums",
    metadata,
    Column("pipeline_id", ID, nullable=False),
    word("cut"),
    word("value"),
    # For how many days it stands: one, or as many as are summed once more.
    num("days", 1),
    num("day"),
    num("began"),
    data("sums"),
    # How long those of one day stayed in stages, by stage; empty for several days.
    data("times"),
    PrimaryKeyConstraint("pipeline_id", "cut", "value", "days", "day"),
    Index("ix_funnel_sums_day", "pipeline_id", "days", "day"),
)

# Days of which something was written since they were counted; triggers write it beside each
# change of interests and their stays. `writer` is the transaction on PostgreSQL, where several write
# at once: each marks for itself and waits for nobody. It is 0 on SQLite.
funnel_marks = Table(
    "funnel_marks",
    metadata,
    Column("pipeline_id", ID, nullable=False),
    Column("day", ID, nullable=False),
    Column("writer", ID, nullable=False),
    PrimaryKeyConstraint("pipeline_id", "day", "writer"),
)
