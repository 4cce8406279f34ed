"""aiohttp: REST, pages, live board; the only room that imports it as a server."""
