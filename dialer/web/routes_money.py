"""Ways in to money; part of the one table in ``routes``."""

from __future__ import annotations

from dialer.web import money, schemas
from dialer.web.access import ADMIN, CUSTOMERS, READERS, Route

_ID = "{id:[0-9]{1,18}}"
_OF = f"/api/v1/campaigns/{_ID}"

MONEY: tuple[Route, ...] = (
    Route(method="GET", path=f"/campaigns/{_ID}/money", handler=money.page, roles=READERS | CUSTOMERS,
          ask=schemas.MoneyQuery, media="text/html",
          summary="A campaign's tariff and costs, what a period is made of, closed days; a customer sees no cost"),
    Route(method="GET", path=f"{_OF}/prices", handler=money.prices, roles=READERS | CUSTOMERS,
          summary="All prices ever said; a customer reads its tariff", answer=schemas.PricesAnswer),
    Route(method="POST", path=f"{_OF}/prices", handler=money.set_price, roles=ADMIN, ask=schemas.PriceAsk,
          summary="Say a price from a day on; days that are closed keep their amounts", answer=schemas.PricesAnswer,
          status=201),
    Route(method="POST", path=f"{_OF}/prices/withdraw", handler=money.withdraw, roles=ADMIN, ask=schemas.PriceWithdraw,
          summary="Take a price back; the one before it holds on", answer=schemas.PricesAnswer),
    Route(method="POST", path=f"{_OF}/prices/rehearse", handler=money.rehearse, roles=ADMIN,
          ask=schemas.PriceRehearsal, summary="What a day would have come to with a price; nothing is kept",
          answer=schemas.RehearsedPrice),
    Route(method="GET", path=f"{_OF}/money", handler=money.made_of, roles=READERS | CUSTOMERS, ask=schemas.MoneyQuery,
          summary="What a period comes to, price by price; a customer reads what it owes", answer=schemas.MoneyAnswer),
    Route(method="GET", path=f"{_OF}/money/days", handler=money.days, roles=READERS | CUSTOMERS,
          summary="Closed days, the last first", answer=schemas.MoneyDaysAnswer),
    Route(method="POST", path=f"{_OF}/money/days", handler=money.close, roles=ADMIN, ask=schemas.DaysClose,
          summary="Close days that are over, for ever", answer=schemas.MoneyDaysAnswer),
)  # fmt: skip
