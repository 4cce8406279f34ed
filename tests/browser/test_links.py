"""Whatever a page leads to can be opened by whoever is led there: every link of every page, for every role."""

from __future__ import annotations

import re
from collections import deque
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest

from dialer.web.pages import _HOME

pytestmark = [pytest.mark.postgres, pytest.mark.asyncio(loop_scope="session")]

HREF = re.compile(r'<a\b[^>]*?\bhref="([^"#]*)')
HOMES = {role.value: path for role, path in _HOME.items()}
#: Pages that a script fills; the browser says what they lead to.
LIVE = {"/board", "/operator"}
#: So many links of one shape (other ids, other values) are opened.
ALIKE_MAX = 2


def shape(link: str) -> tuple[str, ...]:
    """What links have in common that differ in ids and values."""
    parts = urlsplit(link)
    path = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+", "N", parts.path)
    return path, *sorted(parse_qs(parts.query, keep_blank_values=True))


async def links_of(page, url, link) -> tuple[int, list[str]]:
    """The status of a page, and where it leads."""
    if link in LIVE:
        await page.goto(url + link)
        await page.wait_for_timeout(1500)
        return 200, await page.eval_on_selector_all("a[href]", "all => all.map(one => one.getAttribute('href'))")
    answer = await page.context.request.get(url + link, headers={"Accept": "text/html"})
    html = await answer.text() if "text/html" in answer.headers["content-type"] else ""
    return answer.status, [unescape(found) for found in HREF.findall(html)]


@pytest.mark.parametrize("role", HOMES)
async def test_every_link_a_role_is_shown_opens(opened, scene, role):
    """From the page of the role on, link by link; none is forbidden, gone or broken."""
    async with opened(HOMES[role], role) as page:
        todo, seen, bad = deque([HOMES[role]]), {}, []
        while todo:
            link = todo.popleft()
            status, found = await links_of(page, scene.url, link)
            if status != 200:
                bad.append((status, link))
            for one in found:
                if not one.startswith("/") or one.startswith("/?"):
                    continue
                told = seen.setdefault(shape(one), set())
                if one not in told and len(told) < ALIKE_MAX:
                    told.add(one)
                    todo.append(one)
        assert bad == []
        assert len(seen) > (0 if role == "operator" else 3)
