"""The ways out of letters and of reports, as whoever gets them sees them: no login, no script, one button."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from dialer.outbox.letters import STOP_REPORT, UNSUBSCRIBE, token
from dialer.passwords import LETTER_KEY, key_in
from dialer.web.call import CONTEXT
from tests.browser.look import look_at

pytestmark = [pytest.mark.postgres, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize(
    ("path", "purpose", "asks", "says", "ended"),
    [
        (
            "unsubscribe",
            UNSUBSCRIBE,
            "SELECT max(id) FROM letter WHERE state = 'sent'",
            "e…@example.com",
            "SELECT count(*) FROM letter_stop WHERE why = 'unsubscribed'",
        ),
        (
            "reports/stop",
            STOP_REPORT,
            "SELECT max(id) FROM subscriber WHERE removed_at IS NULL",
            "Месяц",
            "SELECT count(*) FROM subscriber WHERE stopped_why = 'link'",
        ),
    ],
    ids=["a letter", "a report"],
)
async def test_the_link_asks_once_and_ends_it_by_one_button(opened, scene, path, purpose, asks, says, ended):
    pool = scene.place.pools.web
    key = key_in(scene.server.app[CONTEXT].settings.data_dir, LETTER_KEY)
    link = f"/{path}/{token(key, await pool.fetchval(asks), purpose)}"
    before = await pool.fetchval(ended)
    async with opened(link) as page:
        await expect(page.locator("main")).to_contain_text(says)
        await look_at(page, path.replace("/", "-"))
        assert await pool.fetchval(ended) == before  # looking changes nothing
        await page.get_by_role("button").click()
        await expect(page.locator("main [role=status]")).to_contain_text(says)
        await expect(page.get_by_role("button")).to_have_count(0)
        assert await pool.fetchval(ended) == before + 1
        await page.reload()
        await expect(page.locator("main [role=status]")).to_contain_text(says)
