"""Loading a base into a real PostgreSQL: all or nothing, once, and back again while nobody was called."""

from __future__ import annotations

import asyncio
import csv
import io
from contextlib import asynccontextmanager

import asyncpg
import pytest

from dialer import intake
from dialer.core.model import Outcome
from dialer.errors import NotFound, Refused
from dialer.intake import workers
from dialer.intake.folder import FILE
from dialer.store import bases
from dialer.store.pools import Pools
from dialer.store.stores import Stores
from dialer.store.users import Actor

pytestmark = pytest.mark.postgres

ME = Actor()
HEAD = "name,phone,city\n"
#: Numbers reserved for drama.
ANN, BOB, CY, DEE = (f"+1202555010{n}" for n in range(1, 5))


@pytest.fixture
def desk(place, tmp_path):
    return Desk(place, tmp_path)


class Desk:
    """Somebody who loads files into a campaign."""

    def __init__(self, place, folder):
        self.place = place
        self.folder = folder

    async def put(self, text, **chosen):
        """A file lies in the folder; how it would be read."""
        (self.folder / FILE).write_bytes(text.encode() if isinstance(text, str) else text)
        found = await intake.look(self.folder, chosen)
        return intake.Plan.of({**found["plan"], **chosen})

    async def rehearse(self, text, *, campaign=None, **chosen):
        plan = await self.put(text, **chosen)
        return await intake.rehearse(
            self.place.stores, self.folder, plan, campaign_id=(campaign or self.place.campaign).id
        )

    async def load(self, text, *, campaign=None, **chosen):
        plan = await self.put(text, **chosen)
        return await intake.load_file(
            self.place.stores,
            self.folder,
            plan,
            campaign_id=(campaign or self.place.campaign).id,
            name="b",
            source="test",
            actor=ME,
        )

    async def people(self):
        """Name, numbers and attributes of all contacts."""
        rows = await self.place.pools.web.fetch(
            "SELECT c.name, c.attributes, array_agg(p.e164 ORDER BY cp.place) AS phones FROM contact c"
            " JOIN contact_phone cp ON cp.contact_id = c.id JOIN phone p ON p.id = cp.phone_id GROUP BY c.id ORDER BY c.id"
        )
        return [(row["name"], row["phones"], row["attributes"]) for row in rows]


FOUR = f"{HEAD}Ann,{ANN},Salem\nBob,{BOB},Boston\nBad,12,Nowhere\nBob again,{BOB},Salem\n"


async def test_a_rehearsal_gives_every_row_its_verdict_and_writes_nothing(desk, place):
    before = await place.snapshot()
    report = await desk.rehearse(FOUR)
    assert (report.rows, report.accepted, report.reasons) == (4, 2, {"bad_phone": 1, "repeated": 1})
    assert [(row.line, row.reason) for row in report.rejected] == [(4, "bad_phone"), (5, "repeated")]
    assert await place.snapshot() == before
    assert await place.count("base") == 0


async def test_what_was_rehearsed_is_what_is_loaded(desk, place):
    rehearsed, loaded = await desk.rehearse(FOUR), await desk.load(FOUR)
    base = loaded.base
    assert (base.rows_in, base.rows_loaded, base.rows_rejected) == (4, rehearsed.accepted, 2)
    assert (loaded.report.reasons, loaded.repeated) == (rehearsed.reasons, False)
    assert await desk.people() == [("Ann", [ANN], {"city": "Salem"}), ("Bob", [BOB], {"city": "Boston"})]


async def test_letters_that_mean_something_to_copy_arrive_as_they_are(desk):
    text = io.StringIO()
    name = 'Back\\slash \\N \\t "quoted" {brace}'
    csv.writer(text).writerows([["name", "phone", "note"], [name, ANN, "tab\tand\nline \\.\n"], ["\\.", BOB, "\\N"]])
    await desk.load(text.getvalue())
    assert await desk.people() == [(name, [ANN], {"note": "tab\tand\nline \\."}), ("\\.", [BOB], {"note": "\\N"})]


async def test_numbers_the_campaign_has_are_skipped_kept_or_their_contact_is_updated(desk):
    await desk.load(f"name,phone,city,age\nAnn,{ANN},Salem,30\n")
    again = f"{HEAD}Anna,{ANN},Boston\nCy,{CY},\n"
    skipped = await desk.rehearse(again)
    assert (skipped.accepted, skipped.reasons) == (1, {"in_campaign": 1})
    assert [(row.line, row.reason) for row in skipped.rejected] == [(2, "in_campaign")]
    kept = await desk.rehearse(again, in_campaign="keep")
    assert (kept.accepted, kept.reasons) == (2, {})
    updated = await desk.load(again, in_campaign="update")
    assert (updated.base.rows_in, updated.base.rows_loaded, updated.base.rows_updated) == (2, 1, 1)
    assert await desk.people() == [("Anna", [ANN], {"city": "Boston", "age": "30"}), ("Cy", [CY], {})]
    await desk.place.stores.bases.undo(updated.base.id, actor=ME)
    assert await desk.people() == [("Ann", [ANN], {"city": "Salem", "age": "30"})]


async def test_numbers_of_the_customers_other_campaigns_are_kept_unless_they_are_to_be_skipped(desk, place):
    other = await place.add_campaign("other")
    await desk.load(f"{HEAD}Ann,{ANN},Salem\n", campaign=other)
    text = f"{HEAD}Ann,{ANN},Salem\nBob,{BOB},Salem\n"
    assert (await desk.rehearse(text)).accepted == 2
    assert (await desk.rehearse(text, elsewhere="skip")).reasons == {"elsewhere": 1}
    assert (await desk.load(text)).base.rows_loaded == 2


async def test_somebody_elses_customers_are_nobodys_business(desk, place):
    other = await place.add_campaign("other", customer="rival")
    await desk.load(f"{HEAD}Ann,{ANN},Salem\n", campaign=other)
    assert (await desk.rehearse(f"{HEAD}Ann,{ANN},Salem\n", elsewhere="skip")).accepted == 1


async def test_in_the_file_the_first_the_last_or_every_row_of_a_number_counts(desk):
    text = f"{HEAD}One,{ANN},\nTwo,{ANN},\n"
    first = await desk.rehearse(text)
    assert [(row.line, row.reason) for row in first.rejected] == [(3, "repeated")]
    last = await desk.rehearse(text, in_file="update")
    assert [(row.line, row.reason) for row in last.rejected] == [(2, "repeated")]
    assert (await desk.load(text, in_file="keep")).base.rows_loaded == 2


async def test_a_row_is_rejected_only_if_all_its_numbers_are_forbidden(desk, place):
    await place.stores.do_not_call.add(phone=ANN, scope="global", actor=ME)
    report = await desk.rehearse(f"name,phone,phone2\nAnn,{ANN},\nBoth,{ANN},{BOB}\n", in_file="keep")
    assert (report.accepted, report.reasons) == (1, {"do_not_call": 1})


async def test_the_same_file_is_loaded_again_only_when_asked(desk):
    first = await desk.load(FOUR)
    second = await desk.load(FOUR)
    assert (second.repeated, second.base.id) == (True, first.base.id)
    third = await desk.load(FOUR, again=True, in_campaign="keep")
    assert (third.repeated, third.base.rows_loaded) == (False, 2)


async def test_two_loads_of_one_file_at_once_make_one_base(desk, place):
    both = await asyncio.gather(*(intake.load(place.stores, campaign_id=place.campaign.id, name="b", source="",
                                              data=FOUR.encode(), actor=ME) for _ in range(2)))  # fmt: skip
    assert sorted(loaded.repeated for loaded in both) == [False, True]
    assert (await place.count("base"), await place.count("contact")) == (1, 2)


async def test_two_files_with_the_same_people_at_once_make_nobody_a_contact_twice(desk, place):
    numbers = [f"+1202555{n:04}" for n in range(100, 200)]
    files = [HEAD + "".join(f"{mark}{n},{number},\n" for n, number in enumerate(numbers)) for mark in "ab"]
    both = await asyncio.gather(*(intake.load(place.stores, campaign_id=place.campaign.id, name=f"b{n}", source="",
                                              data=text.encode(), actor=ME) for n, text in enumerate(files)))  # fmt: skip
    assert sorted(loaded.base.rows_loaded for loaded in both) == [0, 100]
    assert await place.count("contact") == 100


async def test_a_load_that_is_killed_leaves_no_base_and_the_same_file_loads_afterwards(desk, place, monkeypatch):
    """The connection dies between two pieces of the one transaction."""
    monkeypatch.setattr(bases, "CHUNK_ROWS", 1)
    admin = await asyncpg.connect(place.url.replace("dialer@", "postgres@"))
    plan = await desk.put(FOUR)

    def kill(what, done, of):
        if what == "contacts":
            asyncio.get_running_loop().create_task(
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'dialer intake'"
                )
            )

    async def slow(_seconds):
        await original(0.2)

    original = asyncio.sleep
    monkeypatch.setattr(bases.asyncio, "sleep", slow)
    loading = {"campaign_id": place.campaign.id, "name": "b", "source": "", "actor": ME}
    with pytest.raises(Exception, match=r"connection|terminat"):
        await intake.load_file(place.stores, desk.folder, plan, progress=kill, **loading)
    monkeypatch.setattr(bases.asyncio, "sleep", original)
    await admin.close()
    assert [await place.count(table) for table in ("base", "lane", "contact", "contact_phone")] == [0, 0, 0, 0]
    assert (await intake.load_file(place.stores, desk.folder, plan, **loading)).base.rows_loaded == 2


async def test_a_load_is_undone_while_nobody_was_called_and_the_file_loads_again(desk, place):
    base = (await desk.load(FOUR)).base
    gone = await place.stores.bases.undo(base.id, actor=ME)
    assert (gone.rows_withdrawn, gone.undone_at is not None) == (2, True)
    assert (await place.count("contact"), await place.count("contact_phone")) == (0, 0)
    with pytest.raises(Refused) as refused:
        await place.stores.bases.undo(base.id, actor=ME)
    assert refused.value.code == "base.undone"
    assert (await desk.load(FOUR)).repeated is False
    assert [claim.e164 for claim in (await place.claim(2)).claims] == [ANN, BOB]


async def test_after_the_first_call_the_rest_is_withdrawn_and_the_ledger_stays(desk, place):
    base = (await desk.load(f"{HEAD}Ann,{ANN},\nBob,{BOB},\nCy,{CY},\n")).base
    [attempt] = await place.dial()
    for _ in range(2):  # while it rings, and after it
        with pytest.raises(Refused) as refused:
            await place.stores.bases.undo(base.id, actor=ME)
        assert (refused.value.code, refused.value.data["called"]) == ("base.touched", 1)
        assert await place.count("contact") == 3
        if await place.count("attempt_live"):
            await place.end(attempt, Outcome.BUSY)
    left = await place.stores.bases.withdraw(base.id, actor=ME)
    assert (left.rows_loaded, left.rows_withdrawn, left.undone_at) == (3, 2, None)
    assert [name for name, *_ in await desk.people()] == ["Ann"]
    assert await place.count("attempt") == 1


async def test_a_claim_and_an_undo_at_once_never_both_win(desk, place):
    for round_ in range(5):
        base = (await desk.load(f"{HEAD}Ann{round_},{ANN},\n")).base
        assert await place.store.renew_lease(place.lease)
        claimed, undone = await asyncio.gather(
            place.claim(), place.stores.bases.undo(base.id, actor=ME), return_exceptions=True
        )
        assert bool(claimed.claims) == isinstance(undone, Refused), (claimed, undone)
        if claimed.claims:
            return


@pytest.fixture
def erasing(url):
    """Stores that may erase."""

    @asynccontextmanager
    async def opened():
        async with Pools.open(url, suppression_key="5e" * 32) as pools:
            yield Stores.of(pools).phones

    return opened


@pytest.mark.parametrize("policy", ["keep", "update"])
async def test_a_number_erased_before_its_rows_are_written_comes_without_a_person(
    desk, place, erasing, monkeypatch, policy
):
    """Its id was looked up already."""
    await desk.load(f"{HEAD}Ann,{ANN},Salem\n")
    judge = bases._judge

    async def erase_first(*given):
        judged = await judge(*given)
        async with erasing() as phones:
            await phones.erase(ANN, now=place.now, actor=ME)
        return judged

    monkeypatch.setattr(bases, "_judge", erase_first)
    await desk.load(f"{HEAD}Anna,{ANN},Salem\nBob,{BOB},Boston\n", in_campaign=policy)
    people = await desk.people()
    assert [(name, city) for name, _, city in people if name or city] == [("Bob", {"city": "Boston"})]
    assert await place.pools.web.fetchval("SELECT count(*) FROM contact WHERE state = 'open'") == 1


async def test_an_erasure_waits_for_a_load_that_is_about_to_end_and_finds_its_contacts(
    desk, place, erasing, monkeypatch
):
    note = bases.note
    waited = []

    async def slowly(*given, **values):
        erasing_now = asyncio.create_task(erase())
        await asyncio.sleep(0.5)
        waited.append(not erasing_now.done())
        await note(*given, **values)
        waited.append(erasing_now)

    async def erase():
        async with erasing() as phones:
            await phones.erase(ANN, now=place.now, actor=ME)

    monkeypatch.setattr(bases, "note", slowly)
    await desk.load(f"{HEAD}Ann,{ANN},Salem\n")
    was_waiting, task = waited
    await task
    assert was_waiting
    assert [(name, attributes) for name, _, attributes in await desk.people()] == [("", {})]


async def test_a_claim_and_a_do_not_call_entry_do_not_wait_for_a_load_of_the_same_numbers(desk, place, monkeypatch):
    """The load has written its rows and not yet committed."""
    await desk.load(f"{HEAD}Ann,{ANN},\nBob,{BOB},\n")
    note = bases.note
    seen = []

    async def meanwhile(*given, **values):
        async with asyncio.timeout(14):  # the entry gives up after 15
            await place.stores.do_not_call.add(phone=BOB, scope="global", actor=ME)
            assert await place.store.renew_lease(place.lease)
            seen.extend(claim.e164 for claim in (await place.claim(5)).claims)
        await note(*given, **values)

    monkeypatch.setattr(bases, "note", meanwhile)
    await desk.load(f"{HEAD}Ann again,{ANN},\nBob again,{BOB},\n", in_campaign="keep")
    assert seen == [ANN]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE contact SET phone_id = 999999",
        "UPDATE contact SET lane_id = 999999",
        "UPDATE contact_phone SET phone_id = 999999",
        "INSERT INTO contact_phone (contact_id, place, phone_id) SELECT id, 2, 999999 FROM contact",
        "INSERT INTO contact_phone (contact_id, place, phone_id) SELECT 999999, 2, phone_id FROM contact",
        "INSERT INTO contact (base_id, campaign_id, row_number, lane_id, phone_id) SELECT base_id, campaign_id, 99, lane_id, 999999 FROM contact",
        "INSERT INTO contact (base_id, campaign_id, row_number, lane_id, phone_id) SELECT 999999, campaign_id, 99, lane_id, phone_id FROM contact",
        "DELETE FROM phone",
        "DELETE FROM lane",
    ],
)
async def test_the_database_refuses_contacts_whose_phone_or_lane_is_not_there(desk, place, statement):
    await desk.load(f"{HEAD}Ann,{ANN},\n")
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await place.pools.web.execute(statement)


async def test_a_base_nobody_loaded_cannot_be_taken_back(place):
    for taking in (place.stores.bases.undo, place.stores.bases.withdraw):
        with pytest.raises(NotFound):
            await taking(99, actor=ME)


async def test_rejected_rows_are_mended_in_a_spreadsheet_and_loaded_again(desk):
    """Cells that a spreadsheet would take for formulas are not; and the file is a base again."""
    plan = await desk.put(f'{HEAD}=1+1,{ANN},Salem\n"@Bad, ""one""",12,-Nowhere\n"torn,{BOB},x\n')
    report = await intake.rehearse(desk.place.stores, desk.folder, plan, campaign_id=desk.place.campaign.id)
    assert (report.accepted, report.reasons) == (1, {"bad_phone": 1, "quotes": 1})
    words = {"heading": "Reason (dialer)", "bad_phone": "no such number", "quotes": "torn"}
    await workers.run(desk.folder, {"command": "mend", "plan": plan.values(), "words": words})
    text = (desk.folder / "rejected.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["name", "phone", "city", "Reason (dialer)"]
    assert rows[1] == ['\'@Bad, "one"', "12", "'-Nowhere", "no such number"]
    assert rows[2][0].startswith('"torn')
    mended = text.replace('"12"', f'"{CY}"')
    loaded = await desk.load(mended)
    assert (loaded.base.rows_loaded, loaded.report.reasons) == (1, {"no_phone": 1})
    assert await desk.people() == [('@Bad, "one"', [CY], {"city": "-Nowhere"})]


async def test_a_campaign_that_is_not_there_gets_no_base(desk):
    plan = await desk.put(FOUR)
    with pytest.raises(NotFound):
        await intake.rehearse(desk.place.stores, desk.folder, plan, campaign_id=99)
