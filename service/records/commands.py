"""The command line of `hipec sessions`: what was recorded."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
Answer = tuple[int, str]
Work = Callable[[argparse.Namespace, str], Answer]
"""Does what was asked with the database at this URL."""

SITE, DATABASE = Path("site.toml"), "sqlite:///hipec.db"
"""What is meant where a command names neither: the files of the folder that it is called in."""


def add_commands(sessions: Commands) -> None:
    """Add list and show."""
    of_a_database(sessions, "list", "one line per session", _list)
    about = "phases, clocks, alarms with their delays, commands, dose, facts"
    shown = of_a_database(sessions, "show", about, _show)
    shown.add_argument("id")


def _list(_: argparse.Namespace, url: str) -> Answer:
    from service.records.sessions import list_sessions

    return list_sessions(url)


def _show(asked: argparse.Namespace, url: str) -> Answer:
    from service.records.sessions import show_session

    return show_session(url, asked.id)


def of_a_database(sessions: Commands, name: str, about: str, work: Work) -> argparse.ArgumentParser:
    """A command that reads the journal which a site file or an URL names."""
    parser = sessions.add_parser(name, help=about)
    parser.add_argument("--site", type=Path, help="whose database is read")
    parser.add_argument("--database", help="the database itself, such as sqlite:///hipec.db")
    parser.set_defaults(run=lambda asked: work(asked, database_url(asked)))
    return parser


def database_url(asked: argparse.Namespace) -> str:
    """The database that the command names, or that of the folder that it is called in."""
    site = asked.site or (SITE if SITE.is_file() and not asked.database else None)
    if not site:
        return asked.database or DATABASE
    from service.site import load_site

    return load_site(site).about.database
