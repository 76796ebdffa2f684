"""One service per room: its folder, its locks."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from service.runtime import Lock, RuntimeFolderError, holder_of, runtime_folder

pytestmark = pytest.mark.real_time


@pytest.fixture(autouse=True)
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    return tmp_path


def test_a_room_has_one_folder_for_its_owner_alone_however_its_site_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = runtime_folder(Path("site.toml"))
    assert folder == runtime_folder(tmp_path / "site.toml")
    assert folder != runtime_folder(tmp_path / "other.toml")
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_others_may_write_is_refused(tmp_path: Path) -> None:
    runtime_folder(tmp_path / "site.toml").chmod(0o777)
    with pytest.raises(RuntimeFolderError, match="mend its rights"):
        runtime_folder(tmp_path / "site.toml")


def test_a_link_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    folder = runtime_folder(tmp_path / "site.toml")
    folder.rmdir()
    folder.symlink_to(tmp_path)
    with pytest.raises(RuntimeFolderError, match="not a folder of this user"):
        runtime_folder(tmp_path / "site.toml")


def test_a_lock_names_its_holder_and_refuses_a_second_one(tmp_path: Path) -> None:
    path = tmp_path / "control.lock"
    assert holder_of(path) is None
    lock = Lock(path)
    assert holder_of(path) == os.getpid()
    with pytest.raises(RuntimeFolderError, match=rf"served already, by process {os.getpid()} "):
        Lock(path)
    lock.release()
    assert holder_of(path) is None
    Lock(path).release()


def test_a_lock_ends_with_its_process_however_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "control.lock"
    text = (
        "import sys; from pathlib import Path; from service.runtime import Lock\n"
        f"lock = Lock(Path({str(path)!r})); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", text], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        assert holder_of(path) == holder.pid
        holder.kill()
    assert holder_of(path) is None
