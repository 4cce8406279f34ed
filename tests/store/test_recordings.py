"""What becomes of a recording, on a real PostgreSQL and real files: sealed, deleted at its date, nothing left over."""

from __future__ import annotations

import asyncio
import os
import wave
from datetime import timedelta
from io import BytesIO
from uuid import uuid4

import asyncpg
import pytest

from dialer import recordings
from dialer.core.model import EndedBy, Outcome
from dialer.core.quick import replace
from dialer.core.recording import Pause, agreed, begun
from dialer.engine.ports import Journal
from dialer.errors import Refused
from dialer.recordings import Keeper
from dialer.sealing import Broken
from dialer.store.pools import Pools
from dialer.store.stores import Stores
from dialer.store.users import Actor
from dialer.tapes import place as place_of
from dialer.tapes import sound, trouble

pytestmark = pytest.mark.postgres

KEY = bytes(range(32))
SOMEBODY = Actor()
TALK_S = 10
SURVEY = {"mode": "preview", "customer": "acme", "team": "one", "trunk": "world", "purpose": "survey"}


class Desk:
    """A keeper with its folders, and conversations to keep."""

    def __init__(self, place, folder):
        self.place, self.spool, self.volume = place, folder / "monitor", folder / "volume"
        self.spool.mkdir()
        self.store = place.stores.recordings
        self.trouble, self.failed = [], []
        self.keeper = self.new_keeper()

    def new_keeper(self, free_bytes=1):
        return Keeper(
            self.store,
            switch="main",
            spool=self.spool,
            volume=self.volume,
            key=KEY,
            free_bytes=free_bytes,
            trouble=self.trouble.append,
            failed=lambda why, count: self.failed.append((why, count)),
        )

    async def begins(self, number="+79001234567", *, told=True):
        """A conversation; with ``told`` its row, as the engine writes it."""
        await self.place.add_contacts(number)
        [sent] = await self.place.dial()
        live = await self.place.talk(sent, await self.place.add_operator(number))
        recording = begun(live, self.place.campaign) if told else None
        await self.place.store.write(Journal(recordings=[recording] if recording else []))
        return live

    async def ends(self, live, talk_s=TALK_S):
        await self.place.end(
            live, Outcome.CONNECTED, after_s=(live.connected_at - self.place.now).total_seconds() + talk_s
        )

    def writes(self, live, seconds=TALK_S + 3.0):
        """What the switch leaves: the callee as 1, the operator as 2, and before the conversation 9."""
        frames = round(seconds * 8000)
        kept = round((TALK_S + recordings.LEAD_S) * 8000)
        path = self.spool / f"{live.id.hex}.raw"
        path.write_bytes(b"\x09\x00\x09\x00" * max(0, frames - kept) + b"\x01\x00\x02\x00" * min(frames, kept))
        return path

    async def round(self, after_s=30.0):
        self.place.now += timedelta(seconds=after_s)
        await self.keeper.round(self.place.now, self.place.now.timestamp())

    async def row(self, live):
        return await self.store.of(live.id)

    def played(self, row, start=0):
        return b"".join(sound(self.volume, row.attempt_id, key=KEY, seed=row.seed, size=row.bytes, start=start))


@pytest.fixture
async def desk(place, tmp_path):
    await place.stores.campaigns.change(place.campaign.id, {"recording": "told"}, actor=SOMEBODY)
    place.campaign = await place.read()
    return Desk(place, tmp_path)


async def stored(desk, **more):
    live = await desk.begins(**more)
    desk.writes(live)
    await desk.ends(live)
    await desk.round()
    return live


async def audit(desk):
    asked = "SELECT action, object, after FROM audit WHERE action LIKE 'recording%' ORDER BY id"
    return [tuple(row) for row in await desk.place.pools.web.fetch(asked)]


async def test_a_conversation_is_sealed_from_connect_to_its_end_and_leaves_the_spool(desk):
    live = await desk.begins()
    raw = desk.writes(live)
    await desk.round()
    assert (await desk.row(live)).state == "recording"  # it goes on
    await desk.ends(live)
    await desk.round()
    row = await desk.row(live)
    assert (row.state, row.duration_ms, row.operator_id) == ("stored", 10_250, live.operator_id)
    assert not raw.exists()
    with wave.open(BytesIO(desk.played(row))) as heard:
        assert (heard.getnchannels(), heard.getframerate(), heard.getsampwidth()) == (2, 8000, 2)
        assert heard.readframes(heard.getnframes()) == b"\x01\x00\x02\x00" * 82_000
    assert desk.played(row, start=70_000) == desk.played(row)[70_000:]
    assert b"\x01\x00\x02\x00\x01\x00\x02\x00" not in place_of(desk.volume, live.id).read_bytes()
    assert desk.trouble[-1] is None


async def test_with_its_seed_the_last_way_into_a_deleted_recording_is_gone(desk):
    live = await stored(desk)
    row = await desk.row(live)
    copy = place_of(desk.volume, live.id).read_bytes()
    await desk.store.delete(live.id, at=desk.place.now, actor=SOMEBODY)
    await desk.round()
    gone = await desk.row(live)
    assert (gone.state, gone.why, gone.seed, gone.removed_at) == ("deleted", "asked", None, desk.place.now)
    assert not place_of(desk.volume, live.id).exists()
    place_of(desk.volume, live.id).write_bytes(copy)
    with pytest.raises(Broken):
        b"".join(sound(desk.volume, live.id, key=KEY, seed=bytes(32), size=row.bytes))
    assert [(action, after["why"]) for action, _, after in await audit(desk)] == [("recording.delete", "asked")]


async def test_each_is_deleted_at_its_campaigns_date_with_its_proof_unless_it_is_held(desk):
    await desk.place.stores.campaigns.change(desk.place.campaign.id, {"recording_days": 7}, actor=SOMEBODY)
    old, held = await stored(desk), await stored(desk, number="+79001234568")
    await desk.store.hold(held.id, "a case at court", actor=SOMEBODY)
    await desk.round(after_s=6 * 86400)
    assert (await desk.row(old)).state == "stored"
    await desk.round(after_s=2 * 86400)
    row = await desk.row(old)
    assert (row.state, row.why, row.removed_at) == ("deleted", "retention", desk.place.now)
    assert (await desk.row(held)).state == "stored"
    proof = [one for one in await audit(desk) if one[0] == "recording.delete"]
    assert [(what, after["why"], after["campaign"]) for _, what, after in proof] == [
        (f"attempt:{old.id}", "retention", desk.place.campaign.id)
    ]
    with pytest.raises(Refused) as refused:
        await desk.store.delete(held.id, at=desk.place.now, actor=SOMEBODY)
    assert refused.value.code == "recording.held"


async def test_who_is_erased_takes_recordings_along_at_once(desk):
    live = await stored(desk)
    goes_on = await desk.begins(number="+79001234569")
    async with Pools.open(desk.place.url, suppression_key=KEY.hex()) as pools:
        for phone in ("+79001234567", "+79001234569"):
            await Stores.of(pools).phones.erase(phone, now=desk.place.now, actor=SOMEBODY)
    assert [((await desk.row(one)).state, (await desk.row(one)).why) for one in (live, goes_on)] == [
        ("deleted", "erasure")
    ] * 2
    raw = desk.writes(goes_on)
    await desk.ends(goes_on)
    await desk.round()
    assert not raw.exists()
    assert not place_of(desk.volume, live.id).exists()


async def test_what_leaves_no_file_has_failed_and_is_told(desk):
    live = await desk.begins()
    await desk.ends(live)
    await desk.round()
    assert (await desk.row(live)).state == "recording"
    await desk.round(after_s=60)
    assert ((await desk.row(live)).state, (await desk.row(live)).why) == ("failed", "no_file")
    assert desk.failed == [("no_file", 1)]
    desk.writes(live)  # it came after all, e.g. from a disk that was away
    await desk.round()
    assert (await desk.row(live)).state == "stored"


async def test_an_empty_file_is_no_recording(desk):
    live = await desk.begins()
    desk.writes(live, seconds=0)
    await desk.ends(live)
    await desk.round()
    assert ((await desk.row(live)).state, (await desk.row(live)).why) == ("failed", "empty")
    assert desk.failed == [("empty", 1)]
    assert not list(desk.spool.iterdir())


async def test_nobody_is_alarmed_by_an_empty_file_of_a_conversation_that_ended_as_it_began(desk):
    """The callee put down before a first packet came: there was nothing to record."""
    live = await desk.begins()
    desk.writes(live, seconds=0)
    await desk.ends(live, talk_s=0.5)
    await desk.round()
    assert ((await desk.row(live)).state, (await desk.row(live)).why) == ("failed", "empty")
    assert desk.failed == []


async def test_a_row_that_a_crash_kept_from_being_written_is_made_late(desk):
    live = await stored(desk, told=False)
    row = await desk.row(live)
    assert (row.state, row.began_at) == ("stored", live.connected_at)


async def test_nobody_who_did_not_agree_is_kept_and_who_agreed_from_then_on(desk):
    await desk.place.stores.campaigns.change(desk.place.campaign.id, {"recording": "consent"}, actor=SOMEBODY)
    desk.place.campaign = await desk.place.read()
    silent = await stored(desk)
    assert await desk.row(silent) is None
    assert not list(desk.spool.iterdir())
    live = await desk.begins(number="+79001234568")
    said = agreed(live, live.connected_at + timedelta(seconds=TALK_S - 4))
    await desk.place.store.write(Journal(recordings=[said]))
    desk.writes(live)
    await desk.ends(live)
    await desk.round()
    assert (await desk.row(live)).duration_ms == 4250


async def test_who_agreed_as_the_call_ended_leaves_nothing_and_holds_up_no_other(desk):
    """The operator noted the consent while the hangup was on its way: by the clock it came after the end."""
    await desk.place.stores.campaigns.change(desk.place.campaign.id, {"recording": "consent"}, actor=SOMEBODY)
    desk.place.campaign = await desk.place.read()
    lives = []
    for number, after_s in (("+79001234567", TALK_S + 2), ("+79001234568", TALK_S - 4)):
        live = await desk.begins(number)
        said = agreed(live, live.connected_at + timedelta(seconds=after_s))
        await desk.place.store.write(Journal(recordings=[said]))
        desk.writes(live)
        await desk.ends(live)
        lives.append(live)
        desk.place.now += timedelta(seconds=5)  # the next base is seen
    await desk.round()
    rows = [await desk.row(live) for live in lives]
    assert [(row.state, row.why) for row in rows] == [("failed", "empty"), ("stored", None)]
    assert not list(desk.spool.iterdir())
    assert desk.failed == []


async def test_a_hold_that_comes_first_keeps_the_recording_and_the_audit_log_says_no_deletion(desk):
    live = await stored(desk)
    async with desk.place.pools.intake.acquire() as other, other.transaction():
        await other.execute("UPDATE recording SET hold = 'court' WHERE attempt_id = $1", live.id)
        asked = asyncio.create_task(desk.store.delete(live.id, at=desk.place.now, actor=SOMEBODY))
        await asyncio.sleep(0.3)
    with pytest.raises(Refused) as refused:
        await asked
    assert refused.value.code == "recording.held"
    assert ((await desk.row(live)).state, await audit(desk)) == ("stored", [])


async def test_of_a_call_that_nobody_saw_end_nothing_from_before_its_begin_is_kept(desk):
    """The service was away when it ended, and missed it a minute later: the file says when that was."""
    live = await desk.begins()
    raw = desk.writes(live)
    over = live.connected_at + timedelta(seconds=TALK_S)
    os.utime(raw, (over.timestamp(), over.timestamp()))
    missed = replace(desk.place.ended(live, Outcome.CONNECTED, after_s=TALK_S + 60), ended_by=EndedBy.LOST)
    await desk.place.store.write(Journal(ended=[missed]))
    await desk.round(after_s=120)
    row = await desk.row(live)
    assert (row.state, row.duration_ms) == ("stored", 10_250)


async def test_pauses_are_kept_and_one_that_goes_on_is_known_to_the_next_engine(desk):
    live = await desk.begins()
    at = live.connected_at + timedelta(seconds=2)
    first = Pause(attempt_id=live.id, paused_at=at, operator_id=live.operator_id)
    await desk.place.store.write(Journal(pauses=[first]))
    assert (await desk.place.store.recover("main")).recordings == [(live.id, at)]
    over = replace(first, resumed_at=at + timedelta(seconds=3))
    for _ in range(2):
        await desk.place.store.write(Journal(pauses=[over]))
    assert (await desk.place.store.recover("main")).recordings == [(live.id, None)]
    assert len((await desk.row(live)).pauses) == 1


async def test_files_that_nobody_knows_are_removed_from_spool_and_volume(desk):
    live = await stored(desk)
    stray = desk.spool / f"{uuid4().hex}.raw"
    stray.write_bytes(b"sound")
    other = desk.spool / "notes.txt"
    other.write_text("not ours")
    left = place_of(desk.volume, uuid4())
    left.parent.mkdir(exist_ok=True)
    left.write_bytes(b"left")
    half = left.with_name("half.rec.part")
    half.write_bytes(b"half")
    await desk.round(after_s=2 * recordings.ORPHANS_S)
    assert [path.exists() for path in (stray, other, left, half)] == [False, True, False, False]
    assert place_of(desk.volume, live.id).exists()


async def test_a_crash_between_sealing_and_its_row_is_made_good(desk, monkeypatch):
    live = await desk.begins()
    raw = desk.writes(live)
    await desk.ends(live)

    async def dies(*_, **__):
        raise RuntimeError("killed")

    monkeypatch.setattr(desk.store, "stored", dies)
    with pytest.raises(RuntimeError):
        await desk.round()
    assert raw.exists()
    monkeypatch.undo()
    desk.keeper = desk.new_keeper()
    await desk.round()
    row = await desk.row(live)
    assert row.state == "stored"
    assert len(desk.played(row)) == row.bytes
    assert not raw.exists()


async def test_a_full_disk_is_said_and_what_is_there_waits(desk, monkeypatch):
    live = await desk.begins()
    raw = desk.writes(live)
    await desk.ends(live)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(recordings.sealing, "seal", full)
    await desk.round()
    assert raw.exists()
    assert (await desk.row(live)).state == "recording"
    monkeypatch.undo()
    desk.keeper = desk.new_keeper(free_bytes=1 << 60)
    await desk.round()
    assert desk.trouble[-1] == "recordings_full"
    assert trouble(None, desk.volume, 1) == "recordings_no_spool"
    assert trouble(desk.spool / "no" / "such", desk.volume, 1) == "recordings_unreachable"


async def test_the_database_lets_no_recording_come_back(desk):
    live = await stored(desk)
    await desk.store.delete(live.id, at=desk.place.now, actor=SOMEBODY)
    with pytest.raises(asyncpg.CheckViolationError):
        await desk.place.pools.web.execute(
            "UPDATE recording SET state = 'stored', why = NULL, deleted_at = NULL, seed = $1", bytes(32)
        )


@pytest.mark.parametrize(
    ("profile", "way", "allowed"),
    [
        ("world", "on", True),
        ("us", "on", False),
        ("us", "told", True),
        ("de", "told", False),
        ("de", "consent", True),
        ("strict", "consent", False),
    ],
)
async def test_a_campaign_records_only_as_its_profile_lets(place, profile, way, allowed):
    row = await place.stores.campaigns.create(
        {**SURVEY, "name": f"{profile} {way}", "profile": profile}, actor=SOMEBODY
    )
    asked = place.stores.campaigns.change(row.id, {"recording": way}, actor=SOMEBODY)
    if allowed:
        assert (await asked).recording == way
        return
    with pytest.raises(Refused) as refused:
        await asked
    assert refused.value.code == "campaign.recording"


async def test_a_profile_bounds_how_long_recordings_are_kept(place):
    row = await place.stores.campaigns.create({**SURVEY, "name": "survey", "profile": "fr"}, actor=SOMEBODY)
    for days in (180, 181):
        asked = place.stores.campaigns.change(row.id, {"recording": "told", "recording_days": days}, actor=SOMEBODY)
        if days == 180:
            assert (await asked).recording_days == days
            continue
        with pytest.raises(Refused) as refused:
            await asked
        assert refused.value.code == "campaign.recording_days"


async def test_whom_a_stricter_law_protects_is_called_and_not_recorded(place):
    """France is content with a notice, Germany asks for consent: by a callee's numbers, and by the customer's country."""
    campaign = await place.add_campaign("survey", profile="fr", purpose="service", attempts_max=20)
    await place.stores.campaigns.change(campaign.id, {"recording": "told"}, actor=SOMEBODY)
    campaign = place.campaign = await place.read(campaign.id)
    zones = {"campaign": campaign, "zones": ("Europe/Paris",)}
    await place.add_contacts("+33612345678", **zones, countries=("FR",))
    await place.add_contacts(("+33612345677", "+4915112345678"), **zones, countries=("DE", "FR"))
    place.now += timedelta(minutes=5)
    claims = (await place.claim(5)).claims
    assert {claim.e164: claim.may_record for claim in claims} == {"+33612345678": True, "+33612345677": False}
    await place.pools.web.execute("UPDATE customer SET country = 'DE' WHERE id = $1", campaign.customer_id)
    campaign = place.campaign = await place.read(campaign.id)
    await place.add_contacts("+33612345679", **{**zones, "campaign": campaign}, countries=("FR",))
    place.now += timedelta(minutes=5)
    await place.store.renew_lease(place.lease)
    assert [claim.may_record for claim in (await place.claim(5)).claims] == [False]
