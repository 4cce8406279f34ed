"""What the numbers are made of: each base sum with what it counts, in words and as PostgreSQL counts it.

The views and tables are in ``sql/migrations/0013_numbers.sql``, ``0018_days_and_leads.sql``,
``0022_money.sql`` and ``0027_promises_kept.sql``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fact:
    """A base sum.

    Attributes:
        en: What is counted.
        ru: The same in Russian.
        sql: How PostgreSQL counts it, an expression over rows of ``source``.
        source: The view or table whose rows are the facts.
    """

    en: str
    ru: str
    sql: str
    source: str = "kpi_part"


def _count(name: str, en: str, ru: str) -> tuple[str, Fact]:
    return name, Fact(en, ru, f"sum({name})")


def _seconds(name: str, en: str, ru: str) -> tuple[str, Fact]:
    return name, Fact(en, ru, f"sum({name.removesuffix('_s')}_us) / 1000000.0")


#: Base sum -> what is counted.
FACTS: dict[str, Fact] = dict(
    (
        _count("attempts", "attempts that ended, by when they were sent", "завершённые попытки, по времени отправки"),
        (
            "live",
            Fact("attempts sent that have not ended yet", "попытки, которые ещё идут", "count(*)", "attempt_live"),
        ),
        _count(
            "rang",
            "of the attempts, those that rang: ringing was seen, or an answer, or they ended as no answer",
            "из попыток: был гудок или ответ, или закончились неответом",
        ),
        _count(
            "answered",
            "of the attempts, those answered by a person; who hung up within 2 s is kept apart",
            "из попыток: ответил человек; положившие трубку за 2 с считаются отдельно",
        ),
        _count(
            "abandoned",
            "of the answered, those abandoned; what nobody saw end after an answer is counted here",
            "из ответивших: потеряны; сюда же попадает ответ, конца которого никто не видел",
        ),
        _count("dialled", "of the attempts, those that were sent to the switch", "из попыток: отправлены на линию"),
        _count(
            "reached",
            "of the attempts, those connected for at least a second or whose callee heard the offer as a person",
            "из попыток: разговор от секунды или прослушанное человеком предложение",
        ),
        _count("connected", "of the attempts, those that were connected to an operator", "из попыток: соединены"),
        _count("outcome_abandoned", "of the attempts, those that ended as abandoned", "из попыток: исход «потеряна»"),
        _count(
            "early_hangups",
            "of the attempts, those whose callee hung up within 2 s",
            "из попыток: абонент положил трубку за 2 с",
        ),
        _count(
            "offers_heard", "of the attempts, those that ended with the offer", "из попыток: прослушано предложение"
        ),
        _count("no_answer", "of the attempts, those nobody answered", "из попыток: никто не ответил"),
        _count("busy", "of the attempts, those that met a busy line", "из попыток: занято"),
        _count("machine", "of the attempts, those that a machine answered", "из попыток: автоответчик"),
        _count("invalid_number", "of the attempts, those at a number that is none", "из попыток: номера нет"),
        _count("congestion", "of the attempts, those the network had no room for", "из попыток: перегрузка сети"),
        _count("rejected", "of the attempts, those the callee's side rejected", "из попыток: отклонены абонентом"),
        _count("failed", "of the attempts, those that failed", "из попыток: сбой"),
        _count("cancelled", "of the attempts, those taken back", "из попыток: отменены"),
        _count("not_sent", "of the attempts, those never sent to the switch", "из попыток: не отправлены"),
        _count("unknown", "of the attempts, those whose end nobody saw", "из попыток: исход неизвестен"),
        (
            "contacts_dialled",
            Fact(
                "different contacts with an attempt that was sent to the switch",
                "разные контакты с попыткой, отправленной на линию",
                "count(DISTINCT contact_id) FILTER (WHERE dialled = 1)",
                "kpi_tried",
            ),
        ),
        (
            "contacts_reached",
            Fact(
                "of them, those connected for at least a second or who heard the offer as a person",
                "из них: разговор от секунды или прослушанное человеком предложение",
                "count(DISTINCT contact_id) FILTER (WHERE reached = 1)",
                "kpi_tried",
            ),
        ),
        _count("said", "dispositions, by when they were saved", "итоги, по времени сохранения"),
        _count(
            "results", "dispositions that the campaign counts as a success", "итоги, которые кампания считает успехом"
        ),
        _count(
            "decision_makers",
            "dispositions that say whoever decides was reached",
            "итоги, которые отмечают разговор с ЛПР",
        ),
        _count("fresh", "dispositions that say the base was right", "итоги, по которым база верна"),
        _count(
            "stale",
            "dispositions that say the contact is stale, and contacts whose every phone ended as invalid number",
            "итоги «устарел» и контакты, у которых не существует ни один номер",
        ),
        _count("off_target", "dispositions that say the contact is off target", "итоги «не целевая аудитория»"),
        _count("leads", "leads made by a disposition, by when", "лиды, сделанные итогом, по времени создания"),
        _count(
            "leads_accepted", "leads the customer accepted, by when", "лиды, принятые заказчиком, по времени решения"
        ),
        _count(
            "leads_rejected", "leads the customer rejected, by when", "лиды, отклонённые заказчиком, по времени решения"
        ),
        _count(
            "replacements_owed",
            "of the rejected leads, those in whose place no other stands yet",
            "из отклонённых лидов: замены ещё нет",
        ),
        _count("clients", "leads that became clients, by when", "лиды, ставшие клиентами, по времени"),
        _count(
            "return_calls",
            "calls of people to a number that was shown to them, by when they came",
            "звонки людей на показанный им номер, по времени звонка",
        ),
        _count(
            "return_missed",
            "of the return calls, those that no operator could take in time",
            "из обратных звонков: никто из операторов не успел ответить",
        ),
        _count("promises_made", "promises to call back, by when they were made", "обещания перезвонить, когда даны"),
        _count(
            "promises_kept",
            "of the promises due in the period, those kept, in time or late",
            "из обещаний со сроком в периоде: выполнены, вовремя или позже",
        ),
        _count(
            "promises_kept_late",
            "of the kept promises, those called more than 60 s after their time",
            "из выполненных обещаний: звонок позже срока более чем на 60 с",
        ),
        _count(
            "promises_broken",
            "of the promises due in the period, those broken or blocked",
            "из обещаний со сроком в периоде: нарушены или запрещены",
        ),
        (
            "promises_late",
            Fact(
                "of the promises due in the period, those not kept 60 s after their time, up to now",
                "из обещаний со сроком в периоде: через 60 с после срока ещё не выполнены, на сейчас",
                "count(*) FILTER (WHERE state = 'pending' AND due_at < now() - promise_grace())",
                "callback",
            ),
        ),
        _count(
            "promises_cancelled",
            "of the promises due in the period, those cancelled",
            "из обещаний со сроком в периоде: отменены",
        ),
        _count(
            "promises_moved",
            "of the promises due in the period, those moved to this time, whatever became of them",
            "из обещаний со сроком в периоде: перенесены на это время, чем бы ни кончились",
        ),
        _count("closed", "contacts closed, by when", "закрытые контакты, по времени закрытия"),
        _count("closed_by_disposition", "of the closed, those closed by a disposition", "из закрытых: закрыты итогом"),
        _count("closed_used_up", "of the closed, those whose attempts are used up", "из закрытых: исчерпаны попытки"),
        _count("closed_dead", "of the closed, those without a number that exists", "из закрытых: нет живых номеров"),
        _count(
            "calls_of_closed",
            "attempts that rang, over the whole life of the closed contacts",
            "прозвонившие попытки за всю жизнь закрытых контактов",
        ),
        _seconds("ready_s", "seconds operators were ready", "секунды готовности операторов"),
        _seconds("ringing_s", "seconds operators' own phones rang", "секунды, когда звонил телефон оператора"),
        _seconds(
            "preview_s",
            "seconds operators looked at a contact, or heard its phone ring, before a conversation",
            "секунды просмотра контакта и гудков перед разговором",
        ),
        _seconds("talk_s", "seconds operators talked", "секунды разговоров"),
        _seconds("wrap_up_s", "seconds of wrap-up", "секунды оформления"),
        _seconds("paused_s", "seconds of pause", "секунды пауз"),
        (
            "open_s",
            Fact(
                "of the operators' seconds, those of states that go on now",
                "из секунд операторов: состояния, которые длятся сейчас",
                "sum(extract(epoch FROM now() - since))",
                "operator_live",
            ),
        ),
        (
            "clock_s",
            Fact(
                "seconds of the period that have passed",
                "прошедшие секунды периода",
                "extract(epoch FROM least(:until, now()) - :since)",
                "clock",
            ),
        ),
        *(
            (
                f"voice_p{percent}_ms",
                Fact(
                    f"time from answer to both sides bridged: {percent} % were faster",
                    f"время от ответа до соединения: {percent} % быстрее",
                    f"percentile_cont(0.{percent}) WITHIN GROUP (ORDER BY voice_ms) FILTER (WHERE connected = 1)",
                    "kpi_tried",
                ),
            )
            for percent in (50, 95, 99)
        ),
    )
)

#: Facts that do not add up over hours.
APART = frozenset({"contacts_dialled", "contacts_reached", "voice_p50_ms", "voice_p95_ms", "voice_p99_ms"})
#: Facts of time: known by hour, operator, campaign and customer, as an operator waits for no base and no number.
TIME = frozenset({"ready_s", "ringing_s", "preview_s", "talk_s", "wrap_up_s", "paused_s", "open_s", "clock_s"})
#: Facts of leads.
LED = frozenset({"leads", "leads_accepted", "leads_rejected", "replacements_owed", "clients"})
#: Facts of promises to call back.
PROMISED = frozenset(
    {
        *("promises_made", "promises_kept", "promises_kept_late", "promises_broken"),
        *("promises_late", "promises_cancelled", "promises_moved"),
    }
)
#: Facts of dispositions, and of leads they made: all that is known by disposition and by reason.
SAID = frozenset({"said", "results", "decision_makers", "fresh", "stale", "off_target"}) | LED


def _amount(name: str, kinds: tuple[str, ...], en: str, ru: str) -> tuple[str, Fact]:
    words = ", ".join(f"'{kind}'" for kind in kinds)
    sql = f"coalesce(sum(amount) FILTER (WHERE kind IN ({words})), 0) / 3600000000"
    return name, Fact(en, ru, sql, "money_rows JOIN price ON price.id = price_id")


#: Sums of money -> what is paid. Exact; kept in parts of a currency unit, 3 600 000 000 of them.
MONEY: dict[str, Fact] = dict(
    (
        _amount(
            "revenue_minutes",
            ("tariff_minute",),
            "minutes of conversations, each billed by the tariff's step, by when the call was sent, × price",
            "минуты разговоров, каждый с шагом тарификации тарифа, по времени отправки, × цена",
        ),
        _amount(
            "revenue_conversations",
            ("tariff_conversation",),
            "connected attempts × price",
            "соединённые попытки × цена",
        ),
        _amount(
            "revenue_leads",
            ("tariff_lead",),
            "leads the customer accepted, by when, × price; a rejected one is paid by its replacement",
            "лиды, принятые заказчиком, по времени решения, × цена; вместо отклонённого оплачивается замена",
        ),
        _amount(
            "revenue_hours",
            ("tariff_operator_hour",),
            "operator hours (ready + ringing + preview + talking + wrap-up) × price",
            "часы операторов (готов + звонит телефон + просмотр + разговор + оформление) × цена",
        ),
        _amount(
            "cost_operators",
            ("cost_operator_hour", "cost_paid_hour"),
            "operator hours × their price + paid hours × theirs; states that go on count when they end",
            "часы операторов × цена + оплаченные часы × их цена; текущие состояния — когда закончатся",
        ),
        _amount(
            "cost_trunk",
            ("cost_trunk_minute",),
            "minutes from answer to end of every answered call, billed by the carrier's step, by when sent, × price",
            "минуты от ответа до конца каждого отвеченного звонка, с шагом оператора связи, по отправке, × цена",
        ),
        _amount(
            "cost_bases",
            ("cost_base", "cost_base_contact"),
            "price of a base on its day + contacts loaded, by when, × price; not of a base that was undone",
            "цена базы в её день + загруженные контакты, по времени загрузки, × цена; без отменённых загрузок",
        ),
        _amount(
            "cost_letters",
            ("cost_letter",),
            "letters sent, by when, × price",
            "отправленные письма, по времени, × цена",
        ),
        _amount(
            "cost_fixed",
            ("cost_month",),
            "a month's price spread over its days, and a day's over its hours, in whole smallest units",
            "цена месяца, разложенная по его дням, а день — по его часам, в целых копейках",
        ),
        (
            "orders",
            Fact(
                "what clients bought from the customer, by when the lead became a client",
                "что клиенты купили у заказчика, по времени, когда лид стал клиентом",
                "sum(revenue)",
                "lead",
            ),
        ),
    )
)
COSTS = tuple(name for name in MONEY if name.startswith("cost"))
REVENUES = tuple(name for name in MONEY if name.startswith("revenue"))
