"""The images and their composition, as far as they can be looked at without Docker."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from dialer.cli import app
from dialer.settings import Settings
from dialer.world import root

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "docker/Dockerfile").read_text().replace("\\\n", " ")
PLAIN_IMAGE = re.compile(r"[a-z]+:[a-z0-9.-]+")


@pytest.fixture
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker/compose.yaml").read_text())
    return found


def instructions(word: str) -> list[str]:
    return re.findall(rf"^{word} +(.*)$", DOCKERFILE, re.MULTILINE)


def test_the_switch_of_the_image_is_the_one_the_tests_run_on() -> None:
    """The same packages from the same Debian as the root folder of the demo and the tests."""
    [install] = re.findall(r"FROM debian:sid-slim AS switch\nRUN .*?--no-install-recommends ([a-z ]+?) +&&", DOCKERFILE)
    assert install.split() == root.PACKAGES.split(",")


def test_images_have_plain_names_and_stages_that_exist(compose: dict[str, Any]) -> None:
    stages = dict(reversed(re.split(" AS ", line)) for line in instructions("FROM"))
    images = [*stages.values(), *(s["image"] for s in compose["services"].values() if "image" in s)]
    assert all(PLAIN_IMAGE.fullmatch(image) for image in images), images
    targets = {s["build"]["target"] for s in compose["services"].values() if "build" in s}
    assert targets == {"switch", "service"} <= set(stages)
    copied_from = set(re.findall(r"COPY --from=(\w+)", DOCKERFILE))
    assert copied_from <= set(stages)


def test_what_is_copied_exists_and_is_let_through() -> None:
    ignored, *let_through = (ROOT / "docker/Dockerfile.dockerignore").read_text().split()
    assert ignored == "*"
    for line in instructions("COPY"):
        if line.startswith("--from="):
            continue
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert f"!{source}" in let_through, source


def test_every_part_names_only_parts_and_volumes_that_exist(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == {"postgres", "configure", "switch", "service"}
    used = {volume.split(":")[0] for service in services.values() for volume in service.get("volumes", ())}
    assert used == set(compose["volumes"])
    for service in services.values():
        for name, how in service.get("depends_on", {}).items():
            assert how["condition"] != "service_healthy" or "healthcheck" in services[name]
    for name in ("configure", "switch"):
        build = services[name]["build"]
        assert (ROOT / "docker" / build["context"] / build["dockerfile"]).exists()


def test_the_service_is_given_settings_it_knows_and_files_that_are_written(compose: dict[str, Any]) -> None:
    environment = compose["services"]["service"]["environment"]
    known = {f"DIALER_{name.upper()}" for name in Settings.model_fields}
    assert set(environment) <= known
    written = (ROOT / "dialer/switchconfig.py").read_text()
    for name in ("EVENTS", "COMMANDS"):
        path = Path(environment[f"DIALER_AMI_{name}_SECRET_FILE"])
        assert path.parent == Path("/switch/secrets")
        assert f'"{path.name}"' in written


def test_the_switch_is_configured_by_a_command_we_have(compose: dict[str, Any]) -> None:
    shell, _, script = compose["services"]["configure"]["command"]
    words = shlex.split(script.split("||")[1])
    assert (shell, words[:2]) == ("sh", ["dialer", "switch-config"])
    command = typer.main.get_command(app)
    options = {name for one in command.commands["switch-config"].params for name in one.opts}  # type: ignore[attr-defined]  # a group
    assert {word for word in words if word.startswith("--")} <= options
    assert {word.strip("$") for word in words if word.startswith("$$")} == set(
        compose["services"]["configure"]["environment"]
    )
