"""The command line of `hipec sessions verify | export` and `hipec keys`.

What does the work is imported when it is asked for: Parquet's library takes longer to load than
most commands to answer.
"""

import argparse
from pathlib import Path

from service.journal.rows import ROOM
from service.records.commands import SITE, Answer, Commands, of_a_database


def add_sessions_commands(sessions: Commands) -> None:
    """Add verify and export."""
    about = "whether a record is as it was written"
    proof = of_a_database(sessions, "verify", about, _verify)
    proof.add_argument("id", help=f"a session, or {ROOM}")
    proof.add_argument("--file", type=Path, help="an exported session; no journal is needed")
    proof.add_argument("--checkpoint", type=Path, help="checkpoints that were kept elsewhere")
    about = "a session as files for other programs"
    export = of_a_database(sessions, "export", about, _export)
    export.add_argument("id")
    export.add_argument("--out", type=Path, default=Path(), help="the folder that it is put into")


def add_keys_commands(keys: Commands) -> None:
    """Add show, rotate and replace."""
    of_a_database(keys, "show", "the keys that signed this room's record", _show_keys)
    rotate = keys.add_parser("rotate", help="exchange the key; the service must not be running")
    rotate.add_argument("--site", type=Path, default=SITE)
    rotate.set_defaults(run=_rotate)
    lost = keys.add_parser("replace", help="a new key for one that is lost")
    lost.add_argument("--site", type=Path, default=SITE)
    lost.add_argument("--reason", required=True, help="what happened; the record keeps it")
    lost.set_defaults(run=_replace)


def _verify(asked: argparse.Namespace, url: str) -> Answer:
    from service.records.proof import verify

    return verify(url, asked.id, file=asked.file, checkpoint=asked.checkpoint)


def _export(asked: argparse.Namespace, url: str) -> Answer:
    from service.records.export import export_text

    return export_text(url, asked.id, asked.out)


def _show_keys(_: argparse.Namespace, url: str) -> Answer:
    from service.records import key_commands

    return key_commands.show(url)


def _rotate(asked: argparse.Namespace) -> Answer:
    from service.records import key_commands
    from service.site import load_site

    site = load_site(asked.site)
    return key_commands.rotate(site.about.database, site.key_path)


def _replace(asked: argparse.Namespace) -> Answer:
    from service.records import key_commands
    from service.site import load_site

    site = load_site(asked.site)
    return key_commands.replace(site.about.database, site.key_path, asked.reason)
