"""Chunks beside the rows: the table of rows keeps what is newer than the last chunk."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

FORMER = ("rows_are_never_updated", "rows_are_never_deleted", "rows_only_follow")
NEXT = """(SELECT coalesce(max(last), -1) + 1 FROM (
    SELECT max(n) AS last FROM rows WHERE chain = NEW.chain
    UNION ALL SELECT max(last_n) FROM chunks WHERE chain = NEW.chain) AS kept)"""
KEPT = "coalesce((SELECT max(last_n) FROM chunks WHERE chain = OLD.chain), -1)"
WHOLE = """(SELECT count(*) FROM rows
    WHERE chain = NEW.chain AND n BETWEEN NEW.first_n AND NEW.last_n)"""
AFTER = "coalesce((SELECT max(last_n) FROM chunks WHERE chain = NEW.chain), -1) + 1"
LAST = "(SELECT hash FROM rows WHERE chain = NEW.chain AND n = NEW.last_n)"
# Name, table, operation, when refused ({differs}: NULL differs from all but NULL), why.
RULES = (
    ("rows_are_never_updated", "rows", "UPDATE", "", "no row is ever updated"),
    (
        *("rows_go_only_into_chunks", "rows", "DELETE", f"OLD.n > {KEPT}"),
        "a row is only removed when a chunk holds it",
    ),
    # INSERT OR REPLACE would delete without asking the rule above.
    (
        "rows_only_follow",
        "rows",
        "INSERT",
        f"NEW.n {{differs}} {NEXT}",
        "a row only follows the last",
    ),
    ("chunks_are_never_updated", "chunks", "UPDATE", "", "no chunk is ever updated"),
    ("chunks_are_never_deleted", "chunks", "DELETE", "", "no chunk is ever deleted"),
    (
        *("chunks_only_follow", "chunks", "INSERT"),
        f"NEW.first_n {{differs}} {AFTER} OR {WHOLE} {{differs}} NEW.last_n - NEW.first_n + 1"
        f" OR NEW.hash {{differs}} {LAST}",
        "a chunk only holds the rows that follow the last chunk",
    ),
)


def upgrade() -> None:
    """Add the chunks, and let rows go only into them."""
    op.create_table(
        "chunks",
        sa.Column("chain", sa.String, primary_key=True),
        sa.Column("last_n", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("first_n", sa.BigInteger, nullable=False),
        sa.Column("layout", sa.Integer, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("state_n", sa.BigInteger),
        sa.Column("base_n", sa.BigInteger),
        sa.Column("closes", sa.Boolean, nullable=False),
        sa.Column("sum", sa.LargeBinary, nullable=False),
        sa.Column("spoken", sa.LargeBinary, nullable=False),
        sa.Column("measured", sa.LargeBinary, nullable=False),
    )
    for name, column, where in (
        ("chunks_with_state", "state_n", "state_n IS NOT NULL"),
        ("chunks_that_close", "closes", "closes"),
    ):
        condition = sa.text(where)
        op.create_index(
            name, "chunks", ["chain", column], sqlite_where=condition, postgresql_where=condition
        )
    is_sqlite = op.get_context().dialect.name == "sqlite"
    if is_sqlite:
        for name in FORMER:
            op.execute(f"DROP TRIGGER IF EXISTS {name}")
    op.execute("DROP INDEX IF EXISTS rows_spoken")
    for rule in RULES:
        for statement in (_sqlite if is_sqlite else _postgresql)(*rule):
            op.execute(statement)
    if not is_sqlite:
        for table in ("rows", "chunks"):
            op.execute(
                f"CREATE TRIGGER {table}_are_never_emptied BEFORE TRUNCATE ON {table}"
                f" EXECUTE FUNCTION {table}_are_never_updated()"
            )
    op.execute("UPDATE meta SET value = '2' WHERE name = 'schema'")


def _sqlite(name: str, table: str, operation: str, refused: str, why: str) -> list[str]:
    when = f"WHEN {refused.format(differs='IS NOT')}" if refused else ""
    return [
        f"CREATE TRIGGER {name} BEFORE {operation} ON {table} {when}"
        f" BEGIN SELECT RAISE(ABORT, 'the journal is append-only: {why}'); END"
    ]


def _postgresql(name: str, table: str, operation: str, refused: str, why: str) -> list[str]:
    condition = refused.format(differs="IS DISTINCT FROM") or "true"
    given = "OLD" if operation == "DELETE" else "NEW"
    return [
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF {condition} THEN RAISE EXCEPTION 'the journal is append-only: {why}'; END IF;"
        f" RETURN {given}; END $$",
        f"CREATE TRIGGER {name} BEFORE {operation} ON {table}"
        f" FOR EACH ROW EXECUTE FUNCTION {name}()",
    ]
