"""Writes the bill of materials (CycloneDX, JSON) of all that runs and of what tests it.

`python .ci/sbom.py OUT` reads the lock files of Python and npm and the vendored scripts; it asks
no network and gives the same bytes for the same files.
"""

import base64
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LOCKS = {"requirements.lock": "required", "requirements-dev.lock": "excluded"}
"""Each lock file, and whether what it adds runs in a room (CycloneDX scope)."""


def main(out: Path) -> int:
    """Write the file; 0 when it is there."""
    whole = _python("requirements.lock")
    known = {component["purl"] for component in whole["components"]}
    for component in whole["components"]:
        component["scope"] = LOCKS["requirements.lock"]
    for component in _python("requirements-dev.lock")["components"]:
        if component["purl"] not in known:
            whole["components"].append(component | {"scope": LOCKS["requirements-dev.lock"]})
    whole["components"] += [*_npm(), *_vendored()]
    for component in whole["components"]:
        component["bom-ref"] = component["purl"]
    whole["dependencies"] = [{"ref": each["purl"]} for each in whole["components"]]
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(whole, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{out}: {len(whole['components'])} components")
    return 0


def _python(lock: str) -> dict[str, Any]:
    asked = ["requirements", str(ROOT / lock), "--of", "JSON", "--output-reproducible", "-o", "-"]
    command = [sys.executable, "-m", "cyclonedx_py", *asked]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _npm() -> Iterator[dict[str, Any]]:
    """What checks the pages; nothing of npm runs in a room."""
    packages = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]
    for path, about in packages.items():
        if path:
            name = path.rpartition("node_modules/")[2]
            digest = base64.b64decode(about["integrity"].partition("-")[2]).hex()
            yield _component("npm", name, about["version"], "SHA-512", digest, "excluded")


def _vendored() -> Iterator[dict[str, Any]]:
    """Scripts that are kept in this tree and served to browsers."""
    for script in sorted((ROOT / "web" / "vendor").glob("*/*.min.js")):
        name = script.name.partition(".")[0]
        said = re.search(r"\(v([\d.]+)\)", script.read_text("utf-8")[:300])
        if said is None:
            raise SystemExit(f"{script} does not say its version in its first line.")
        digest = hashlib.sha256(script.read_bytes()).hexdigest()
        yield _component("npm", name.lower(), said[1], "SHA-256", digest, "required")


def _component(
    kind: str, name: str, version: str, alg: str, digest: str, scope: str
) -> dict[str, Any]:
    return {
        "type": "library",
        "name": name,
        "version": version,
        "purl": f"pkg:{kind}/{name.replace('@', '%40')}@{version}",
        "hashes": [{"alg": alg, "content": digest}],
        "scope": scope,
    }


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("Name the file to write: python .ci/sbom.py build/sbom.json")
    sys.exit(main(Path(sys.argv[1])))
