"""PostgreSQL as pages, robots and the command line see it: one attribute per noun."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dialer.store import lease
from dialer.store.ahead import Ahead
from dialer.store.attempts import Attempts
from dialer.store.audit import Audit
from dialer.store.base_files import BaseFiles
from dialer.store.bases import Bases
from dialer.store.baskets import Baskets
from dialer.store.boards import Boards
from dialer.store.by_hand import ByHand
from dialer.store.callbacks import Callbacks
from dialer.store.campaigns import Campaigns
from dialer.store.checkups import Checkups
from dialer.store.consents import Consents
from dialer.store.contacts import Contacts
from dialer.store.customers import Customers
from dialer.store.disposition_kinds import DispositionKinds
from dialer.store.dispositions import Dispositions
from dialer.store.do_not_call import DoNotCall
from dialer.store.do_not_call_files import DoNotCallFiles
from dialer.store.facts import Facts
from dialer.store.kpi import Numbers
from dialer.store.kpi_hours import HourRows
from dialer.store.leads import Leads
from dialer.store.letter_pages import Letters
from dialer.store.letter_texts import LetterTexts
from dialer.store.listenings import Listenings
from dialer.store.looks import Looks
from dialer.store.loosenings import Loosenings
from dialer.store.messages import Messages
from dialer.store.money import Money
from dialer.store.national import NationalLists
from dialer.store.offers import Offers
from dialer.store.office import Office
from dialer.store.pacing import Pacing
from dialer.store.passes import Passes
from dialer.store.phones import Phones
from dialer.store.pools import store_errors
from dialer.store.recordings import Recordings
from dialer.store.retry_rules import RetryRules
from dialer.store.return_calls import ReturnCalls
from dialer.store.scripts import Scripts
from dialer.store.seats import Seats
from dialer.store.second_factors import SecondFactors
from dialer.store.segments import Segments
from dialer.store.shifts import Shifts
from dialer.store.subscriptions import Subscriptions
from dialer.store.tokens import Tokens
from dialer.store.trunks import Trunks
from dialer.store.users import Users
from dialer.store.webhooks import Webhooks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dialer.store.pools import Pool, Pools


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """All nouns over the web's connections; loading bases has its own."""

    users: Users
    tokens: Tokens
    trunks: Trunks
    audit: Audit
    office: Office
    ahead: Ahead
    boards: Boards
    by_hand: ByHand
    campaigns: Campaigns
    bases: Bases
    baskets: Baskets
    base_files: BaseFiles
    contacts: Contacts
    customers: Customers
    dispositions: Dispositions
    disposition_kinds: DispositionKinds
    do_not_call: DoNotCall
    do_not_call_files: DoNotCallFiles
    callbacks: Callbacks
    checkups: Checkups
    attempts: Attempts
    facts: Facts
    kpi: Numbers
    hour_rows: HourRows
    consents: Consents
    national: NationalLists
    phones: Phones
    passes: Passes
    retry_rules: RetryRules
    leads: Leads
    letters: Letters
    letter_texts: LetterTexts
    looks: Looks
    return_calls: ReturnCalls
    loosenings: Loosenings
    offers: Offers
    listenings: Listenings
    messages: Messages
    money: Money
    pacing: Pacing
    recordings: Recordings
    second_factors: SecondFactors
    seats: Seats
    segments: Segments
    shifts: Shifts
    scripts: Scripts
    subscriptions: Subscriptions
    webhooks: Webhooks
    pool: Pool

    @classmethod
    def of(cls, pools: Pools) -> Stores:
        """The nouns over these pools."""
        return cls(
            users=Users(pools.web),
            tokens=Tokens(pools.web),
            trunks=Trunks(pools.web),
            audit=Audit(pools.web),
            office=Office(pools.web),
            ahead=Ahead(pools.web),
            boards=Boards(pools.web),
            by_hand=ByHand(pools.web),
            campaigns=Campaigns(pools.web),
            bases=Bases(pools.web, pools.intake),
            baskets=Baskets(pools.web),
            base_files=BaseFiles(pools.web),
            contacts=Contacts(pools.web),
            customers=Customers(pools.web),
            dispositions=Dispositions(pools.web),
            disposition_kinds=DispositionKinds(pools.web),
            do_not_call=DoNotCall(pools.web),
            do_not_call_files=DoNotCallFiles(pools.web, pools.intake),
            callbacks=Callbacks(pools.web),
            checkups=Checkups(pools.web),
            attempts=Attempts(pools.web),
            facts=Facts(pools.web),
            kpi=Numbers(pools.web),
            hour_rows=HourRows(pools.intake),
            consents=Consents(pools.web),
            national=NationalLists(pools.web, pools.intake),
            phones=Phones(pools.web),
            passes=Passes(pools.web),
            retry_rules=RetryRules(pools.web),
            leads=Leads(pools.web),
            letters=Letters(pools.web),
            letter_texts=LetterTexts(pools.web),
            looks=Looks(pools.web),
            return_calls=ReturnCalls(pools.web),
            loosenings=Loosenings(pools.web),
            offers=Offers(pools.web),
            listenings=Listenings(pools.web),
            messages=Messages(pools.web),
            money=Money(pools.web),
            pacing=Pacing(pools.web),
            recordings=Recordings(pools.web),
            second_factors=SecondFactors(pools.web),
            seats=Seats(pools.web),
            segments=Segments(pools.web, pools.intake),
            shifts=Shifts(pools.web),
            scripts=Scripts(pools.web),
            subscriptions=Subscriptions(pools.web),
            webhooks=Webhooks(pools.web),
            pool=pools.web,
        )

    async def lease(self, switch: str) -> Mapping[str, Any] | None:
        """Who dials on this switch: ``epoch``, ``holder``, ``expires_at``; None if nobody ever did.

        Raises:
            StoreDown: PostgreSQL does not answer.
        """
        with store_errors():
            row = await lease.SQL["lease_show"].fetchrow(self.pool, switch=switch)
        return dict(row) if row else None
