"""Brings the tables of a journal to the layout of this program, when a service opens it to write.

The bodies of rows are never migrated: each carries its schema version and is read by that.
"""

from pathlib import Path

from sqlalchemy import Connection, inspect

FIRST, NEWEST = "0001", "0003"
"""The layout that was written before journals knew which one they have, and this program's."""


def is_newest(connection: Connection) -> bool:
    """Whether the database has every table of this program."""
    tables = inspect(connection)
    return (
        tables.has_table("alembic_version")
        and connection.exec_driver_sql("SELECT * FROM alembic_version").scalar() == NEWEST
    )


def upgrade(connection: Connection) -> None:
    """Run what the database lacks, in the connection's transaction."""
    if is_newest(connection):
        return
    # Alembic takes longer to load than most journals take to open.
    from alembic import command
    from alembic.config import Config

    tables = inspect(connection)
    is_known = tables.has_table("alembic_version")
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    if tables.has_table("rows") and not is_known:
        command.stamp(config, FIRST)
    command.upgrade(config, "head")
