"""The bill of materials names everything that is pinned, with its hash, and fits its schema."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).parents[1]


@pytest.mark.integration
def test_the_bill_of_materials_names_every_pinned_package_and_every_vendored_script(
    tmp_path: Path,
) -> None:
    out = tmp_path / "sbom.json"
    subprocess.run([sys.executable, ROOT / ".ci" / "sbom.py", out], check=True, timeout=120)
    text = out.read_text("utf-8")
    bill = json.loads(text)
    components = {(c["name"], c["version"]): c for c in bill["components"]}
    assert len(components) == len(bill["components"])
    pinned = re.compile(r"^([\w.-]+)==([\w.+-]+)", re.MULTILINE)
    for lock, scope in (("requirements.lock", "required"), ("requirements-dev.lock", None)):
        for name, version in pinned.findall((ROOT / lock).read_text("utf-8")):
            found = components[name, version]
            assert scope is None or found["scope"] == scope
            assert found.get("hashes") or found["externalReferences"][0]["hashes"]
    assert components["uplot", "1.6.32"]["scope"] == "required"
    assert components["axe-core", "4.14.1"]["scope"] == "excluded"
    version = SchemaVersion.from_version(bill["specVersion"])
    assert JsonStrictValidator(version).validate_str(text) is None
