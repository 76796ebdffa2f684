"""The example site file with everything that it only shows: scale, switches and their channels."""

import re

COMMENTED_OUT = re.compile(r"^# (\[\[(?:device|channel)\]\](?:\n# .*)*)", re.MULTILINE)


def whole(text: str) -> str:
    """The text with the devices and channels that are commented out in it."""
    return COMMENTED_OUT.sub(lambda found: found[1].replace("\n# ", "\n"), text)
