"""What the pages take from npm: fixed by a lock file that names no registry, bundled when it is needed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
WEB = ROOT / "dialer/web"
VENDOR = WEB / "static/vendor"


def test_the_lock_names_versions_and_hashes_and_no_registry() -> None:
    lock = json.loads((WEB / "package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
    assert not any("resolved" in package for package in packages.values())
    assert "omit-lockfile-registry-resolved=true" in (WEB / ".npmrc").read_text()
    assert "://" not in (WEB / "package.json").read_text() + (WEB / "package-lock.json").read_text()


def test_each_source_becomes_a_bundle_and_a_second_run_does_nothing() -> None:
    subprocess.run([ROOT / "scripts/assets"], check=True)
    made = {path.name: path.stat().st_mtime_ns for path in VENDOR.iterdir()}
    assert set(made) == {path.name for path in (WEB / "assets").iterdir()} | {".made-from"}
    again = subprocess.run([ROOT / "scripts/assets"], check=True, capture_output=True, text=True)
    assert again.stderr == ""
    assert {path.name: path.stat().st_mtime_ns for path in VENDOR.iterdir()} == made


def test_no_bundle_is_committed() -> None:
    tracked = subprocess.run(["git", "-C", ROOT, "ls-files", VENDOR], capture_output=True, text=True, check=True).stdout
    assert tracked == ""
