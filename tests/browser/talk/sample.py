"""A script and a brief to work with."""

from __future__ import annotations

BRIEF = "We sell paper in boxes to offices of 10 to 200 people.\n\nA result is an agreed trial delivery with a day."
BODY = {
    "steps": [
        {
            "id": "hello",
            "title": "Greeting",
            "text": "Good day, {name}! This is Anna from Paper & Sons. Who orders the paper at {Company}?",
            "answers": [
                {"text": "I do", "to": "offer"},
                {"text": "Somebody else", "to": "who"},
                {"text": "Not interested", "to": None},
            ],
        },
        {
            "id": "offer",
            "title": "Offer",
            "text": "We bring the first box for nothing. Which day next week suits you?",
            "answers": [{"text": "Names a day", "to": None}, {"text": "Too expensive?", "to": "price"}],
        },
        {
            "id": "who",
            "title": "Decision maker",
            "text": "Whom may I ask for, and when?",
            "answers": [{"text": "Gives a name", "to": "offer"}],
        },
        {"id": "price", "title": "Price", "text": "The box after that is 19.90, carried upstairs.", "answers": []},
    ],
    "scenarios": {"any": "hello"},
    "objections": [
        {"title": "We have a supplier", "text": "Keep him. One box for nothing lets you compare, {name}."},
        {"title": "Send it by mail", "text": "Gladly. To which address, and when may I ask what you think?"},
    ],
}
