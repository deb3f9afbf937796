"""A released database survives: each step is taken with rows in every table, and none is rewritten."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    insert,
    select,
    text,
)

from crm_store import migrate as migrations
from crm_store.engine import make_engine
from crm_store.erasure import address_hash
from crm_store.tables.people import erased_addresses
from hub.events import EventRegistry
from hub.plugin_host import PluginHost
from hub.registration import register as registered
from tests.houses import house, letter

RELEASED = {
    "0001_first.py": "ee16df1be2fa2bb3da949e27dcb17afccea8a0b4a15c8a34e905d0abb9fe049d",
    "0002_channels.py": "56ce55c1c8b3daaa0fef05b7b893eb5c6c4485c6cc957fd4cbd07787782071d3",
    "0003_erased_addresses.py": "7ddac33c6dc60bd25d8c89220ed5a9a86a85a8f9300f94f119fadc5e677532f6",
    "0004_dialogs_by_age.py": "f3c27e14f81bc041725e88f689a92206b64fc49338c5d1039f00a96713732b27",
    "0005_partial_indexes.py": "97fb884d3db7ba94b3af4920f65a153ff7699d7ecadcb68b724344ce79d46543",
    "0006_leads.py": "522189036547ebbb69965c5d7276a9d4f5ad33303cfe917f16f14f76f7fcf2f9",
    "0007_scopes.py": "a6acef826767f0314169a99471437d28b6a3074bcbc24730b12cca9e45d1d338",
    "0008_calendars.py": "c770f9c9731dd06c01ec97d4d4082aa9ee11cd7b2e28021a5f7fe291fa979331",
    "0009_imports.py": "585f2d83c4a950236b39b1da9f7f9e2e89d03a88ac37715c434ce69f2f405f24",
    "0010_people.py": "478208d2a797def8186ad3c3a18a4eecd3c10f027472ab9828caf810981c5b42",
    "0011_desks.py": "b7466fcc28be889a4f6adf4066b62bbc4ce246481199569f0e0c08f7b0e3ee61",
    "0012_views_of_kinds.py": "82442f2358377b5c5d91cb34c5d60c6c9bf5e95654a272fa45707e23809da59c",
    "0013_rules.py": "a8c7f9a5dd16b150d9d758b58ccae032ad3929535dd8e74e013ed3a080f9a9e6",
    "0014_acts.py": "7202f6c52de926df81ed24d167b218d6597ebdc1db6c84ca8eee4093ae1fc0ef",
    "0015_requests.py": "c3053a426e2d5187afbd117c2729e431d0013f103bbd7896af0eaa53721020b5",
    "0016_duplicates.py": "43a586b1354e757071b76fc1503a2a3fa6ce0804f249fb899a1bc064ae0e5628",
    "0017_many.py": "77c94c083b1fdfccc7291bcd3402b32729604c55e9786d42e0712f277a15705c",
    "0018_interests.py": "cec35287e53f40a78e7cf1943488051a5a1d72b1450937f00ef2826f512cc2ab",
    "0019_custom_fields.py": "4133ee39b3b379c5766f51b9dc55e736e7e8fa179e80e5a6b754d98f1fa2c644",
    "0020_meetings.py": "541910cfe504347d223c2106bef993ab70858a195021b31bd2071036bbf93a07",
    "0021_moves.py": "5aab0504fe595c1382c6de7332c5f71192b016c6ef312d99913e1e056ef841c3",
    "0022_retention.py": "a835f0a06c064b688731364774b95ec13c256cf655ab544c385e09b613f0773b",
    "0023_segments.py": "79c320bafb6404792f5fbbbf6fab8e1e04e48afadb75999ce132d570b5abff68",
    "0024_completeness.py": "46e0bd2cb040e7bb994256fe4adde9116bc1a7bb70996e915ea696826afe9515",
    "0025_many_ways.py": "5c97d7592195e723bcad53f375e3a65c24fd7de62a7524d1eed6cff8bd1ddeed",
    "0026_exports.py": "2d6b622734afd22859f387983a9121996cb4745f545da3f1084e21e1d1f07de7",
    "0027_topics.py": "1b5cf2d82156a579ee13cca1abf8efa5c1feb4549cf731ffaa942cbe55f7d52b",
    "0028_speed.py": "60bba9bb0b412765798715de4a34bba46dc7c36ecd7e43f7053d35d246faa877",
    "0029_stage_limits.py": "5deacbee2b53a6ec8701d9377ff293fe372c3c8fb12ba0acb52278b9757c1f99",
    "0030_overdue.py": "e185c41bb66710b9e0ee64c6b52737ca56184927410d57cf21c413511360711d",
    "0031_time_spent.py": "d939e4ce9f3276b9897508f9f67953001bd836ec9619c958f71f2ef7396f3d7f",
    "0032_charged.py": "c89081caca91554adcb4807c154a508005dd48e0deac6191c35a8a29a3e84dca",
    "0033_support_levels.py": "1fc987966b26ee0f1b666bac470ea86556a9121dd2c58272c4c168ff8cf336ca",
    "0034_asked_details.py": "9669674defce80c6179058f476a4525c8aa9bde884fab6cbb3abebfd4ee281c8",
    "0035_client_levels.py": "de09e23c40c5b9593a68208d66901a825a25ce0ef2e2deb7a1705d6a3716966f",
    "0036_less_often.py": "90c82a17cab96ba847c9f9cc7576f3a13e20904fa45c53448f53edc5b4bdcaef",
    "0037_counted_views.py": "d9057c8595050eb939c397754c447882c01f5f06f333f0059ced881bf5e95b2c",
    "0038_unfinished.py": "99c5c5026a958d8ce0d3cd1a486a65bfc598c8f98b904bd7bb36009257c2208b",
    "0039_notice_letters.py": "6b73bbd6792346bc3ce00ebff6f3b75009cfb0db08436c322f0d654fec2fe351",
    "0040_long_references.py": "3f331936f10195b584cbd2145bd445f59857fb32de3f473cd2f8047038a77e82",
    "0041_pushes.py": "3ff53fdf6a2e44e72ce5ee1e6cc899a411ced391b545e2fcde8f7928d1d9fef6",
    "0042_own_keys.py": "c7b2d5e64eec1f7b6b35ae85fdcfc10ba73fa60a584cb6c2e3a58b01f5447833",
    "0043_open_deadlines.py": "65a808576d806ce39da20ee47541a1220e33e9cb6121f1ec1c3505ff752bf730",
    "0044_funnel_sums.py": "748f2c22600750f0cd540ff9633a36b0fb20b3eb5e5b980a25db91fd4bac11df",
    "0045_my_day.py": "c9162c39391283ac909c7691e16808106c25b2e429dc8c6f1600e44ccd9d8f5d",
    "0046_delivery_leases.py": "49fe2718a88d57742d92839b3806e5bccc683fca364b169590027564e5a86f1e",
    "0047_first_responses.py": "6c6ad13af514a47843346134fc7324f7e08cf8a1a045a2e4792b2c9b01cef295",
    "0048_what_was_meant.py": "5abd9cf09eb42338ca6fae84f289c8d133a26cbba9eb0ad7ece87392fae51530",
    "0049_team_tree.py": "0c4291af57df4a6b90f89d7822375bb6e05f144523c103b62e0483136b934b85",
    "0050_limits_in_minutes.py": "49ede147f1458cb11ff03f3f75f9ff7870b652e508e1647f462a0887c99ece39",
    "0051_client_addresses.py": "ea5b37a2e9a6b4fde1ce1647b9e07040b225464f4a68f783577ff25ff665af08",
    "0052_days_of_chains.py": "4b26ca42afb3a7908af41694aabbfced81cb1717adfda82f92e025198dcd6e61",
    "0053_short_counts.py": "ec1c620994d42a9bba22d703a41b2594cacdae30110b116d5d7be508a5e5c5a6",
    "0054_told_of_ways.py": "3b9046ab496a4c82cc0037b80b0d78895ee606e1fb6139182106a38662154822",
    "0055_touches_by_way.py": "89ec1b3be7950df093f7b41b816c9e8c6ef37d8e5f874f43dd678112fc1981ca",
    "0056_passkeys.py": "e94f2962efaf5425dc1b7e4851ee5e2df3c5d051bdf87b50155bca5903053718",
    "0057_networks.py": "7d75c23f89a2ece2057a13595037c70cdc8a9bea106fa8360aa37a753e7721ba",
    "0058_client_classes.py": "54653a9ca8297b1bce2744caf1cd592f24aee9f29ff596bfeb96a7ba49068bb0",
}
"""What each step was when it came to main. Never change a line: add a step, and its line here."""

VERSIONS = Path(migrations.HERE) / "versions"
FIRST = "0001"


def test_no_step_that_was_released_is_rewritten() -> None:
    found = {
        one.name: hashlib.sha256(one.read_bytes()).hexdigest()
        for one in sorted(VERSIONS.glob("0*.py"))
    }
    assert found == RELEASED, "a database that took a step will not take it again: add another"


def test_the_steps_are_one_chain() -> None:
    script = ScriptDirectory(str(migrations.HERE))
    assert len(script.get_heads()) == 1
    names = [one.revision for one in script.walk_revisions()][::-1]
    assert names == [f"{n:04}" for n in range(1, len(names) + 1)]


@pytest.fixture
def first_database(empty_database_url: str) -> str:
    """A database as the first release made it, with rows in every table."""
    engine = make_engine(empty_database_url, writer=True)
    with engine.connect() as conn, conn.begin():
        migrations.upgrade_within(conn, FIRST)
        for table in tables_of(conn):
            conn.execute(insert(table), [row_of(table, n) for n in (1, 2)])
    engine.dispose()
    return empty_database_url


def test_every_row_of_the_first_release_is_still_there(first_database: str) -> None:
    engine = make_engine(first_database, writer=False)
    with engine.connect() as conn:
        before = {one.name: (one, rows_of(conn, one)) for one in tables_of(conn)}
    steps = migrations.migrate(first_database)
    assert steps == [one.revision for one in newer_than_first()]
    assert migrations.pending(first_database) == []
    with engine.connect() as conn:
        for name, (table, rows) in before.items():
            if name in ("roles", "meta"):
                # The hub writes its own beside them: its five roles, its epoch.
                assert set(rows) <= set(rows_of(conn, table)), name
            else:
                assert rows_of(conn, table) == rows, name
        hashes = conn.execute(select(erased_addresses)).all()
    engine.dispose()
    # What was erased before there was a table to look it up stays erased.
    assert [(row.hash, row.at) for row in hashes] == [(address_hash("email", "eve@x.example"), 8)]


@pytest.mark.parametrize(
    ("before", "after"), [("0026", "0027"), ("0031", "0032"), ("0041", "0042")]
)
def test_a_step_that_only_adds_keeps_the_rows_of_every_table(
    empty_database_url: str, before: str, after: str
) -> None:
    engine = make_engine(empty_database_url, writer=True)
    with engine.connect() as conn:
        with conn.begin():
            migrations.upgrade_within(conn, before)
            tables = tables_of(conn)
            for table in tables:
                # Some steps bring rows of their own.
                conn.execute(table.delete())
                conn.execute(insert(table), [row_of(table, n) for n in (1, 2)])
            known = {one.name: rows_of(conn, one) for one in tables}
        with conn.begin():
            migrations.upgrade_within(conn, after)
            assert {one.name: rows_of(conn, one) for one in tables} == known
            for one in tables_of(conn):
                # What came with the step says of each row what was true of it.
                added = {c.name for c in one.columns} - {
                    c.name for old in tables if old.name == one.name for c in old.columns
                }
                if one.name in known and added:
                    fresh = conn.execute(select(*(one.c[name] for name in sorted(added)))).all()
                    assert {tuple(row) for row in fresh} == {(0,) * len(added)}
    engine.dispose()


async def test_a_hub_lives_on_a_database_of_the_first_release(
    tmp_path: Path, empty_database_url: str
) -> None:
    engine = make_engine(empty_database_url, writer=True)
    with engine.connect() as conn, conn.begin():
        migrations.upgrade_within(conn, FIRST)
    engine.dispose()
    migrations.migrate(empty_database_url)
    async with house(tmp_path, empty_database_url) as home:
        given = (await home.receive(letter("k1"), letter=True))[0]
        assert (await home.user.message(given.message_id)).text == "hello"


def test_leads_that_are_there_learn_when_they_were_answered(empty_database_url: str) -> None:
    engine = make_engine(empty_database_url, writer=True)
    with engine.connect() as conn, conn.begin():
        migrations.upgrade_within(conn, "0046")
        known = {one.name: one for one in tables_of(conn)}

        def put(name: str, n: int, **values: Any) -> None:
            table = known[name]
            row = {
                one.name: value_of(one, n) for one in table.columns if one.server_default is None
            }
            conn.execute(insert(table).values({**row, "id": n, **values}))

        # 1: answered by hand, after a machine; 2: met; 3: answered before; 4: rejected first; 5: never.
        for n in range(1, 6):
            put("dialogs", n, contact_id=n, created_at=50, waiting_since=0, slot=f"{n}")
            closed = {"status": "rejected", "closed_at": 110} if n == 4 else {}
            put("leads", n, contact_id=n, created_at=100, **closed)
        conn.execute(insert(known["dialog_links"]).values(dialog_id=3, kind="lead", object_id=3))
        third = known["dialogs"].c.id == 3
        conn.execute(known["dialogs"].update().where(third).values(first_response_at=70))
        for n, dialog, at, automated in ((1, 1, 120, True), (2, 1, 130, False), (3, 4, 140, False)):
            put("messages", n, dialog_id=dialog, direction="out", at=at, received_at=at,
                automated=automated)  # fmt: skip
        put("meetings", 1, contact_id=2, at=115, created_at=120)
        put("meetings", 2, contact_id=5, at=90, created_at=120)
    with engine.connect() as conn, conn.begin():
        migrations.upgrade_within(conn, "0047")
        names = ("received_at", "first_responded_at", "first_response_us")
        leads = next(one for one in tables_of(conn) if one.name == "leads")
        found = conn.execute(select(*(leads.c[one] for one in names)).order_by(leads.c.id)).all()
    engine.dispose()
    assert [tuple(row) for row in found] == [
        (100, 130, 30),
        (100, 115, 15),
        (50, 70, 20),
        (100, 0, 0),
        (100, 0, 0),
    ]


def newer_than_first() -> list[Any]:
    script = ScriptDirectory(str(migrations.HERE))
    return [one for one in list(script.walk_revisions())[::-1] if one.revision != FIRST]


def tables_of(conn: Connection) -> list[Table]:
    """Every ordinary table, as the database has it; the index of words has its own shape."""
    metadata = MetaData()
    metadata.reflect(
        conn,
        only=lambda name, _: (
            not {"terms", "grams"} & set(name.split("_"))
            and name not in (migrations.VERSION_TABLE, "sqlite_sequence")
        ),
    )
    return metadata.sorted_tables


def row_of(table: Table, n: int) -> dict[str, Any]:
    """A row with a value in every column; two rows differ in every column that can."""
    row = {column.name: value_of(column, n) for column in table.columns}
    if table.name == "erasures":
        row |= {"at": n + 6, "address_hashes": [address_hash("email", "eve@x.example")]}
    return row


def value_of(column: Column[Any], n: int) -> Any:
    kind = column.type
    if isinstance(kind, JSON) or str(kind).upper().startswith("JSON"):
        return {"n": n}
    if isinstance(kind, Boolean):
        return n == 1
    if isinstance(kind, LargeBinary):
        return bytes([n])
    if isinstance(kind, Integer):
        return n
    return f"{column.name}-{n}"[: getattr(kind, "length", None) or 100]


def rows_of(conn: Connection, table: Table) -> list[str]:
    """The rows of the columns that the first release knew, as comparable text."""
    key = list(table.primary_key.columns)
    return [repr(tuple(row)) for row in conn.execute(select(table).order_by(*key))]


STEPS = {
    "0001_first.py": """
revision, down_revision = "0001", None
def upgrade():
    op.create_table("desk_notes", sa.Column("id", sa.BigInteger, primary_key=True))
""",
    "0002_words.py": """
revision, down_revision = "0002", "0001"
def upgrade():
    op.add_column("desk_notes", sa.Column("words", sa.Text, nullable=False, server_default=""))
""",
}
DESK = """
import hub
from sqlalchemy import BigInteger, Column, Table, Text

@hub.hookimpl
def register_tables(metadata):
    Table("desk_notes", metadata, Column("id", BigInteger, primary_key=True), {more})
"""


def desk(folder: Path, more: str, *steps: str) -> PluginHost:
    """A stranger's package in the plugins folder, with its steps."""
    room = folder / "desk"
    (room / "migrations").mkdir(parents=True, exist_ok=True)
    (room / "__init__.py").write_text(DESK.replace("{more}", more), "utf-8")
    if not steps:
        (room / "migrations").rmdir()
    for name in steps:
        text = "import sqlalchemy as sa\nfrom alembic import op\n" + STEPS[name]
        (room / "migrations" / name).write_text(text, "utf-8")
    host = PluginHost()
    host.load(folder)
    assert host.plugins["desk"].state == "loaded"
    return host


@pytest.mark.parametrize("before", ["steps", "no steps"])
def test_a_plugins_tables_take_its_own_steps(
    tmp_path: Path, empty_database_url: str, before: str
) -> None:
    words = 'Column("words", Text, nullable=False, server_default="")'
    first = ("0001_first.py",) if before == "steps" else ()
    old = registered(desk(tmp_path / "old of it", "", *first), EventRegistry(), ()).schemas
    migrations.migrate(empty_database_url, old)
    engine = make_engine(empty_database_url, writer=True)
    with engine.connect() as conn, conn.begin():
        conn.execute(text("INSERT INTO desk_notes (id) VALUES (7)"))
    new = registered(desk(tmp_path / "new", words, *STEPS), EventRegistry(), ()).schemas
    assert migrations.pending(empty_database_url) == []
    assert migrations.pending(empty_database_url, new) == ["desk:0002"]
    assert migrations.migrate(empty_database_url, new) == ["desk:0002"]
    assert migrations.migrate(empty_database_url, new) == []
    assert migrations.pending(empty_database_url, new) == []
    with engine.connect() as conn:
        assert conn.execute(text("SELECT id, words FROM desk_notes")).all() == [(7, "")]
    engine.dispose()
