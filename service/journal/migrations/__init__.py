"""Brings the tables of a journal to the layout of this program, when a service opens it to write.

The bodies of rows are never migrated: each carries its schema version and is read by that.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, inspect

FIRST, NEWEST = "0001", "0002"
"""The layout that was written before journals knew which one they have, and this program's."""


def upgrade(connection: Connection) -> None:
    """Run what the database lacks, in the connection's transaction."""
    tables = inspect(connection)
    is_known = tables.has_table("alembic_version")
    if is_known and connection.exec_driver_sql("SELECT * FROM alembic_version").scalar() == NEWEST:
        return
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    if tables.has_table("rows") and not is_known:
        command.stamp(config, FIRST)
    command.upgrade(config, "head")
