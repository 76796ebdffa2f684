"""People, enrolled stations and who is signed in, beside the journal: rows that do change."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables of accounts; nothing of the record changes."""
    op.create_table(
        "people",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("folded", sa.String, nullable=False, unique=True),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("password", sa.String),
        sa.Column("disabled", sa.Boolean, nullable=False),
    )
    op.create_table(
        "enrolments",
        sa.Column("token_sha256", sa.String, primary_key=True),
        sa.Column("station", sa.String, nullable=False),
        sa.Column("room", sa.String, nullable=False),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("enrolled_utc", sa.Float, nullable=False),
        sa.Column("expires_utc", sa.Float),
    )
    op.create_table(
        "sign_ins",
        sa.Column("token_sha256", sa.String, primary_key=True),
        sa.Column("person", sa.String, nullable=False),
        sa.Column("station", sa.String, nullable=False),
        sa.Column("program", sa.Boolean, nullable=False),
        sa.Column("issued_utc", sa.Float, nullable=False),
        sa.Column("seen_utc", sa.Float, nullable=False),
        sa.Column("expires_utc", sa.Float, nullable=False),
    )
    op.create_table(
        "codes",
        sa.Column("code_sha256", sa.String, primary_key=True),
        sa.Column("person", sa.String, nullable=False),
        sa.Column("station", sa.String, nullable=False),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("expires_utc", sa.Float, nullable=False),
    )
    op.create_table(
        "failures",
        sa.Column("subject", sa.String, primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("until_utc", sa.Float, nullable=False),
        sa.Column("last_utc", sa.Float, nullable=False),
    )
    op.execute("UPDATE meta SET value = '3' WHERE name = 'schema'")
