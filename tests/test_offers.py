"""Recordings become what the line carries; what is none, or could do harm, is refused in a sentence."""

from __future__ import annotations

import contextlib
import io
import math
import struct
import wave

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer import offers
from dialer.errors import Refused


def tone(seconds=2.0, rate=44_100, channels=2, volume=0.5, hertz=440):
    """A WAV file of a tone."""
    frames = int(seconds * rate)
    samples = [round(32_000 * volume * math.sin(2 * math.pi * hertz * n / rate)) for n in range(frames)]
    file = io.BytesIO()
    with wave.open(file, "wb") as made:
        made.setnchannels(channels)
        made.setsampwidth(2)
        made.setframerate(rate)
        made.writeframes(b"".join(struct.pack("<h", one) * channels for one in samples))
    return file.getvalue()


async def refused(doing):
    with pytest.raises(Refused) as error:
        await doing
    return error.value.code


def loudness(audio):
    """The root mean square of what is heard, of samples of 16 bits."""
    with wave.open(io.BytesIO(offers.wav(audio))) as read:
        assert (read.getframerate(), read.getnchannels(), read.getsampwidth()) == (8000, 1, 2)
        samples = struct.unpack(f"<{read.getnframes()}h", read.readframes(read.getnframes()))
    return math.sqrt(sum(one * one for one in samples) / len(samples))


@pytest.mark.parametrize("volume", [0.05, 0.9])
async def test_a_recording_of_any_loudness_is_heard_as_loud(volume):
    """Stereo of a studio becomes one channel of a telephone line, of the same length."""
    audio = await offers.converted(tone(volume=volume))
    assert len(audio) / offers.RATE == pytest.approx(2.0, abs=0.1)
    assert loudness(audio) == pytest.approx(16_000, rel=0.1)


@pytest.mark.parametrize("language", ["en", "ru"])
async def test_a_voice_reads_a_text_in_both_languages(language):
    text = {"en": "Hello. Press one.", "ru": "Добрый день. Нажмите один."}[language]
    audio = await offers.spoken(text, language)
    assert 0.8 < len(audio) / offers.RATE < 8
    assert loudness(audio) > 300


async def test_a_text_is_data_and_never_an_argument(tmp_path):
    """What looks like an option or a command is read out."""
    hostile = f"--version -w {tmp_path}/x.wav; touch {tmp_path}/y `id` $(id)"
    assert len(await offers.spoken(hostile, "en")) > offers.RATE
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "offer.kind"),
        (b"#!/bin/sh\nid", "offer.kind"),
        (b"<svg onload=alert(1)>", "offer.kind"),
        (b"RIFF" + b"\xff" * 5000, "offer.unreadable"),
        (b"OggS" + b"\0" * 5000, "offer.unreadable"),
        (tone(seconds=0.2), "offer.short"),
        (tone(volume=0), "offer.short"),  # the silence before the first word is cut: nothing is left
        (tone(seconds=185, rate=8000, channels=1), "offer.long"),
    ],
)
async def test_what_cannot_be_an_offer_is_refused(data, code):
    assert await refused(offers.converted(data)) in {code, "offer.unreadable" if code == "offer.short" else code}


async def test_a_header_that_lies_about_the_length_ends_no_memory():
    """Four gigabytes are promised; what is there is read."""
    lying = bytearray(tone())
    lying[4:8] = lying[40:44] = b"\xff\xff\xff\xff"
    audio = await offers.converted(bytes(lying))
    assert len(audio) / offers.RATE < 3


@settings(max_examples=15, deadline=None)
@given(st.binary(max_size=400), st.sampled_from([b"RIFF", b"fLaC", b"OggS", b"FORM", b"ID3"]))
async def test_noise_behind_a_good_beginning_is_refused_or_read_and_never_breaks(noise, mark):
    with contextlib.suppress(Refused):
        assert await offers.converted(mark + noise)


def test_every_byte_of_the_line_is_the_sample_of_the_standard():
    """G.711: 0 at both zeros, the largest at both ends, symmetric."""
    values = [int.from_bytes(sample, "little", signed=True) for sample in offers._SAMPLES]
    assert (values[0xFF], values[0x7F], values[0x80], values[0x00]) == (0, 0, 32_124, -32_124)
    assert [values[n] for n in range(0x80)] == [-values[n + 0x80] for n in range(0x80)]
    assert sorted(values[:0x80]) == values[:0x80]


def test_a_file_is_on_the_switch_only_whole(tmp_path):
    offers.place(tmp_path, "o7", b"x" * 4000)
    assert [path.name for path in tmp_path.iterdir()] == ["offer-o7.ulaw"]
    assert offers.placed(tmp_path, "o7", 4000)
    assert not offers.placed(tmp_path, "o7", 4001)
    assert not offers.placed(tmp_path, "o8", 4000)
