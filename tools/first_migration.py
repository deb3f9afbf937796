"""Write the first migration from the schema; used until the first release, then deleted."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from crm_store.tables import metadata

TARGET = Path(__file__).parent.parent / "crm_store/migrations/versions/0001_first.py"

engine = create_engine("sqlite://")
with engine.connect() as conn:
    context = MigrationContext.configure(conn, opts={"target_metadata": metadata})
    script = produce_migrations(context, metadata)
    body = render_python_code(script.upgrade_ops)
TARGET.write_text(
    '"""The first schema."""\n\nfrom __future__ import annotations\n\n'
    "import sqlalchemy as sa\nfrom alembic import op\n\n"
    "from crm_store.tables.search import create_search\n\n"
    'revision = "0001"\ndown_revision = None\n\n\n'
    "def upgrade() -> None:\n    " + body.lstrip().replace("\n", "\n").rstrip() + "\n"
    "    create_search(op.get_bind())\n"
)
