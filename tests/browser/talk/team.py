"""A team with one campaign: what a test needs of the office, apart from every other test."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from dialer.core.model import CampaignState
from dialer.passwords import hash_password, random_password
from tests.browser.talk.person import PATIENCE_S, Person
from tests.browser.talk.sample import BODY, BRIEF
from tests.real.office import NOBODY, SOON, number, until

if TYPE_CHECKING:
    from playwright.async_api import Browser

    from tests.real.office import Office

__all__ = ["PATIENCE_S", "Team"]

_teams = itertools.count(1)
_lines = itertools.count()


class Team:
    """One test's people on the common service."""

    def __init__(self, office: Office, browser: Browser) -> None:
        self.office, self.browser = office, browser
        self.name = f"team {next(_teams)}"
        self.campaign_id = 0
        self.people: list[Person] = []

    async def opens(self, numbers: int = 2, **values: Any) -> None:
        """A running campaign with a script, on numbers nobody was called at before; everybody there is Ada Long."""
        called = [number(SOON, next(_lines)) for _ in range(numbers)]
        self.campaign_id = await self.office.campaign(called, name=f"Spring of {self.name}", team=self.name, **values)
        await self.office.stores.scripts.write(self.campaign_id, brief=BRIEF, body=BODY, actor=NOBODY)
        about = {"Company": "Long Ltd"}
        rename = "UPDATE contact SET name = 'Ada Long', attributes = $1 WHERE campaign_id = $2"
        await self.office.pools.web.execute(rename, about, self.campaign_id)

    async def is_dialled(self) -> None:
        """Wait until the engine knows the campaign; it looks for new ones every ten seconds."""
        desk = await self.office.desk(f"board-of-{self.name.replace(' ', '-')}", "admin")

        async def known() -> bool:
            return any(one["campaign_id"] == self.campaign_id for one in (await desk.ask("GET", "/board"))["campaigns"])

        await until(known, PATIENCE_S, "the campaign on the board")

    @staticmethod
    def stranger() -> str:
        """The number of somebody who answers and is in no base."""
        return number(SOON, next(_lines))

    async def sits_down(
        self, login: str, language: str = "en", *, browser: Browser | None = None, **more: Any
    ) -> Person:
        """A new operator of this team logs in."""
        password = random_password()
        login = f"{login}-{self.name.replace(' ', '-')}"
        await self.office.stores.users.add(
            login=login,
            name=login.partition("-")[0].title(),
            role="operator",
            password_hash=await hash_password(password),
            team=self.name,
            language=language,
            actor=NOBODY,
        )
        return await self.logs_in(login, password, browser=browser, **more)

    async def logs_in(self, login: str, password: str, *, browser: Browser | None = None, **more: Any) -> Person:
        """Somebody of this team logs in, perhaps once more."""
        self.people.append(
            await Person.log_in(browser or self.browser, self.office.service.url, login, password, **more)
        )
        return self.people[-1]

    async def saved(self) -> list[tuple[str, str]]:
        """What is in the database of the campaign's conversations: code and note, in order."""
        asked = "SELECT code, note FROM disposition WHERE campaign_id = $1 ORDER BY saved_at"
        return [tuple(row) for row in await self.office.pools.web.fetch(asked, self.campaign_id)]

    async def keeps(self, note: str) -> None:
        """Wait until the draft on the server has this note."""
        asked = "SELECT count(*) FROM draft WHERE body->>'note' = $1"
        await until(lambda: self.office.pools.web.fetchval(asked, note), PATIENCE_S, f"a draft with {note!r}")

    async def attempts(self) -> list[Any]:
        """The campaign's finished attempts, the oldest first."""
        asked = "SELECT * FROM attempt WHERE campaign_id = $1 ORDER BY sent_at"
        return await self.office.pools.web.fetch(asked, self.campaign_id)

    async def ended(self) -> list[Any]:
        """Finished attempts as soon as there is one: an end is written beside what the page is told, not before it."""
        return await until(self.attempts, PATIENCE_S, "a finished attempt")

    async def go_home(self) -> None:
        """No more calls; whoever is on the line is hung up, and every page is closed."""
        if self.campaign_id:
            await self.office.stores.campaigns.set_state(self.campaign_id, CampaignState.STOPPED, actor=NOBODY)
        for person in self.people:
            if person.page.context.browser.is_connected():
                await person.page.context.close()
