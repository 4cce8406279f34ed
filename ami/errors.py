"""Errors of the AMI room.

AmiError
├── BadAction            a value that must never reach AMI; nothing was written
├── LinkError
│   ├── NotConnected     there is no session; nothing was written
│   ├── Uncertain        written, and the link was lost or the deadline passed before an answer
│   ├── LoginRefused     wrong user or secret
│   ├── LoginInUse       somebody else is logged in as this user
│   └── Unreachable      nothing listens there
├── ActionRefused        Asterisk answered ``Response: Error``
└── SwitchUnfit          version too old, context missing, dialplan of another version
"""

from __future__ import annotations


class AmiError(Exception):
    """Anything that went wrong between us and Asterisk. ``code`` is stable, ``remedy`` says what to do."""

    code = "ami"
    remedy = ""


class BadAction(AmiError):
    """A value that must never reach AMI; nothing was written."""

    code = "ami.bad_action"


class LinkError(AmiError):
    """The session failed us."""

    code = "ami.link"


class NotConnected(LinkError):
    """There is no session; nothing was written."""

    code = "ami.not_connected"


class Uncertain(LinkError):
    """Written, and no answer came: it may or may not have happened. Never sent again."""

    code = "ami.uncertain"


class LoginRefused(LinkError):
    """Asterisk refused user or secret."""

    code = "ami.login_refused"
    remedy = "Compare the secret in the settings with manager.conf on the switch; see `dialer doctor`."


class LoginInUse(LinkError):
    """Each user may be logged in once, and somebody is: another engine, which runs, is frozen, or is cut off."""

    code = "ami.login_in_use"
    remedy = "Stop the other engine where it runs; as soon as its sessions end, this one takes over by itself."


class Unreachable(LinkError):
    """Nothing answers at the address of the switch."""

    code = "ami.unreachable"
    remedy = "Check that Asterisk runs and that AMI is enabled on this address and port."


class ActionRefused(AmiError):
    """Asterisk answered with an error; its message is kept."""

    code = "ami.refused"


class SwitchUnfit(AmiError):
    """This Asterisk must not dial: too old, or its dialplan is not ours."""

    code = "ami.switch_unfit"
