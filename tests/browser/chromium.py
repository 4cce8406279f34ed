"""Where the browser of the tests is."""

from __future__ import annotations

import shutil

#: Debian's own Chromium, first without the windows it draws for nobody: those take a second of a core for each context.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def find() -> str:
    """The path of the first that is installed.

    Raises:
        AssertionError: None is.
    """
    path = next(filter(None, map(shutil.which, NAMES)), None)
    assert path, f"install {NAMES[0]}; scripts/test does as root"
    return path
