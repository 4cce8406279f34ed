"""Recordings while they are made: which calls the switch is to record, from when on they are kept, and their pauses.

The switch writes the file by itself, from the answer on; that it cannot delays and ends no call. What becomes of the
file is for the keeper of recordings (``dialer.recordings``), who also says when none can be kept.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ami.errors import AmiError
from dialer.core.model import OperatorState
from dialer.core.recording import KEPT, Pause, Tape, Ways, agreed, begun
from dialer.errors import Refused

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from dialer.core.floor import Floor
    from dialer.core.model import Campaign, Claim, LiveAttempt
    from dialer.engine.journal import Writer
    from dialer.engine.ports import Clock, OperatorView, Recovered
    from dialer.engine.switch import Switch

#: Before the keeper has looked, nobody knows whether recordings can be kept.
UNCHECKED = "recordings_unchecked"


@dataclass(slots=True)
class Reel:
    """A call that the switch records; ``turn`` is held by whoever asks the switch for silence or sound."""

    tape: Tape | None = None
    paused_at: datetime | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Tapes(ABC):
    """The part of ``Engine`` that is about recordings; the engine has what is declared here.

    Attributes:
        recording_trouble: Why recordings cannot be kept, a stable word; None when they can.
    """

    floor: Floor
    _switch: Switch
    _clock: Clock
    writer: Writer

    def __init__(self) -> None:
        self.recording_trouble: str | None = UNCHECKED
        self._reels: dict[UUID, Reel] = {}

    @abstractmethod
    def _alarm(self, word: str, about: str) -> None:
        """Somebody should know."""

    @abstractmethod
    def _bump(self) -> None:
        """What is shown has changed."""

    @abstractmethod
    def operator(self, operator_id: int) -> OperatorView | None:
        """One operator's state, None when no shift is open."""

    def recordings_kept(self, trouble: str | None) -> None:
        """The keeper has looked: recordings can be kept, or why they cannot."""
        before, self.recording_trouble = self.recording_trouble, trouble
        wanted = any(campaign.recording != Ways.OFF for campaign in self.floor.campaigns.values())
        if trouble is not None and trouble != before and wanted:
            self._alarm(trouble, "")
        if trouble != before:
            self._bump()

    def recordings_failed(self, why: str, count: int) -> None:
        """Recordings came to nothing."""
        self._alarm("recordings_failed", f"{why}: {count}")

    def held_back(self, campaign: Campaign) -> str | None:
        """Why this campaign starts no calls although others do: it records, and cannot, or nobody has looked yet."""
        if campaign.recording == Ways.OFF:
            return None
        return self.recording_trouble if campaign.recording_stops or self.recording_trouble == UNCHECKED else None

    def tape_of(self, attempt_id: UUID | None) -> Tape | None:
        """How a conversation is recorded now; None: it is not."""
        reel = self._reels.get(attempt_id) if attempt_id is not None else None
        return reel.tape if reel is not None else None

    def _to_record(self, claim: Claim, campaign: Campaign) -> bool:
        """Whether the switch is to record this call."""
        wanted = campaign.recording != Ways.OFF and claim.may_record and self.recording_trouble is None
        if wanted:
            self._reels[claim.attempt_id] = Reel()
        return wanted

    def _taped(self, attempt: LiveAttempt) -> None:
        """A recorded call has moved: its recording begins with the conversation, or waits for the callee's word."""
        reel = self._reels.get(attempt.id)
        campaign = self.floor.campaigns.get(attempt.campaign_id)
        if reel is None or reel.tape is not None or attempt.connected_at is None or campaign is None:
            return
        recording = begun(attempt, campaign)
        if recording is not None:
            reel.tape = Tape.TOLD if campaign.recording == Ways.TOLD else Tape.ON
            self.writer.recorded(recording)
            return
        self._switch.mute_soon(attempt.id)
        if campaign.recording == Ways.OFF:  # since it was dialled
            del self._reels[attempt.id]
        else:
            reel.tape = Tape.ASK

    def _take_over(self, recovered: Recovered) -> None:
        """What an earlier engine recorded goes on, paused or not."""
        for attempt_id, paused_at in recovered.recordings:
            self._reels[attempt_id] = Reel(Tape.PAUSED if paused_at else Tape.ON, paused_at)
        for attempt in recovered.attempts:
            campaign = self.floor.campaigns.get(attempt.campaign_id)
            records = campaign is not None and campaign.recording != Ways.OFF and not attempt.came_in
            if records and attempt.id not in self._reels:
                self._reels[attempt.id] = Reel()
                self._taped(attempt)

    async def pause_recording(self, operator_id: int) -> OperatorView:
        """No sound is kept until it is resumed; that it is paused already is fine.

        Raises:
            Refused: ``recording.none``, ``recording.not_switched``.
        """
        attempt, reel = self._talk_of(operator_id)
        async with reel.turn:
            if reel.tape in KEPT:
                await self._mute(attempt.id, reel, silent=True)
                reel.tape, reel.paused_at = Tape.PAUSED, self._clock.now()
                self.writer.recording_paused(
                    Pause(attempt_id=attempt.id, paused_at=reel.paused_at, operator_id=operator_id)
                )
                self._bump()
        return self._seen(operator_id)

    async def resume_recording(self, operator_id: int) -> OperatorView:
        """Keep what is said from now on; that it is kept already is fine.

        Raises:
            Refused: ``recording.none``, ``recording.not_switched``.
        """
        attempt, reel = self._talk_of(operator_id)
        async with reel.turn:
            if reel.tape not in KEPT:
                asked, paused_at = reel.tape is Tape.ASK, reel.paused_at
                await self._mute(attempt.id, reel, silent=False)
                reel.tape, reel.paused_at = Tape.ON, None
                now = self._clock.now()
                if asked:
                    self.writer.recorded(agreed(attempt, now))
                elif paused_at is not None:
                    over = Pause(attempt_id=attempt.id, paused_at=paused_at, operator_id=operator_id, resumed_at=now)
                    self.writer.recording_paused(over)
                self._bump()
        return self._seen(operator_id)

    def _talk_of(self, operator_id: int) -> tuple[LiveAttempt, Reel]:
        op = self.floor.operators.get(operator_id)
        attempt = self.floor.attempts.get(op.live.attempt_id) if op is not None and op.live.attempt_id else None
        reel = self._reels.get(attempt.id) if attempt is not None else None
        talks = op is not None and op.live.state is OperatorState.TALKING
        if not talks or attempt is None or reel is None or reel.tape is None:
            raise _none()
        return attempt, reel

    async def _mute(self, attempt_id: UUID, reel: Reel, *, silent: bool) -> None:
        try:
            await self._switch.mute(attempt_id, silent=silent)
        except AmiError as error:
            raise Refused(
                "recording.not_switched", f"The switch did not do it: {error}.", remedy="Try again in a moment."
            ) from error
        if self._reels.get(attempt_id) is not reel:  # the conversation has ended meanwhile
            raise _none()

    def _seen(self, operator_id: int) -> OperatorView:
        view = self.operator(operator_id)
        if view is None:
            raise Refused("operator.no_shift", "Start your shift first.")
        return view


def _none() -> Refused:
    return Refused("recording.none", "No conversation of yours is recorded now.")
