"""Brings the tables of a journal to the layout of this program, when a service opens it to write.

The bodies of rows are never migrated: each carries its schema version and is read by that.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, inspect

FIRST = "0001"
"""The layout that was written before journals knew which one they have."""


def upgrade(connection: Connection) -> None:
    """Run what the database lacks, in the connection's transaction."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    tables = inspect(connection)
    if tables.has_table("rows") and not tables.has_table("alembic_version"):
        command.stamp(config, FIRST)
    command.upgrade(config, "head")
