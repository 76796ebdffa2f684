"""`python -m service.records.for_pages WHAT URL [ID [ZIP]]`: a record for the QA page, as JSON.

A process of its own, because unpacking and replaying a session would hold up live pages. `WHAT` is
list, show, curve, verify or export.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from service.journal.rows import JournalError
from service.records.export import export_text
from service.records.proof import verify
from service.records.sessions import session_lines, show_session

FIELDS = ("id", "protocol", "opened", "closed", "mode", "phases")
NICE = 10
Json = dict[str, Any]


def main(arguments: list[str]) -> int:
    """Print what was asked for; `ok` is false where `text` says why it is not so."""
    os.nice(NICE)
    what, url, *rest = arguments
    print(json.dumps(WHAT[what](url, *rest)))
    return 0


def _listed(url: str) -> Json:
    code, text, lines = session_lines(url)
    sessions = [dict(zip(FIELDS, line, strict=True)) for line in reversed(lines)]
    return {"ok": code == 0, "text": text, "sessions": sessions}


def _shown(url: str, session: str) -> Json:
    code, text = show_session(url, session)
    return {"ok": code == 0, "text": text}


def _verified(url: str, session: str) -> Json:
    code, text = verify(url, session)
    return {"ok": code == 0, "text": text}


def _exported(url: str, session: str, archive: str) -> Json:
    with TemporaryDirectory(prefix="hipec-export-") as folder:
        code, text = export_text(url, session, Path(folder))
        if code == 0:
            shutil.make_archive(archive.removesuffix(".zip"), "zip", folder)
    return {"ok": code == 0, "text": text}


def _curve(url: str, session: str) -> Json:
    from service.records.curve import curve

    try:
        return {"ok": True, "text": "", "curve": curve(url, session)}
    except JournalError as error:
        return {"ok": False, "text": str(error)}


WHAT: Mapping[str, Callable[..., Json]] = {
    "list": _listed,
    "show": _shown,
    "curve": _curve,
    "verify": _verified,
    "export": _exported,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
