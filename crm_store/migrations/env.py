"""Alembic's entry: the connection is handed in by crm_store.migrate, never made here."""

from __future__ import annotations

from alembic import context

from crm_store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    version_table=context.config.attributes.get("version_table", "schema_version"),
)
with context.begin_transaction():
    context.run_migrations()
