"""Verifies an exported session of hipec-monitor: python verify.py [FOLDER] [--checkpoint FILE]

Needs only Python 3.9 or newer and the package `cryptography`, no network and nothing of the program
that wrote the export. It checks every file against the manifest, every row against the one before
it, the Merkle tree (RFC 6962) against every signed checkpoint, and every signature (Ed25519). It
does not replay the session: `hipec sessions verify ID --file FOLDER` does.

Whoever can alter an export can alter this file with it: take it from a source that you trust, and
compare the key that it names with what the room's people wrote down.
"""

import argparse
import base64
import hashlib
import json
import struct
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "hipec-monitor session export 1"
SIMULATED = "SIMULATED-"
SIGNATURES = ("signature", "by_old", "by_new")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent)
    parser.add_argument("--checkpoint", type=Path, help="checkpoints that were kept elsewhere")
    asked = parser.parse_args()
    said, findings = verified(asked.folder, asked.checkpoint)
    print("\n".join(said + ["ALTERED: " + finding for finding in findings]))
    print("NOT AS IT WAS WRITTEN" if findings else "GOOD: nothing was altered")
    return 1 if findings else 0


def verified(folder, kept=None):
    """What can be said of an export, and what is wrong with it (nothing when it is as written)."""
    try:
        export = Export(folder)
        export.verify(kept)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
        return [], [f"it cannot be verified: {type(error).__name__}: {error}"]
    return export.said, export.findings


class Export:
    def __init__(self, folder):
        self.folder = folder
        self.findings = []
        self.said = []
        simulated = (folder / (SIMULATED + "manifest.json")).exists()
        self.prefix = SIMULATED if simulated else ""
        text = self.path("manifest.json").read_text(encoding="utf-8")
        self.manifest = json.loads(text)
        if text != pretty(self.manifest):
            self.findings.append("manifest.json is not written as the program writes it")
        if self.manifest["format"] != FORMAT:
            raise ValueError(
                "its format is {}, this file reads {}".format(self.manifest["format"], FORMAT)
            )
        self.session = self.manifest["session"]
        self.opening = {}
        self.in_use = []
        self.sizes = {}
        self.closed = False
        self.signed = None
        self.keys = set()
        self.mode = None

    def path(self, name):
        return self.folder / (self.prefix + name)

    def verify(self, kept):
        self.files()
        self.succession()
        n = self.rows()
        expected = {"session": self.session, "rows": n, "closed": self.closed, "mode": self.mode}
        expected.update(simulated=self.mode != "real", root=self.root, head=self.head)
        for name, value in expected.items():
            if self.manifest[name] != value:
                self.findings.append(f"the manifest's {name} is not that of the rows")
        if self.closed and self.signed != n - 1:
            self.findings.append("the session was closed, but no signed checkpoint ends its record")
        self.copies("checkpoints.jsonl", self.path("checkpoints.jsonl"))
        if kept:
            self.copies(str(kept), kept)
        mode = "" if self.mode == "real" else " SIMULATED DATA: no patient was treated."
        state = "closed" if self.closed else "not closed when it was exported"
        self.said.append(f"Session {self.session}, mode {self.mode}, {state}, {n} rows.{mode}")
        if self.signed is None:
            self.said.append("No row is signed.")
        else:
            self.said.append(f"Rows 0 to {self.signed - 1} are signed.")
        for key in sorted(self.keys):
            self.said.append(f"Signed with key {key}: compare it with what the room wrote down.")

    def files(self):
        listed = self.manifest["files"]
        there = {path.name for path in self.folder.iterdir()} - {self.prefix + "manifest.json"}
        for name in sorted(set(listed) | there):
            path = self.folder / name
            if name not in listed:
                self.findings.append(f"the file {name} is not in the manifest")
            elif not path.is_file():
                self.findings.append(f"the file {name} is missing")
            elif listed[name] != summary(path):
                self.findings.append(f"the file {name} is not as it was written")

    def succession(self):
        before: dict = {}
        for entry in json.loads(self.path("keys.json").read_text(encoding="utf-8"))["keys"]:
            key = entry["in_use"]
            said = statement("KeyInUse", key)
            rotated = before and not key["reason"]
            good = (
                key["key"] == key_id(key["public"])
                and key["replaces"] == before.get("key", "")
                and is_signed(key["public"], key["by_new"], said)
                and (not rotated or is_signed(before["public"], key["by_old"], said))
            )
            if not good:
                self.findings.append("the key {} was not put into use properly".format(key["key"]))
            self.in_use.append((entry["room_row"], key))
            before = key

    def signers(self):
        room_n = self.opening.get("room_n")
        found = {}
        for place, (_, key) in enumerate(self.in_use):
            last = place + 1 == len(self.in_use)
            if last or room_n is None or self.in_use[place + 1][0] > room_n:
                found[key["key"]] = key["public"]
        return found

    def rows(self):
        tree, previous, n = Tree(), bytes(32), 0
        with self.path("events.jsonl").open(encoding="utf-8", newline="\n") as file:
            for number, text in enumerate(file):
                try:
                    line = json.loads(text)
                    digest = self.row(number, line, text, previous, tree)
                except (ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
                    self.findings.append(
                        f"line {number + 1} of events.jsonl: it is no row ({error})"
                    )
                    digest = previous
                previous, n = digest, number + 1
                tree.add(previous)
                self.sizes[tree.size] = tree.root().hex()
        self.root, self.head = tree.root().hex(), previous.hex()
        return n

    def row(self, number, line, text, previous, tree):
        body = (
            base64.b64decode(line["body_base64"]) if "body_base64" in line else dump(line["body"])
        )
        where = "row {} of {} ({}, {})".format(line["n"], line["chain"], line["kind"], line["utc"])
        if text != dump(line).decode() + "\n":
            self.findings.append(where + ": its line is not written as the program writes it")
        if line["n"] != number:
            self.findings.append(f"{where}: it stands where row {number} should")
        if line["chain"] != self.session:
            self.findings.append(where + ": it belongs to another chain")
        if line["hash"] != row_hash(previous, line, body).hex():
            self.findings.append(where + ": it, or the row before it, is not as it was written")
        look = {"Opening": self.opens, "State": self.state, "Checkpoint": self.checkpoint}.get(
            line["kind"]
        )
        if look:
            look(where, line, body, previous, tree)
        if line["kind"] == "SessionClosed":
            self.closed = True
        if line["kind"] == "Unsigned":
            self.findings.append(where + ": what came before it could not be signed then")
        if self.mode is not None and line["mode"] != self.mode:
            self.findings.append(where + ": its mode is not the session's")
        return bytes.fromhex(line["hash"])

    def opens(self, where, line, body, previous, tree):
        self.opening = line["body"]
        if line["n"] != 0 or line["body"]["chain"] != self.session:
            self.findings.append(where + ": it is not the opening of this chain")

    def state(self, where, line, body, previous, tree):
        self.mode = line["body"]["room"]["mode"] if self.mode is None else self.mode

    def checkpoint(self, where, line, body, previous, tree):
        found, public = line["body"], self.signers().get(line["body"]["key"])
        at = {"mono_ns": line["at_mono_ns"], "utc_ns": line["at_utc_ns"]}
        stands = (at, self.session, tree.size, tree.root().hex(), previous.hex())
        if (found["at"], found["chain"], found["size"], found["root"], found["head"]) != stands:
            self.findings.append(
                where + ": what it signed is not what stands in the rows before it"
            )
        elif public is None:
            self.findings.append("{}: the room did not use key {} then".format(where, found["key"]))
        elif not is_signed(public, found["signature"], statement("Checkpoint", found)):
            self.findings.append(
                "{}: its signature is not that of key {}".format(where, found["key"])
            )
        else:
            self.signed = line["n"]
            self.keys.add(found["key"])

    def copies(self, name, path):
        known, seen = {key["public"] for _, key in self.in_use}, 0
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            where = f"line {number} of {name}"
            copy = json.loads(text)
            found, public = copy["checkpoint"], copy["public"]
            if found["chain"] != self.session:
                continue
            seen += 1
            good = is_signed(public, found["signature"], statement("Checkpoint", found))
            if not good or dump(copy).decode() != text:
                self.findings.append(where + " is not what was signed")
            elif public not in known:
                self.findings.append(where + " is signed with a key that this export does not name")
            elif found["size"] not in self.sizes:
                self.findings.append(
                    f"{where} counts {found['size']} rows: the last ones were cut off"
                )
            elif self.sizes[found["size"]] != found["root"]:
                self.findings.append(f"{where}: the first {found['size']} rows are not those")
        if not seen and self.signed is not None:
            self.findings.append(f"{name} holds no checkpoint of session {self.session}")


class Tree:
    def __init__(self):
        self.size, self.peaks = 0, []

    def add(self, entry):
        node, left = hashlib.sha256(b"\x00" + entry).digest(), self.size
        while left & 1:
            node = hashlib.sha256(b"\x01" + self.peaks.pop() + node).digest()
            left >>= 1
        self.peaks.append(node)
        self.size += 1

    def root(self):
        root = self.peaks[-1] if self.peaks else hashlib.sha256().digest()
        for peak in reversed(self.peaks[:-1]):
            root = hashlib.sha256(b"\x01" + peak + root).digest()
        return root


def row_hash(previous, line, body):
    chain, kind = line["chain"].encode(), line["kind"].encode()
    head = struct.pack(">I", len(chain)) + chain + struct.pack(">qI", line["n"], len(kind)) + kind
    times = (line["schema"], line["at_mono_ns"], line["at_utc_ns"], len(body))
    return hashlib.sha256(previous + head + struct.pack(">qqqI", *times) + body).digest()


def statement(kind, body):
    empty = {name: "" for name in SIGNATURES if name in body}
    text = json.dumps(
        dict(body, **empty), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    return (f"hipec-monitor {kind}\n{text}").encode()


def is_signed(public, signature, said):
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        key.verify(bytes.fromhex(signature), said)
    except (InvalidSignature, ValueError):
        return False
    return True


def key_id(public):
    return hashlib.sha256(bytes.fromhex(public)).hexdigest()[:16]


def summary(path):
    content = path.read_bytes()
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def dump(plain):
    return json.dumps(plain, separators=(",", ":"), ensure_ascii=False).encode()


def pretty(plain):
    return json.dumps(plain, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main())
