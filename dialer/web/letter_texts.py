"""The editor of a campaign's letters: what they say, seen with a real contact, in whose name and under which rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dialer.core import letters as core
from dialer.core.letters import Rule
from dialer.errors import NotFound, Refused
from dialer.outbox import smtp
from dialer.outbox.templates import FIELDS, About, Flaw, check, fields_of, fill
from dialer.store.letters import Composed, Sender, mailbox
from dialer.web import pages, schemas, texts
from dialer.web.access import BASES, Role
from dialer.web.letters import no_server

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aiohttp import web

    from dialer.web.call import Call

#: Letters to look at that one user may send in an hour.
TESTS_MAX = 10
_HEADINGS_MAX = 12


async def read(call: Call) -> schemas.CampaignLetters:
    """Rule, sender and texts of a campaign's letters."""
    stores = call.stores.letter_texts
    writer = await stores.writer(call.id())
    return schemas.CampaignLetters(
        campaign_id=call.id(),
        rule=schemas.LetterRuleView.model_validate(await stores.rule(call.id())),
        sender=schemas.LetterSenderView.model_validate(writer.sender) if writer.sender else None,
        texts=[
            schemas.LetterTextView.model_validate(one) for one in await stores.templates(call.id(), await _words(call))
        ],
    )


async def set_rule(call: Call, ask: schemas.LetterRuleBody) -> schemas.CampaignLetters:
    """Change what holds for the letters."""
    await call.stores.letter_texts.set_rule(call.id(), Rule(**ask.model_dump()), actor=call.actor)
    return await read(call)


async def set_sender(call: Call, ask: schemas.LetterSender) -> schemas.CampaignLetters:
    """Say in whose name they go.

    Raises:
        Refused: ``letter.address``.
    """
    await call.stores.letter_texts.set_sender(call.id(), Sender(**ask.model_dump()), actor=call.actor)
    return await read(call)


async def save(call: Call, ask: schemas.LetterText) -> schemas.CampaignLetters:
    """Save the next version of a letter.

    Raises:
        Refused: ``letter.template``: it is no text of a letter, and why.
        NotFound: ``letter.unknown_word``.
    """
    await _known(call, ask.word)
    for field in ("subject", "body"):
        try:
            check(getattr(ask, field))
        except Flaw as flaw:
            sentence = _sentence(call, flaw)
            raise Refused(
                "letter.template",
                sentence,
                remedy="Correct the text.",
                fields=[{"field": field, "message": sentence}],
            ) from None
    await call.stores.letter_texts.save(
        call.id(), ask.word, ask.language, subject=ask.subject, body=ask.body, now=call.now, actor=call.actor
    )
    return await read(call)


async def preview(call: Call, ask: schemas.LetterPreviewAsk) -> schemas.LetterSeen:
    """A text as one of the campaign's contacts would get it; what nobody knows of the contact is named.

    Raises:
        NotFound: ``contact.not_found``: it is none of those to look with.
    """
    samples = await call.stores.letter_texts.samples(call.id())
    sample = next((row for row in samples if row["id"] == ask.contact), None)
    if sample is None:
        raise NotFound("contact.not_found", "There is no such contact to look with.")
    return await _seen(call, sample, ask.language, ask.subject, ask.body)


async def test(call: Call, ask: schemas.LetterTestAsk) -> schemas.Done:
    """Send the saved letter to an address of one's own.

    Raises:
        Refused: ``letter.no_server``, ``letter.no_sender``, ``letter.address``, ``letter.too_many``,
            ``letter.template``, ``letter.not_taken``.
    """
    server = smtp.server_of(call.context.settings)
    if server is None:
        raise no_server()
    to = mailbox(ask.to, "to")
    await _known(call, ask.word)
    writer = await call.stores.letter_texts.writer(call.id())
    if writer.sender is None:
        raise Refused("letter.no_sender", "Nobody has said in whose name it goes.", remedy="Save the sender first.")
    if await call.stores.letter_texts.tried(call.id(), now=call.now, actor=call.actor) > TESTS_MAX:
        raise Refused("letter.too_many", "That is enough for this hour.", remedy="Wait an hour.")
    templates = await call.stores.letter_texts.templates(call.id(), [ask.word])
    chosen = next(one for one in templates if one.language == ask.language)
    samples = await call.stores.letter_texts.samples(call.id())
    sample = samples[0] if samples else {"name": "", "attributes": {}, "agreed": "", "operator": ""}
    seen = await _seen(call, {"person": "", "company": "", **sample}, ask.language, chosen.subject, chosen.body)
    if seen.flaw:
        raise Refused("letter.template", seen.flaw, remedy="Correct the text.")
    said = Composed(subject=seen.subject or "-", body=seen.body, version=chosen.version)
    uid = f"<test.{call.now.timestamp():.6f}@{writer.sender.address.rpartition('@')[2]}>"
    mail = smtp.mail_of(writer.sender, to, said, uid=uid, at=call.now)
    if why := await smtp.send_one(server, mail):
        raise Refused("letter.not_taken", f"The mail server did not take it: {why}.", remedy="See what it says.")
    return schemas.Done()


async def page(call: Call, ask: schemas.LetterTextQuery) -> web.Response:
    """The editor."""
    stores, campaign = call.stores.letter_texts, await call.stores.campaigns.get(call.id())
    words = await _words(call)
    word = ask.word if ask.word in words else words[0]
    templates = await stores.templates(campaign.id, words)
    template = next(one for one in templates if (one.word, one.language) == (word, ask.language))
    samples = await stores.samples(campaign.id)
    seen = schemas.LetterSeen(subject="", body="", missing=[])
    if samples:
        seen = await _seen(call, samples[0], ask.language, template.subject, template.body)
    return pages.page_for(
        call,
        "letter_editor.html",
        "/campaigns",
        help_of="letters",
        campaign=campaign,
        words=words,
        text=template,
        versions=await stores.versions(campaign.id, word, ask.language),
        samples=samples,
        seen=seen,
        fields=[name for name in FIELDS if name != "contact"],
        headings=sorted({name for row in samples for name in row["attributes"]})[:_HEADINGS_MAX],
        rule=await stores.rule(campaign.id),
        writer=await stores.writer(campaign.id),
        server=smtp.server_of(call.context.settings) is not None,
        admin=Role(call.user.role) is Role.ADMIN,
        may=Role(call.user.role) in BASES,
    )


async def _words(call: Call) -> Sequence[str]:
    """The letters of a campaign: those every campaign has, and those its dispositions have of their own."""
    campaign = await call.stores.campaigns.get(call.id())
    own = [kind.letter for kind in campaign.dispositions if kind.letter and not kind.archived]
    return list(dict.fromkeys([*core.WORDS, *own]))


async def _known(call: Call, word: str) -> None:
    if word not in await _words(call):
        raise NotFound("letter.unknown_word", "No disposition of the campaign brings such a letter.")


async def _seen(call: Call, sample: Mapping[str, Any], language: str, subject: str, body: str) -> schemas.LetterSeen:
    about = await call.stores.letter_texts.about(call.id())
    rule = await call.stores.letter_texts.rule(call.id())
    known = {name: sample[name] for name in ("name", "attributes", "agreed", "operator", "person", "company")}
    given = About(**known, **about, language=language, made_at=call.now, rule=rule)
    link = f"{call.context.settings.origin}/unsubscribe/…"
    try:
        letter = fill(subject, body, fields_of(given, link), language)
    except Flaw as flaw:
        return schemas.LetterSeen(subject="", body="", missing=[], flaw=_sentence(call, flaw))
    return schemas.LetterSeen(subject=letter.subject, body=letter.body, missing=list(letter.missing))


def _sentence(call: Call, flaw: Flaw) -> str:
    """Why a text is no letter, in the reader's language."""
    return texts.TEXTS[call.user.language][f"letter.reason.{flaw.reason}"] + f": {flaw.detail}"
