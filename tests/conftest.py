"""What every test may use; e2e and campaign tests are marked by the folder that they lie in.

A room at twenty times its speed takes a pause of 0.2 s of a shared machine for 4 s without an
instrument, and answers rightly with heat off. So what runs in real time is tried a second time when
it fails; the run's last lines name it, as "RERUN".
"""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("proof", deadline=None, derandomize=True)
settings.load_profile("proof")  # a busy machine, or chance, must not decide about a proof

pytest_plugins = ["pytester", "tests.requirements_plugin"]

ROOT = Path(__file__).parents[1]
MARKED_FOLDERS = {"e2e": "e2e", "campaign": "campaign", "contract": "integration"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for folder, marker in MARKED_FOLDERS.items():
            if item.path.is_relative_to(ROOT / "tests" / folder):
                item.add_marker(marker)
        if any(item.get_closest_marker(name) for name in ("e2e", "real_time")):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The browser that `$CHROMIUM` names, or the one that Debian installs."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not path or not shutil.which(path):
        pytest.fail(f"No Chromium at {path or 'chromium'}: install it, or name it in $CHROMIUM.")
    return path
