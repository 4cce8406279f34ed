"""Settings of the service: environment (``DIALER_…``), an optional TOML file, secrets from files of their own.

Every name below is a variable with the prefix ``DIALER_``, e.g. ``DIALER_HTTP_PORT``. ``DIALER_CONFIG`` names a TOML
file with the same names in lower case; the environment wins over it. A secret is better given as a file
(``DIALER_AMI_COMMANDS_SECRET_FILE``): what is in the environment can be read by whoever sees the process.
"""

from __future__ import annotations

import inspect
import os
import re
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from dialer.errors import Misconfigured

#: Settings that may be given as ``<NAME>_FILE`` instead.
_FROM_FILES = ("database_url", "ami_events_secret", "ami_commands_secret", "suppression_key", "smtp_secret")


def _data_dir() -> Path:
    """Where the service keeps its own files when nothing is said: the system's place for root, else the user's."""
    return Path("/var/lib/dialer") if os.geteuid() == 0 else Path.home() / ".local" / "share" / "dialer"


class Settings(BaseSettings):
    """What the service needs to know before it starts.

    Attributes:
        database_url: ``postgresql://…``; without it a PostgreSQL of our own runs in ``data_dir``.
        data_dir: Folder of files that must survive a restart.
        switch: Name of this Asterisk in leases, attempts and teams.
        ami_host: Where Asterisk's manager interface listens; best on loopback.
        ami_port: Its port.
        ami_events_user: Manager user that only reads events.
        ami_events_secret: Its password.
        ami_commands_user: Manager user that only writes commands.
        ami_commands_secret: Its password.
        suppression_key: 64 hexadecimal digits; erased numbers are known again by it. Keep it: without it they are not.
        seats_file: The pool of seats, from ``dialer switch-config``; without it there are no phones in the browser.
        sounds_dir: Asterisk's folder of sounds, where recorded offers are put; without it they are not played.
        recordings_spool: Asterisk's folder of recordings, ``<spool>/monitor``; without it nothing is recorded.
        recordings_dir: Volume on which recordings are kept, sealed; by default in ``data_dir``.
        recordings_free_mb: With less free space than this on either of them nothing new is recorded.
        sip_ws_port: Where Asterisk takes the SIP of browser phones, on ``ami_host``.
        sip_address: ``host:port`` that desk phones register at; shown to whoever sets one up.
        http_host: Address the pages and the API listen on.
        http_port: Their port; 0 takes any that is free.
        public_url: How browsers reach us, if not directly, e.g. ``https://dialer.example``; https makes cookies Secure.
        webhook_hosts: ``host:port`` of receivers, separated by commas, that are allowed by http and in the own network.
        smtp_host: Mail server that takes letters; without one they wait. Needs ``public_url``, which letters link to.
        smtp_port: Its port.
        smtp_tls: ``starttls``, ``tls`` from the first byte, or ``none`` (then nothing logs in).
        smtp_user: Login there; empty: none is needed.
        smtp_secret: Its password.
        smtp_ca: Certificate authority of a server with a certificate of one's own.
        smtp_from: In whose name reports go by mail; without it ``dialer`` at the host of ``public_url``.
        log_level: ``debug``, ``info``, ``warning`` or ``error``.
        log_format: ``auto`` is console on a terminal, else JSON lines.
    """

    model_config = SettingsConfigDict(env_prefix="DIALER_", extra="forbid", env_ignore_empty=True)

    database_url: str | None = Field(default=None, repr=False)
    database_url_file: Path | None = None
    data_dir: Path = Field(default_factory=_data_dir)
    switch: str = Field(default="main", pattern=r"^[a-z0-9_-]{1,32}$")
    ami_host: str = "127.0.0.1"
    ami_port: int = Field(default=5038, ge=1, le=65535)
    ami_events_user: str = "dialer-events"
    ami_events_secret: SecretStr = SecretStr("")
    ami_events_secret_file: Path | None = None
    ami_commands_user: str = "dialer-commands"
    ami_commands_secret: SecretStr = SecretStr("")
    ami_commands_secret_file: Path | None = None
    suppression_key: SecretStr = SecretStr("")
    suppression_key_file: Path | None = None
    seats_file: Path | None = None
    sounds_dir: Path | None = None
    recordings_spool: Path | None = None
    recordings_dir: Path | None = None
    recordings_free_mb: int = Field(default=1024, ge=1, le=10_000_000)
    sip_ws_port: int = Field(default=8088, ge=1, le=65535)
    sip_address: str = Field(default="127.0.0.1:5060", pattern=r"^[A-Za-z0-9.:\[\]-]{1,80}$")
    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8080, ge=0, le=65535)
    public_url: str | None = None
    webhook_hosts: str = Field(default="", pattern=r"^([A-Za-z0-9.\-]+:[0-9]{1,5}(,|$))*$")
    smtp_host: str | None = Field(default=None, pattern=r"^[A-Za-z0-9.:-]{1,253}$")
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_tls: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: str = Field(default="", pattern=r"^[^\x00-\x1f\x7f]{0,254}$")
    smtp_secret: SecretStr = SecretStr("")
    smtp_secret_file: Path | None = None
    smtp_ca: Path | None = None
    smtp_from: str | None = Field(default=None, pattern=r"^[^\s@<>,;]{1,64}@[A-Za-z0-9.-]{1,189}$")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "json", "console"] = "auto"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over the environment, the environment over the file."""
        del dotenv_settings, file_secret_settings
        path = os.environ.get("DIALER_CONFIG")
        file = (TomlConfigSettingsSource(settings_cls, Path(path)),) if path else ()
        return (init_settings, env_settings, *file)

    @field_validator("public_url")
    @classmethod
    def _is_an_origin(cls, url: str | None) -> str | None:
        """Keep scheme, host and port only: that is what a browser sends as Origin."""
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            raise ValueError("must look like https://dialer.example")
        return f"{parts.scheme}://{parts.netloc}"

    @model_validator(mode="after")
    def _read_secret_files(self) -> Self:
        """Take each secret from its file, if one is named."""
        for name in _FROM_FILES:
            path: Path | None = getattr(self, f"{name}_file")
            if path is None:
                continue
            try:
                text = path.read_text().strip()
            except OSError as error:
                raise ValueError(f"{name}_file {path}: {error.strerror}") from error
            object.__setattr__(self, name, text if name == "database_url" else SecretStr(text))
        return self

    @model_validator(mode="after")
    def _key_is_long(self) -> Self:
        """A short key is no key."""
        if not re.fullmatch(r"([0-9a-f]{64})?", self.suppression_key.get_secret_value()):
            raise ValueError("suppression_key must be 64 hexadecimal digits; make some with `openssl rand -hex 32`")
        return self

    @model_validator(mode="after")
    def _letters_can_be_answered(self) -> Self:
        """A letter has a link to get no more of them, and no password goes over an open line."""
        if self.smtp_host and not self.public_url:
            raise ValueError("smtp_host needs public_url: letters link to it")
        if self.smtp_tls == "none" and self.smtp_user:
            raise ValueError("smtp_tls none sends no password: unset smtp_user, or use starttls")
        return self

    @property
    def origin(self) -> str:
        """How people reach us."""
        return self.public_url or f"http://{self.http_host}:{self.http_port}"

    @property
    def public_name(self) -> str:
        """The host of that."""
        return urlsplit(self.origin).hostname or "localhost"

    @property
    def mail_from(self) -> str:
        """In whose name reports go by mail."""
        return self.smtp_from or f"dialer@{self.public_name}"

    @property
    def recordings(self) -> Path:
        """Where recordings are kept."""
        return self.recordings_dir or self.data_dir / "recordings"

    @property
    def https(self) -> bool:
        """Whether browsers reach us over https only."""
        return bool(self.public_url and self.public_url.startswith("https:"))

    @property
    def named_hosts(self) -> tuple[str, ...]:
        """Receivers of webhooks that may be in the own network."""
        return tuple(host for host in self.webhook_hosts.split(",") if host)

    def secrets(self) -> tuple[str, ...]:
        """Every value that must never be seen in a log."""
        url_password = urlsplit(self.database_url or "").password or ""
        held = (self.ami_events_secret, self.ami_commands_secret, self.suppression_key, self.smtp_secret)
        found = (*(secret.get_secret_value() for secret in held), url_password)
        return tuple(value for value in found if value)


def load() -> Settings:
    """Read the settings.

    Raises:
        Misconfigured: ``settings.invalid`` names each setting that is wrong, never its value.
    """
    config = os.environ.get("DIALER_CONFIG")
    if config and not Path(config).is_file():
        raise Misconfigured(
            "settings.no_file", f"there is no settings file {config}", remedy="Correct or unset DIALER_CONFIG."
        )
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(f"{_variable(item['loc'])}: {item['msg']}" for item in error.errors(include_input=False))
        raise Misconfigured("settings.invalid", wrong, remedy="Correct these variables and start again.") from None
    except ValueError as error:  # the TOML itself
        raise Misconfigured("settings.invalid", f"{config}: {error}", remedy="Correct the settings file.") from None


def _variable(loc: tuple[int | str, ...]) -> str:
    """``("http_port",)`` -> ``DIALER_HTTP_PORT``."""
    return "DIALER_" + "_".join(str(part) for part in loc).upper() if loc else "settings"


def described() -> dict[str, str]:
    """What each variable is for, by its name; those that may be given as a file say so."""
    lines = inspect.cleandoc(Settings.__doc__ or "").partition("Attributes:\n")[2].splitlines()
    found = dict(line.strip().split(": ", 1) for line in lines)
    return {
        f"DIALER_{name.upper()}" + ("[_FILE]" if name in _FROM_FILES else ""): text.replace("``", "")
        for name, text in found.items()
    }
