"""Which Asterisk is good enough."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialer.errors import Misconfigured
from dialer.world import root


@pytest.mark.parametrize("version", ["20.20.0", "20.21.1", "22.10.1", "22.11.0", "23.4.0", "24.0.0"])
def test_versions_with_the_fixes_are_taken(version: str):
    """Deadlocks under AMI and Originate load were fixed there."""
    assert root.new_enough(version)


@pytest.mark.parametrize(
    "version", ["16.28.0", "18.26.0", "20.19.9", "21.12.2", "22.9.0", "23.3.0", "GIT-master-abc", ""]
)
def test_older_and_unknown_ones_are_not(version: str):
    """A version whose fixes nobody knows is no version."""
    assert not root.new_enough(version)


def test_without_asterisk_and_without_root_it_says_so(monkeypatch: pytest.MonkeyPatch):
    """One sentence, and what to do about it; the demo then takes the simulated switch."""
    monkeypatch.setattr(root, "_look_at", lambda _: None)
    monkeypatch.setattr(root.os, "geteuid", lambda: 1000)
    with pytest.raises(Misconfigured) as caught:
        root.find()
    assert caught.value.code == "asterisk.none"
    assert "simulated" in caught.value.remedy


def test_a_day_on_which_sid_fails_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Not a page of apt."""
    monkeypatch.setattr(root, "_look_at", lambda _: None)
    monkeypatch.setattr(root.os, "geteuid", lambda: 0)
    monkeypatch.setattr(root, "cache_dir", lambda: tmp_path)
    monkeypatch.setattr(root, "_mirror", lambda: "deb http://nowhere.invalid/debian sid main")
    monkeypatch.setattr(root.shutil, "which", lambda _: "/bin/false")
    monkeypatch.setattr(root.subprocess, "run", _fails)
    with pytest.raises(Misconfigured) as caught:
        root.find()
    assert caught.value.code == "asterisk.build"
    assert "E: no such host" in caught.value.message
    assert list(tmp_path.glob("building-*")) == []


def _fails(command: list[str], **_: object) -> object:
    return root.subprocess.CompletedProcess(command, 100, "", "Get:1 something\nE: no such host\n")


def test_the_newest_cached_root_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Numbers are compared as numbers."""
    for version in ("22.9.0", "22.10.1", "22.9.12"):
        (tmp_path / f"asterisk-root-{version}").mkdir()

    def look(folder: Path) -> root.Asterisk | None:
        return root.Asterisk(folder, folder.name.rpartition("-")[2], "/m") if folder != Path("/") else None

    monkeypatch.setattr(root, "_look_at", look)
    monkeypatch.setattr(root.os, "geteuid", lambda: 0)
    monkeypatch.setattr(root, "cache_dir", lambda: tmp_path)
    assert root.find().version == "22.10.1"
