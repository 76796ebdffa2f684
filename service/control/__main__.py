"""`python -m service.control`: the control process. It gets its settings as one line of JSON on
standard input, when everything is loaded: so it may be started before its work may begin.
"""

import asyncio
import logging
import sys

from protocols.locate import TomlFileError
from service.control.process import ControlProcess
from service.control.settings import Settings
from service.journal.rows import JournalError
from service.runtime import CONTROL, Lock, RuntimeFolderError
from service.systemd import run_before_ordinary_work

CANNOT_START = 3
"""Exit code: something a person has to put right first; a restart would not help."""


async def _run(settings: Settings) -> None:
    await ControlProcess(settings).run()


def main() -> int:
    """Run until told to end; the exit code says whether a restart makes sense. Without settings
    there is nothing to do: whoever would have given them is gone."""
    logging.basicConfig(level=logging.INFO, format="control: %(message)s", stream=sys.stderr)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    told = sys.stdin.readline()
    if not told:
        return 0
    settings = Settings.model_validate_json(told)
    if trouble := run_before_ordinary_work():
        logging.warning(trouble)
    try:
        lock = Lock(settings.socket.with_name(CONTROL))
        asyncio.run(_run(settings))
        lock.release()
    except (TomlFileError, JournalError, RuntimeFolderError) as error:
        print(error, file=sys.stderr)
        return CANNOT_START
    return 0


if __name__ == "__main__":
    sys.exit(main())
