"""Makes the stored sessions anew: `python -m tests.data.make_sessions`.

They are what this version of the program recorded, so that every later version can be shown to
read, verify and replay them.
"""

import sqlite3
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

from service.journal.elsewhere import Elsewhere
from service.journal.signing import KeySigner, open_key
from service.journal.store import open_writing
from service.records.export import export
from tests.core.bench import Bench
from tests.core.test_clean_treatment import PatientBench
from tests.journal.treatments import record

FOLDER = Path(__file__).parent / "sessions"


def clean() -> Bench:
    """Half an hour's treatment of the simulated patient, twenty times faster, as it should be."""
    bench = PatientBench("closed-oxaliplatin-30", "closed")
    bench.minutes(1)
    bench.command("open_session")
    for phase, minutes in (("prime", 6), ("fill", 3), ("heat_up", 1)):
        bench.go(phase)
        bench.minutes(minutes)
    bench.command("set_controller", mode="automatic")
    while bench.waits_for_the_gate():
        bench.minutes(1)
    bench.go("drug_addition")
    bench.command("confirm_drug", fraction=1)
    while not bench.session.clocks.ended:
        bench.minutes(7)
        bench.watch_the_hottest_site()
    for phase, minutes in (("drain", 8), ("rinse", 3), ("complete", 0)):
        bench.go(phase)
        bench.minutes(minutes)
    bench.command("close_session")
    return bench


def faults() -> Bench:
    """Drug before its gate, a hot site, a lost probe, a pulled cable, a crash, a reboot, an end."""
    bench = Bench()
    bench.to_phase("perfuse")
    bench.values["pelvis"] = 44.3
    bench.run(6)
    bench.values["pelvis"] = None
    bench.command("pause")
    bench.run(4)
    bench.values["pelvis"] = 42.8
    bench.acknowledge_all()
    bench.command("resume")
    bench.pull("sites")
    bench.run(8)
    bench.plug("sites")
    bench.command("note", text="43 °C “everywhere”")
    bench.restart()
    bench.run(5)
    bench.restart(rebooted=True)
    bench.run(5)
    bench.command("abort", reason="stored for tests")
    bench.command("start_phase", phase="drain", reason="stored for tests")
    bench.run(5)
    return bench


def in_one_file(database: Path) -> None:
    """Moves what is still in the write-ahead log into the database."""
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()


def main() -> None:
    """Writes a journal for each session, and an export of the shorter one, compressed."""
    FOLDER.mkdir(exist_ok=True)
    for name, bench, exports in (("clean", clean(), False), ("faults", faults(), True)):
        with TemporaryDirectory() as temporary:
            folder = Path(temporary)
            store = open_writing(f"sqlite:///{folder / 'hipec.db'}")
            key, introduction = open_key(store, folder / "key", bench.events[0].at)
            copies = Elsewhere(folder / "checkpoints", lambda said: None)
            session, _ = record(store, bench, KeySigner(key, copies.keep), first=introduction)
            copies.close()
            parts = [folder / "hipec.db", folder / "checkpoints"]
            parts += [export(store, session, folder)] if exports else []
            store.close()
            in_one_file(parts[0])
            with tarfile.open(FOLDER / f"{name}.tar.xz", "w:xz") as packed:
                for path in parts:
                    packed.add(path, path.name)
        print(f"{name}: session {session}, {len(bench.events)} events")


if __name__ == "__main__":
    main()
