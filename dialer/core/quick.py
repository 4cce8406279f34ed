"""Frozen dataclasses and enums that are used thousands of times a second, at less than half of the price.

The constructor that ``dataclass`` writes for a frozen class looks for ``object.__setattr__`` and for the field's name
at each field, and ``replace`` looks at each field by its name, too: a tenth of all time of a busy engine. ``quick``
writes both anew for one class. An object is filled while it is of a twin class with the same slots that is not frozen,
and becomes one of the class before anybody sees it; where fields are few, each is set by its slot's own descriptor.
Nothing else changes: parameters, defaults, type, equality and immutability are those of the dataclass.

    @quick
    @dataclass(frozen=True, slots=True, kw_only=True)
    class LiveAttempt: ...

To look up a member of an enum at its class takes Python 3.11 ten times as long as to compare two of them, since the
class has a ``__getattr__`` of its own. ``members`` are the same members on an object without one:

    S = members(AttemptState)
"""

from __future__ import annotations

import dataclasses
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from dataclasses import replace
else:

    def replace(value: Any, /, **changes: Any) -> Any:  # the type checker sees dataclasses.replace, and its fields
        """The same with some fields changed, as ``dataclasses.replace``; quick for a class that is ``quick``."""
        quickly = getattr(value, "__replace__", None)
        return dataclasses.replace(value, **changes) if quickly is None else quickly(**changes)


__all__ = ["members", "quick", "replace"]

T = TypeVar("T")
E = TypeVar("E", bound=Enum)


#: Fewer fields than this are set one by one sooner than an object becomes another one and back.
FEW = 5


class _Members:
    """Nothing but attributes."""


def members(of: type[E]) -> type[E]:
    """The members of an enum by name, and nothing else of its class; for the type checker it is the class."""
    plain: Any = _Members()
    vars(plain).update(of.__members__)
    found: type[E] = plain
    return found


def quick(cls: type[T]) -> type[T]:
    """Give a frozen dataclass with slots, without ``__post_init__``, a quick constructor and a quick ``replace``."""
    fields: tuple[dataclasses.Field[Any], ...] = dataclasses.fields(cls)  # type: ignore[arg-type]  # it is a dataclass
    twin = type(cls.__name__, (), {"__slots__": [field.name for field in fields]})
    known: dict[str, Any] = {"_new": object.__new__, "_cls": cls, "_twin": twin, "_absent": object()}
    known["_become"] = object.__setattr__
    for field in fields:
        known[f"_set_{field.name}"] = getattr(cls, field.name).__set__
        known[f"_default_{field.name}"] = field.default
        known[f"_make_{field.name}"] = field.default_factory
    by_place = [_parameter(field) for field in fields if not field.kw_only]
    by_name = [_parameter(field) for field in fields if field.kw_only]
    parameters = ", ".join([*by_place, *(["*"] if by_name else []), *by_name])
    if len(fields) < FEW:
        sets = [f"_set_{field.name}(self, {_value(field)})" for field in fields]
    else:
        filled = [f"self.{field.name} = {_value(field)}" for field in fields]
        sets = ["_become(self, '__class__', _twin)", *filled, "self.__class__ = _cls"]
    _write(cls, "__init__", parameters, sets, known)
    known["__init__"].__annotations__ = cls.__init__.__annotations__
    parameters = ", ".join(["*", *(f"{field.name}=_absent" for field in fields)])
    sets = [f"new.{f.name} = self.{f.name} if {f.name} is _absent else {f.name}" for f in fields]
    lines = ["new = _new(_twin)", *sets, "new.__class__ = _cls", "return new"]
    _write(cls, "__replace__", parameters, lines, known)
    for name in ("__init__", "__replace__"):
        setattr(cls, name, known[name])
    return cls


def _write(cls: type, name: str, parameters: str, lines: list[str], known: dict[str, Any]) -> None:
    exec("\n ".join([f"def {name}(self, {parameters}):", *lines]), known)  # noqa: S102  # names of fields only
    known[name].__qualname__ = f"{cls.__qualname__}.{name}"


def _parameter(field: dataclasses.Field[Any]) -> str:
    if field.default is not dataclasses.MISSING:
        return f"{field.name}=_default_{field.name}"
    return field.name if field.default_factory is dataclasses.MISSING else f"{field.name}=_absent"


def _value(field: dataclasses.Field[Any]) -> str:
    """What a field is set to; a default that is not shared is made at each call."""
    if field.default_factory is dataclasses.MISSING:
        return field.name
    return f"_make_{field.name}() if {field.name} is _absent else {field.name}"
