"""The numbers of the product, each defined once: from which base sums it follows, in words and for PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass

from dialer.core.kpi_facts import FACTS, MONEY

OPERATOR_S = ("ready_s", "ringing_s", "preview_s", "talk_s", "wrap_up_s")
PAID_S = (*OPERATOR_S, "paused_s")
PER_HOUR, PERCENT = 3600.0, 100.0
_SUMS = FACTS | MONEY
_PROMISES_DUE = ("promises_kept", "promises_broken", "promises_late")


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One number: how it is called, what it is, and the sums it is made of.

    Attributes:
        id: Stable word.
        unit: ``count``, ``%``, ``per hour``, ``h``, ``s``, ``ms``, ``calls`` or ``money``.
        better: ``up`` or ``down``; empty if neither is.
        numerator: Base sums added up.
        less: Base sums taken off it.
        denominator: Base sums to divide by; empty for a plain sum.
        scale: Factor of the result.
    """

    id: str
    name_en: str
    name_ru: str
    formula_en: str
    formula_ru: str
    unit: str
    better: str = ""
    numerator: tuple[str, ...]
    less: tuple[str, ...] = ()
    denominator: tuple[str, ...] = ()
    scale: float = 1.0

    @property
    def source(self) -> str:
        """Where its facts are: views and tables of PostgreSQL."""
        return ", ".join(dict.fromkeys(_SUMS[name].source for name in self.facts))

    @property
    def facts(self) -> tuple[str, ...]:
        """The base sums it is made of."""
        return (*self.numerator, *self.less, *self.denominator)

    @property
    def formula_sql(self) -> str:
        """How PostgreSQL computes it, over rows of ``source``."""
        above = " + ".join(_SUMS[name].sql for name in self.numerator)
        above += "".join(f" - {_SUMS[name].sql}" for name in self.less)
        if not self.denominator:
            return above if self.scale == 1 else f"{self.scale!r} * ({above})"
        below = " + ".join(_SUMS[name].sql for name in self.denominator)
        return f"{self.scale!r} * ({above}) / nullif({below}, 0)"


DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        id="attempts",
        name_en="Attempts",
        name_ru="Попытки",
        formula_en="attempts that ended, by when they were sent",
        formula_ru="завершённые попытки, по времени отправки",
        unit="count",
        numerator=("attempts",),
    ),
    Definition(
        id="rang",
        name_en="Rang",
        name_ru="Прозвонили",
        formula_en="attempts at which ringing was seen, or an answer, or which ended as no answer",
        formula_ru="попытки, в которых был гудок или ответ, или которые закончились неответом",
        unit="count",
        numerator=("rang",),
    ),
    Definition(
        id="answered",
        name_en="Answered",
        name_ru="Ответили",
        formula_en="attempts answered by a person; who hung up within 2 s is kept apart",
        formula_ru="попытки, на которые ответил человек; положившие трубку за 2 с считаются отдельно",
        unit="count",
        better="up",
        numerator=("answered",),
    ),
    Definition(
        id="early_hangups",
        name_en="Early hang-ups",
        name_ru="Сразу положили трубку",
        formula_en="a person hung up within 2 s, before anybody could be connected",
        formula_ru="человек положил трубку за 2 с, до соединения",
        unit="count",
        better="down",
        numerator=("early_hangups",),
    ),
    Definition(
        id="connected",
        name_en="Connected",
        name_ru="Соединены",
        formula_en="attempts in which callee and operator could hear each other",
        formula_ru="попытки, в которых абонент и оператор слышали друг друга",
        unit="count",
        better="up",
        numerator=("connected",),
    ),
    Definition(
        id="abandoned",
        name_en="Abandoned",
        name_ru="Потеряны",
        formula_en="answered by a person and no operator connected within 2 s (after the key: within the stated wait)",
        formula_ru="человек ответил, а оператор не подключился за 2 с (после нажатия: за обещанное время)",
        unit="count",
        better="down",
        numerator=("abandoned",),
    ),
    Definition(
        id="abandon_rate",
        name_en="Abandon rate",
        name_ru="Доля потерянных",
        formula_en="abandoned ÷ answered by a person",
        formula_ru="потерянные ÷ ответил человек",
        unit="%",
        better="down",
        numerator=("abandoned",),
        denominator=("answered",),
        scale=PERCENT,
    ),
    Definition(
        id="answer_rate",
        name_en="Answer rate",
        name_ru="Доля ответов",
        formula_en="attempts answered by a person ÷ attempts that rang",
        formula_ru="попытки с ответом человека ÷ попытки, которые прозвонили",
        unit="%",
        better="up",
        numerator=("answered",),
        denominator=("rang",),
        scale=PERCENT,
    ),
    Definition(
        id="contact_rate",
        name_en="Contact rate",
        name_ru="Доля дозвона",
        formula_en="contacts reached ÷ contacts dialled; reached: connected for a second, or heard the offer",
        formula_ru="дозвонились ÷ набраны контакты; дозвон: разговор от секунды или прослушано предложение",
        unit="%",
        better="up",
        numerator=("contacts_reached",),
        denominator=("contacts_dialled",),
        scale=PERCENT,
    ),
    Definition(
        id="results",
        name_en="Results",
        name_ru="Результаты",
        formula_en="dispositions that the campaign counts as a success, by when they were saved",
        formula_ru="итоги, которые кампания считает успехом, по времени сохранения",
        unit="count",
        better="up",
        numerator=("results",),
    ),
    Definition(
        id="results_per_hour",
        name_en="Results per hour",
        name_ru="Результатов в час",
        formula_en="results ÷ operator hours (ready + ringing + preview + talking + wrap-up)",
        formula_ru="результаты ÷ часы операторов (готов + звонит телефон + просмотр + разговор + оформление)",
        unit="per hour",
        better="up",
        numerator=("results",),
        denominator=OPERATOR_S,
        scale=PER_HOUR,
    ),
    Definition(
        id="results_per_paid_hour",
        name_en="Results per paid hour",
        name_ru="Результатов в оплаченный час",
        formula_en="results ÷ paid hours (logged in, pauses included)",
        formula_ru="результаты ÷ оплаченные часы (вся смена с паузами)",
        unit="per hour",
        better="up",
        numerator=("results",),
        denominator=PAID_S,
        scale=PER_HOUR,
    ),
    Definition(
        id="results_per_clock_hour",
        name_en="Results per clock hour",
        name_ru="Результатов в час по часам",
        formula_en="results ÷ hours of the period that have passed",
        formula_ru="результаты ÷ прошедшие часы периода",
        unit="per hour",
        better="up",
        numerator=("results",),
        denominator=("clock_s",),
        scale=PER_HOUR,
    ),
    Definition(
        id="decision_makers",
        name_en="Conversations with the decision maker",
        name_ru="Разговоры с ЛПР",
        formula_en="connected attempts whose disposition counts so",
        formula_ru="соединённые попытки, итог которых это отмечает",
        unit="count",
        better="up",
        numerator=("decision_makers",),
    ),
    Definition(
        id="closed_contacts",
        name_en="Closed contacts",
        name_ru="Закрытые контакты",
        formula_en="contacts that will not be called again, by when they were closed",
        formula_ru="контакты, которым больше не позвонят, по времени закрытия",
        unit="count",
        numerator=("closed",),
    ),
    Definition(
        id="closed_used_up",
        name_en="Closed, attempts used up",
        name_ru="Закрыты: попытки исчерпаны",
        formula_en="of the closed contacts, those whose attempts are used up",
        formula_ru="из закрытых контактов: исчерпаны попытки",
        unit="count",
        better="down",
        numerator=("closed_used_up",),
    ),
    Definition(
        id="calls_per_closed_contact",
        name_en="Calls per closed contact",
        name_ru="Звонков на закрытый контакт",
        formula_en="attempts that rang over the whole life of the contacts closed ÷ contacts closed",
        formula_ru="прозвонившие попытки за всю жизнь закрытых контактов ÷ закрытые контакты",
        unit="calls",
        better="down",
        numerator=("calls_of_closed",),
        denominator=("closed",),
    ),
    Definition(
        id="closed_contacts_per_hour",
        name_en="Closed contacts per hour",
        name_ru="Закрытых контактов в час",
        formula_en="contacts closed by a disposition ÷ operator hours",
        formula_ru="контакты, закрытые итогом ÷ часы операторов",
        unit="per hour",
        better="up",
        numerator=("closed_by_disposition",),
        denominator=OPERATOR_S,
        scale=PER_HOUR,
    ),
    Definition(
        id="operator_hours",
        name_en="Operator hours",
        name_ru="Часы операторов",
        formula_en="ready + ringing + preview + talking + wrap-up",
        formula_ru="готов + звонит телефон + просмотр + разговор + оформление",
        unit="h",
        numerator=OPERATOR_S,
        scale=1 / PER_HOUR,
    ),
    Definition(
        id="talk",
        name_en="Talk",
        name_ru="Разговор",
        formula_en="time talking ÷ connected attempts",
        formula_ru="время разговоров ÷ соединённые попытки",
        unit="s",
        numerator=("talk_s",),
        denominator=("connected",),
    ),
    Definition(
        id="wrap_up",
        name_en="Wrap-up",
        name_ru="Оформление",
        formula_en="time in wrap-up ÷ connected attempts",
        formula_ru="время оформления ÷ соединённые попытки",
        unit="s",
        better="down",
        numerator=("wrap_up_s",),
        denominator=("connected",),
    ),
    Definition(
        id="handling",
        name_en="Handling time",
        name_ru="Время обработки",
        formula_en="(talking, hold included, + wrap-up) ÷ connected attempts",
        formula_ru="(разговор с удержанием + оформление) ÷ соединённые попытки",
        unit="s",
        numerator=("talk_s", "wrap_up_s"),
        denominator=("connected",),
    ),
    Definition(
        id="idle",
        name_en="Idle between calls",
        name_ru="Простой между звонками",
        formula_en="time ready ÷ connected attempts",
        formula_ru="время готовности ÷ соединённые попытки",
        unit="s",
        better="down",
        numerator=("ready_s",),
        denominator=("connected",),
    ),
    Definition(
        id="occupancy",
        name_en="Occupancy",
        name_ru="Занятость",
        formula_en="(talking + wrap-up) ÷ operator hours",
        formula_ru="(разговор + оформление) ÷ часы операторов",
        unit="%",
        better="up",
        numerator=("talk_s", "wrap_up_s"),
        denominator=OPERATOR_S,
        scale=PERCENT,
    ),
    Definition(
        id="busy_share",
        name_en="Share of time talking",
        name_ru="Доля времени в разговоре",
        formula_en="talking ÷ operator hours",
        formula_ru="разговор ÷ часы операторов",
        unit="%",
        better="up",
        numerator=("talk_s",),
        denominator=OPERATOR_S,
        scale=PERCENT,
    ),
    Definition(
        id="paid_time_worked",
        name_en="Share of paid time worked",
        name_ru="Доля рабочего времени",
        formula_en="operator hours ÷ paid hours",
        formula_ru="часы операторов ÷ оплаченные часы",
        unit="%",
        better="up",
        numerator=OPERATOR_S,
        denominator=PAID_S,
        scale=PERCENT,
    ),
    *(
        Definition(
            id=fact,
            name_en=name_en,
            name_ru=name_ru,
            formula_en=FACTS[fact].en,
            formula_ru=FACTS[fact].ru,
            unit="count",
            better=better,
            numerator=(fact,),
        )
        for fact, name_en, name_ru, better in (
            ("dialled", "Dialled", "Набраны", ""),
            ("reached", "Reached", "Дозвонились", "up"),
            ("contacts_dialled", "Contacts dialled", "Набраны контакты", ""),
            ("contacts_reached", "Contacts reached", "Контакты с дозвоном", "up"),
            ("outcome_abandoned", "Outcome: abandoned", "Исход: потеряна", "down"),
            ("offers_heard", "Outcome: offer heard", "Исход: предложение прослушано", ""),
            ("no_answer", "Outcome: no answer", "Исход: нет ответа", ""),
            ("busy", "Outcome: busy", "Исход: занято", ""),
            ("machine", "Outcome: machine", "Исход: автоответчик", ""),
            ("invalid_number", "Outcome: invalid number", "Исход: неверный номер", "down"),
            ("congestion", "Outcome: congestion", "Исход: перегрузка", "down"),
            ("rejected", "Outcome: rejected", "Исход: отклонена", ""),
            ("failed", "Outcome: failed", "Исход: сбой", "down"),
            ("cancelled", "Outcome: cancelled", "Исход: отменена", ""),
            ("not_sent", "Outcome: not sent", "Исход: не отправлена", "down"),
            ("unknown", "Outcome: unknown", "Исход: неизвестен", "down"),
            ("said", "Dispositions", "Итоги разговоров", ""),
            ("leads", "Leads", "Лиды", "up"),
            ("leads_accepted", "Leads accepted", "Лиды приняты", "up"),
            ("leads_rejected", "Leads rejected", "Лиды отклонены", "down"),
            ("replacements_owed", "Replacements owed", "Должны замен", "down"),
            ("clients", "Clients", "Клиенты", "up"),
            ("return_calls", "Return calls", "Обратные звонки", ""),
            ("return_missed", "Missed return calls", "Пропущенные обратные звонки", "down"),
            ("promises_made", "Promises made", "Дано обещаний", ""),
            ("promises_kept", "Promises kept", "Обещания выполнены", "up"),
            ("promises_kept_late", "Promises kept late", "Обещания выполнены с опозданием", "down"),
            ("promises_broken", "Promises broken", "Обещания нарушены", "down"),
            ("promises_late", "Promises late", "Обещания просрочены", "down"),
            ("promises_cancelled", "Promises cancelled", "Обещания отменены", ""),
            ("promises_moved", "Promises moved", "Обещания перенесены", ""),
        )
    ),
    Definition(
        id="missed_return_calls",
        name_en="Share of missed return calls",
        name_ru="Доля пропущенных обратных звонков",
        formula_en="missed ÷ all return calls",
        formula_ru="пропущенные ÷ все обратные звонки",
        unit="%",
        better="down",
        numerator=("return_missed",),
        denominator=("return_calls",),
        scale=PERCENT,
    ),
    Definition(
        id="promises_due",
        name_en="Promises due",
        name_ru="Наступил срок обещаний",
        formula_en="promises due in the period: kept + broken + late; neither cancelled ones nor those still to come",
        formula_ru="обещания со сроком в периоде: выполнены + нарушены + просрочены; без отменённых и предстоящих",
        unit="count",
        numerator=_PROMISES_DUE,
    ),
    Definition(
        id="kept_share",
        name_en="Share of promises kept",
        name_ru="Доля выполненных обещаний",
        formula_en="kept, in time or late ÷ promises due (kept + broken + late)",
        formula_ru="выполнены, вовремя или позже ÷ наступил срок (выполнены + нарушены + просрочены)",
        unit="%",
        better="up",
        numerator=("promises_kept",),
        denominator=_PROMISES_DUE,
        scale=PERCENT,
    ),
    Definition(
        id="lead_acceptance",
        name_en="Share of leads accepted",
        name_ru="Доля принятых лидов",
        formula_en="leads accepted ÷ leads accepted or rejected, by when they were decided on",
        formula_ru="принятые лиды ÷ принятые и отклонённые, по времени решения",
        unit="%",
        better="up",
        numerator=("leads_accepted",),
        denominator=("leads_accepted", "leads_rejected"),
        scale=PERCENT,
    ),
    Definition(
        id="clients_per_hour",
        name_en="Clients per hour",
        name_ru="Клиентов в час",
        formula_en="leads that became clients ÷ operator hours",
        formula_ru="лиды, ставшие клиентами ÷ часы операторов",
        unit="per hour",
        better="up",
        numerator=("clients",),
        denominator=OPERATOR_S,
        scale=PER_HOUR,
    ),
    Definition(
        id="yield",
        name_en="Yield",
        name_ru="Отдача",
        formula_en="results ÷ attempts; by attempt number: of the 1st, 2nd … attempt at a contact",
        formula_ru="результаты ÷ попытки; по номеру попытки: 1-я, 2-я … попытка к контакту",
        unit="%",
        better="up",
        numerator=("results",),
        denominator=("attempts",),
        scale=PERCENT,
    ),
    Definition(
        id="base_freshness",
        name_en="Base freshness",
        name_ru="Свежесть базы",
        formula_en="1 − stale ÷ (fresh + stale + off target); a contact without a number that exists is stale",
        formula_ru="1 − устарели ÷ (верны + устарели + не целевые); контакт без живых номеров устарел",
        unit="%",
        better="up",
        numerator=("fresh", "off_target"),
        denominator=("fresh", "stale", "off_target"),
        scale=PERCENT,
    ),
    Definition(
        id="targeting",
        name_en="Targeting",
        name_ru="Попадание в аудиторию",
        formula_en="1 − off target ÷ reached",
        formula_ru="1 − не целевые ÷ дозвонились",
        unit="%",
        better="up",
        numerator=("reached",),
        less=("off_target",),
        denominator=("reached",),
        scale=PERCENT,
    ),
    Definition(
        id="paid_hours",
        name_en="Paid hours",
        name_ru="Оплаченные часы",
        formula_en="ready + ringing + preview + talking + wrap-up + paused: logged in",
        formula_ru="готов + звонит телефон + просмотр + разговор + оформление + пауза: вся смена",
        unit="h",
        numerator=PAID_S,
        scale=1 / PER_HOUR,
    ),
    *(
        Definition(
            id=f"answer_to_voice_p{percent}",
            name_en=f"Answer to voice, p{percent}",
            name_ru=f"От ответа до голоса, p{percent}",
            formula_en=f"from answer (after the key: from the key) to both sides bridged: {percent} % were faster",
            formula_ru=f"от ответа (после нажатия: от нажатия) до соединения: {percent} % быстрее",
            unit="ms",
            better="down",
            numerator=(f"voice_p{percent}_ms",),
        )
        for percent in (50, 95, 99)
    ),
)
