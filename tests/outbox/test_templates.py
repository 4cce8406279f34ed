"""What a template of a letter may say, and that whatever it says takes little time and reads nothing but the fields."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.core import letters
from dialer.outbox.templates import FIELDS, Flaw, check, fill

LINK = "https://dialer.example/unsubscribe/x"
FIELDS_TOLD = {
    **dict.fromkeys(FIELDS, "told"),
    "name": "Ада",
    "company": "",
    "contact": {"city": "Пермь", "items": "three", "__class__": "first"},
    "unsubscribe": LINK,
}

#: What a hostile template is made of.
WORDS = (
    *("{{ ", " }}", "{% if ", " %}", "{% endif %}", "{% for x in ", "name", "contact", ".", "['", "']", "|", "(", ")"),
    *("upper", "default", "~", "*", "9", "'a'", "and ", "not ", "\0", "текст", "\n", "__class__", " is defined"),
)


def flaw(text: str) -> str:
    with pytest.raises(Flaw) as error:
        check(text)
    return error.value.reason


def said(text: str, **fields) -> str:
    return fill("s", text, {**FIELDS_TOLD, **fields}, "en").body.split("\n\n--\n")[0]


def test_fields_headings_of_the_base_and_what_is_left_out_where_nothing_is_known():
    assert said("{{ name }} of {{ contact.city }}, {{ contact['city'] | upper }}") == "Ада of Пермь, ПЕРМЬ"
    assert said("{% if company %}of {{ company }}{% else %}alone{% endif %}") == "alone"
    assert said("{{ company | default('your company') }}") == "your company"
    assert said("{{ name ~ '!' if name == 'Ада' else 'nobody' }}") == "Ада!"


def test_a_field_that_nobody_knows_is_named_and_one_left_out_is_not():
    letter = fill("To {{ company }}", "{{ contact.street }} {{ name }} {{ company | default('-') }}", FIELDS_TOLD, "en")
    assert letter.missing == ("company", "contact.street")
    assert fill("s", "{% if company %}{{ company }}{% endif %}", FIELDS_TOLD, "en").missing == ()


def test_a_heading_is_never_an_attribute_of_python():
    """A base may have a column ``items`` or ``__class__``; without it there is nothing of that name."""
    assert said("{{ contact.items }} {{ contact.__class__ }}") == "three first"
    letter = fill("s", "{{ contact.keys }}{{ contact.__init__ }}", FIELDS_TOLD, "en")
    assert letter.missing == ("contact.keys", "contact.__init__")


@pytest.mark.parametrize(
    "text",
    [
        *("{% for x in contact %}{{ x }}{% endfor %}", "{% set a = 1 %}", "{{ range(9) }}", "{% include 'x' %}"),
        *("{% macro a() %}{% endmacro %}", "{{ name() }}", "{{ name.upper() }}", "{{ ''.__class__.__mro__ }}"),
        *("{{ name[0] }}", "{{ contact[name] }}", "{{ 'a' * 999999999 }}", "{{ 9 ** 99999 }}", "{{ [1, 2] }}"),
        *("{{ name", "{% if %}", "{{ contact.city.__class__ }}", "{% import 'os' as os %}", "{{ {'a': 1} }}"),
        *("{% extends 'x' %}", "{% block a %}{% endblock %}", "{% call x() %}{% endcall %}"),
        "{{ " + "(" * 3000 + "name" + ")" * 3000 + " }}",
        "{% if name %}" * 30 + "{% endif %}" * 30,
        "{{name}}" * 2001,
    ],
)
def test_what_calls_loops_assigns_or_reaches_into_objects_is_no_template(text):
    assert flaw(text) == "template"


@pytest.mark.parametrize(
    "text", ["{{ nmae }}", "{{ self }}", "{{ config }}", "{{ name | attr('x') }}", "{{ name|safe }}"]
)
def test_a_field_that_does_not_exist_is_named_when_it_is_saved(text):
    assert flaw(text) == "unknown"


def test_a_subject_is_one_line_and_nothing_is_longer_than_a_letter():
    letter = fill("To {{ name }}", "x", {**FIELDS_TOLD, "name": "Eve\r\nBcc: all@example.com"}, "en")
    assert letter.subject == "To Eve Bcc: all@example.com"
    assert flaw("x" * 20_001) == "too_long"
    for subject, body in (("{{ agreed }}", "x"), ("s", "{{ agreed }}" * 20)):
        with pytest.raises(Flaw) as error:
            fill(subject, body, {**FIELDS_TOLD, "agreed": "long " * 800}, "en")
        assert error.value.reason == "too_long"


def test_every_letter_says_how_to_get_no_more():
    for language in letters.LANGUAGES:
        assert LINK in fill("s", "x", FIELDS_TOLD, language).body
    assert fill("s", "stop: {{ unsubscribe }}", FIELDS_TOLD, "en").body.count(LINK) == 1


def test_paragraphs_stay_and_what_is_left_out_leaves_no_hole():
    text = "Hello.\n{% if company %}\nof {{ company }}\n{% endif %}{% if agreed %}\n{{ agreed }}\n{% endif %}\nBye."
    assert said(text) == "Hello.\n\ntold\n\nBye."


@pytest.mark.parametrize(("word", "language"), list(letters.DEFAULT))
def test_the_letters_that_nobody_has_changed_fit_every_contact(word, language):
    subject, body = letters.text_of(word, language)
    empty = {"customer": "Acme", "date": "1 May 2026", "unsubscribe": LINK, "contact": {}}
    assert fill(subject, body, empty, language).missing == ()
    assert "Ада" in fill(subject, body, FIELDS_TOLD, language).body


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=60).map("".join) | st.text(max_size=200))
def test_no_text_takes_long_or_ends_in_anything_but_a_letter_or_a_flaw(text):
    began = time.process_time()
    try:
        letter = fill("s", text, FIELDS_TOLD, "en")
    except Flaw:
        letter = None
    assert time.process_time() - began < 1.0
    assert letter is None or len(letter.body) < 60_000
