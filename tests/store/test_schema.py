"""The schema: the same on both databases, without NULLs, and what the migration makes of it."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column

from crm_store.engine import make_engine
from crm_store.migrate import VERSION_TABLE, migrate, pending
from crm_store.tables import metadata


def test_no_column_can_be_null() -> None:
    nullable: list[Column[object]] = [
        column for table in metadata.sorted_tables for column in table.columns if column.nullable
    ]
    assert [f"{one.table.name}.{one.name}" for one in nullable] == []


def test_the_migrations_make_exactly_the_schema(database_url: str) -> None:
    engine = make_engine(database_url, writer=True)
    made_apart = {"message_terms", "dialog_terms", "grams_"}

    def ours(kind: str, name: str | None, _: object) -> bool:
        return kind not in ("table", "index") or not (
            name is not None
            and (name == VERSION_TABLE or any(name.startswith(one) for one in made_apart))
        )

    with engine.connect() as conn:
        context = MigrationContext.configure(
            conn,
            opts={
                "target_metadata": metadata,
                "include_name": lambda name, kind, parents: ours(kind, name, parents),
                "version_table": VERSION_TABLE,
            },
        )
        differences = compare_metadata(context, metadata)
    engine.dispose()
    assert differences == []


def test_migrating_again_changes_nothing(database_url: str) -> None:
    assert migrate(database_url) == []
    assert pending(database_url) == []
