"""The names of our channels on the switch, and back."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from dialer.engine import switch
from dialer.engine.switch import ATTEMPT, LEG, channel_of, id_of
from dialer.store.ids import new_id, stored


@pytest.mark.parametrize("prefix", [ATTEMPT, LEG])
def test_a_channel_leads_back_to_what_it_was_named_after(prefix):
    """To the very same id, whichever class it is of."""
    for uid in (uuid4(), new_id()):
        assert id_of(channel_of(prefix, uid)) == (prefix, uid)
        assert id_of(channel_of(prefix, uid))[1] is uid


def test_a_channel_of_an_engine_before_this_one_is_read_from_its_name():
    """Nobody here named it."""
    uid = uuid4()
    assert id_of(f"att-{uid.hex}") == ("att-", uid)


@pytest.mark.parametrize("channel_id", ["", "att-", "att-xyz", "1700000000.1", "opr_" + "0" * 32])
def test_any_other_channel_is_not_ours(channel_id):
    """Also when it was asked about before."""
    assert id_of(channel_id) is None
    assert id_of(channel_id) is None


def test_what_channels_mean_is_not_remembered_for_ever():
    """A year of calls must not stay in memory; what was forgotten is read again."""
    first = uuid4()
    named = channel_of(ATTEMPT, first)
    for _ in range(2 * switch.SEEN_LATELY):
        channel_of(ATTEMPT, uuid4())
    assert len(switch._seen_lately) <= switch.SEEN_LATELY
    assert id_of(named) == (ATTEMPT, first)


def test_an_id_is_the_uuid_it_was_made_of():
    """In dictionaries, in order and in text nobody can tell it from one of the standard library."""
    plain = uuid4()
    made = stored(plain)
    assert isinstance(made, UUID)
    assert (made, hash(made), str(made), made.hex, made.version) == (plain, hash(plain), str(plain), plain.hex, 4)
    assert {plain: 1}[made] == {made: 1}[plain] == 1
    assert sorted([made, UUID(int=0)]) == [UUID(int=0), plain]
    assert new_id() != new_id()
