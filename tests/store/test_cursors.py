"""What a result says of its columns, on both databases."""

from crm_store.engine import make_engine


def test_a_result_is_described_to_who_asks(empty_database_url: str) -> None:
    engine = make_engine(empty_database_url, writer=False)
    with engine.connect() as conn:
        found = conn.exec_driver_sql("SELECT 1 AS a, 'x' AS b")
        assert found.cursor is not None
        described = found.cursor.description
        assert described is not None
        assert [one[0] for one in described] == ["a", "b"]
        assert (described[1][0], len(described), len(described[:1])) == ("b", 2, 1)
        assert found.mappings().all() == [{"a": 1, "b": "x"}]
    engine.dispose()
