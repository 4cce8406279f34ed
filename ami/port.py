"""The one interface of this room: a supervised connection to a switch.

``ami.link.Link`` is the real one (over panoramisk, also against ``ami.simulator.server``);
``ami.simulator.inprocess.SimLink`` the same without a socket, for simulated time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio

    from ami.actions import Action
    from ami.errors import AmiError
    from ami.events import Event, SwitchSnapshot


class SwitchLink(Protocol):
    """Two AMI sessions (events, commands) of one switch, supervised."""

    events: asyncio.Queue[Event]
    """Everything that happens, in order, bounded. LinkUp and LinkDown are in it."""

    @property
    def trouble(self) -> AmiError | None:
        """Why there is no connection right now, for people; None while the link is up."""

    async def run(self) -> None:
        """Connect, log in, keep alive, reconnect with jittered backoff; until cancelled.

        Raises:
            LoginRefused: at the first login.
            SwitchUnfit: version or contexts are wrong.
        """

    def send(self, action: Action) -> asyncio.Future[None]:
        """Write an action now, in this call, before returning (no await in between).

        The future ends with None, or ActionRefused, or Uncertain after its own deadline or a lost link.

        Raises:
            NotConnected: there is no session; nothing was written.
            BadAction: a value is not allowed; nothing was written.
        """

    def ack_s_p95(self) -> float:
        """95th percentile of the seconds between a written action and its answer, lately; 0 when unknown."""

    async def snapshot(self) -> SwitchSnapshot:
        """CoreStatus, CoreSettings and CoreShowChannels."""

    async def stored_keys(self, family: str) -> dict[str, str]:
        """Entries of an AstDB family (DBGetTree): key without family -> value."""

    async def forget_key(self, family: str, key: str) -> None:
        """Delete one AstDB entry, after it is safe elsewhere."""
