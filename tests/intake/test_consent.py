"""Consent in the columns of a file: kept with its evidence, checked strictly, taken back with the load."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from dialer import intake
from dialer.intake import columns, consent
from dialer.store.users import Actor
from tests.store.places import SYSTEM

#: Of a country whose law is not packaged, so that only the campaign's own rules hold.
PHONE, OTHER = "+34612345678", "+34612345679"
ZONE = "Europe/Madrid"
HEAD = "name,phone,zone,consent date,consent proof,consent purpose,consent until"


def told(*cells):
    found = consent.read([*cells, *[""] * (4 - len(cells))])
    return json.loads(found) if found else None


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2026-03-01", "2026-03-01T00:00:00+00:00"),
        ("2026-03-01 09:30", "2026-03-01T09:30:00+00:00"),
        ("2026-03-01T09:30+03:00", "2026-03-01T09:30:00+03:00"),
        ("01.03.2026", "2026-03-01T00:00:00+00:00"),
        ("1.3.2026 9:30", "2026-03-01T09:30:00+00:00"),
    ],
)
def test_a_time_is_read_where_its_order_is_certain(cell, expected):
    assert told(cell, "form 17")["given_at"] == expected


@pytest.mark.parametrize(
    "cells",
    [("03/01/2026", "form 17"), ("yes", "form 17"), ("32.01.2026", "form 17"), ("2026-03-01", ""), ("", "form 17"),
     ("2026-03-01", "form 17", "fun"), ("2026-03-01", "form 17", "", "2026-03-01"), ("2026-03-01", "x", "", "soon")],
)  # fmt: skip
def test_what_has_no_time_no_evidence_or_cannot_be_read_is_refused(cells):
    with pytest.raises(ValueError):
        told(*cells)


def test_the_evidence_is_kept_by_its_hash_or_by_the_one_that_stands_there():
    digest = "AB" * 32
    assert told("2026-03-01", digest)["hash"] == digest.lower()
    assert len(told("2026-03-01", "https://example.org/form/17")["hash"]) == 64
    assert told() is None


def test_columns_of_consent_are_found_by_name_and_only_where_they_prove_something():
    found = columns.match(["телефон", "дата согласия", "источник согласия"], [], "RU")
    assert found == ["phone", "consent_given", "consent_evidence"]
    assert columns.match(["phone", "consent"], [["+12025550101", "yes"]], "US") == ["phone", "attribute"]


async def load(place, text, **chosen):
    return await intake.load(
        place.stores, campaign_id=place.campaign.id, name="base", source="", data=text.encode(), actor=Actor(), **chosen
    )


async def dial(place, **values):
    """However long the load took, the lease holds."""
    await place.pools.web.execute("UPDATE engine_lease SET expires_at = now() + interval '1 hour'")
    return await place.dial(9, **values)


async def kept(place):
    return await place.pools.web.fetch(
        "SELECT p.e164, g.* FROM consent g JOIN phone p ON p.id = g.phone_id ORDER BY p.e164, g.purpose"
    )


@pytest.mark.postgres
async def test_who_agreed_in_the_file_is_called_and_nobody_else(place):
    place.campaign = await place.add_campaign("strict", profile="strict", override={"min_gap_s": 7200})
    place.now = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
    rows = [
        f"Ada,{PHONE},{ZONE},2026-02-01,form 17,,2027-02-01",
        f"Joe,{OTHER},{ZONE},,,,",
        f"Sue,+34612345670,{ZONE},yes,form 18,,",
        f"Max,+34612345671,{ZONE},2026-02-01,form 19,service,",
    ]
    loaded = await load(place, "\n".join([HEAD, *rows]))
    assert [(row.line, row.reason) for row in loaded.rejected] == [(4, "bad_consent")]
    serviced, ada = await kept(place)  # by number
    assert (ada["e164"], ada["purpose"], ada["channel"], ada["evidence"]) == (PHONE, "marketing", "file", "form 17")
    assert (ada["given_at"], ada["expires_at"]) == (datetime(2026, 2, 1, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC))
    assert (ada["base_id"], serviced["purpose"]) == (loaded.base.id, "service")
    assert [attempt.e164 for attempt in await dial(place)] == [PHONE]
    again = await load(place, "\n".join([HEAD, *rows]))
    assert again.repeated
    assert len(await kept(place)) == 2


@pytest.mark.postgres
async def test_an_undone_load_takes_its_consents_back_but_for_the_proof_of_calls_that_were_made(place):
    used, unused = (
        f"{HEAD}\n{name},{phone},{ZONE},2026-02-01,form {name},,\n" for name, phone in (("Ada", PHONE), ("Joe", OTHER))
    )
    first = await load(place, used + unused.partition("\n")[2])
    await place.pools.web.execute("UPDATE consent SET added_at = $1", place.now - timedelta(days=1))
    elsewhere = await place.add_campaign("elsewhere")
    await place.add_contacts(PHONE, campaign=elsewhere)
    assert await dial(place, campaign=elsewhere)
    await place.stores.bases.undo(first.base.id, actor=SYSTEM)
    [left] = await kept(place)
    assert (left["e164"], left["withdrawn_at"] is not None) == (PHONE, True)


@pytest.mark.postgres
async def test_a_consent_older_than_its_withdrawal_does_not_come_back_with_a_file(place):
    place.campaign = await place.add_campaign("strict", profile="strict", override={"min_gap_s": 7200})
    place.now = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
    await load(place, f"{HEAD}\nAda,{PHONE},{ZONE},2026-02-01,form 17,,\n")
    about = {"customer_id": place.campaign.customer_id, "actor": SYSTEM}
    await place.stores.consents.withdraw(PHONE, now=place.now - timedelta(days=1), **about)
    await place.pools.web.execute("UPDATE contact SET refused_by = 'no_consent', next_at = 'infinity'")
    await load(place, f"{HEAD}\nAda,{PHONE},{ZONE},2026-02-02,form 18,,\nJoe,{OTHER},{ZONE},,,,\n")
    [contact, *_] = [row["id"] for row in await place.pools.web.fetch("SELECT id FROM contact ORDER BY id")]
    [reason, *_] = await place.stores.contacts.why(contact, now=place.now)
    assert (reason.reason, reason.detail) == ("no_consent", "over")
    assert not await dial(place)
