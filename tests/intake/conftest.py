"""Intake against a real PostgreSQL."""

from __future__ import annotations

from tests.store.conftest import *  # noqa: F403 - the fixtures of a real PostgreSQL
