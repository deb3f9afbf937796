"""Tables of imports: a file on its way into a kind's list, and what became of each row.

Personal data: the file's bytes (a blob) and `import_rows.before`; see crm_store/erasure.py.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, PrimaryKeyConstraint, String, Table

from crm_store.tables.base import ID, data, flag, key, metadata, num, ref, word

imports = Table(
    "imports",
    metadata,
    key(),
    word("kind"),
    word("name"),
    Column("blob_id", String(64), nullable=False),
    # How the file is read: format, encoding, delimiter; and the headings of its columns.
    data("form"),
    data("heads", "[]"),
    num("rows_count"),
    # What each column fills, and how rows meet what is there already.
    data("columns", "[]"),
    data("options"),
    word("state", "uploaded"),
    word("error"),
    num("checked"),
    num("cursor"),
    data("found"),
    data("counts"),
    data("undone"),
    ref("user_id"),
    num("created_at"),
    num("started_at"),
    num("finished_at"),
    num("version", 1),
    Index("ix_imports_created_at", "created_at", "id"),
)

# One row of the file carried out once: the key is what keeps a killed batch from doubling.
import_rows = Table(
    "import_rows",
    metadata,
    Column("import_id", ID, nullable=False),
    Column("row_number", ID, nullable=False),
    word("outcome"),
    word("reason"),
    ref("object_id"),
    ref("contact_id"),
    num("object_version"),
    data("before"),
    flag("undone"),
    PrimaryKeyConstraint("import_id", "row_number"),
    Index("ix_import_rows_object_id", "object_id"),
    Index("ix_import_rows_contact_id", "contact_id"),
    Index("ix_import_rows_outcome", "import_id", "outcome", "row_number"),
)

import_mappings = Table(
    "import_mappings",
    metadata,
    word("kind"),
    Column("heads_hash", String(64), nullable=False),
    data("columns", "[]"),
    data("options"),
    num("used_at"),
    PrimaryKeyConstraint("kind", "heads_hash"),
)

external_ids = Table(
    "external_ids",
    metadata,
    word("kind"),
    word("external_id"),
    Column("object_id", ID, nullable=False),
    PrimaryKeyConstraint("kind", "external_id"),
    Index("ix_external_ids_object_id", "kind", "object_id"),
)
