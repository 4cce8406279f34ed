"""The second factor of a login."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from dialer.web.schemas.common import NO_NUL, Answer, Ask

#: Roles an admin may demand a second factor of; operators share a floor, and programs have tokens.
FactorRole = Literal["supervisor", "base_manager", "admin", "auditor", "customer"]
Code = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=NO_NUL)]


class PasswordAsk(Ask):
    """Who sets up a second factor shows the password again."""

    password: Annotated[str, StringConstraints(min_length=1, max_length=256)]


class PasswordChange(Ask):
    """The present password and the one from now on."""

    old: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    new: Annotated[str, StringConstraints(min_length=12, max_length=256)]


class CodeAsk(Ask):
    """Six digits of the app; where one is set up already, a recovery code does too."""

    code: Code


class SecondFactorBegun(Answer):
    """A secret for an authenticator app, shown this once.

    ``picture`` is the QR code of ``link`` as an SVG path, ``side`` its modules along an edge.
    """

    secret: str
    link: str
    picture: str
    side: int


class RecoveryCodes(Answer):
    """Each lets its user in once without the app; shown this once."""

    codes: list[str]


class SecondFactorRolesAsk(Ask):
    """Roles that must have a second factor."""

    roles: Annotated[list[FactorRole], Field(max_length=5)]


class SecondFactorRoles(Answer):
    """Roles that must have a second factor."""

    roles: list[FactorRole]
