"""A check of the pickle in a checkpoint before it is loaded.

PyTorch's weights-only loader runs no code of a stranger, but it does copy: a pickle of one megabyte
can make it fill gigabytes. This module follows the instructions of a pickle without carrying them
out. It keeps the kind of each value that the loader would hold, and refuses everything that plain
dictionaries of tensors do not need. In particular:

* The only calls are those that rebuild a tensor or a parameter, or make an empty ``OrderedDict`` or
  a small ``torch.Size``. Each has arguments of the right kinds, so that no call copies anything
  large.
* A container is complete once another one holds it. Therefore no structure contains itself, and its
  depth is known.
* The numbers of instructions and calls, the depth and the length of texts are bounded.

The module knows pickles as ``torch.save`` writes them (protocol 2). It does not know zip files or
networks.
"""

import pickletools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Any

from trmsolve.errors import WeightsError

MOST_INSTRUCTIONS = 100_000
"""A tensor takes about 50 instructions, so this is room for 2000 tensors.

Checkpoints of a TRM have about 100.
"""

MOST_CALLS = 1_000
CALLS_PER_RECORD = 8
"""A file may have ``MOST_CALLS`` calls, and this many more for each of its records.

A tensor takes two or three.
"""

DEEPEST = 100
"""The most containers inside each other."""

LONGEST_TEXT = 1 << 16
"""The most characters of one text."""

MOST_DIMENSIONS = 8
PROTOCOL = 2


class Kind(Enum):
    """The kind of a value in the pickle, as far as it matters here."""

    TEXT = auto()
    WHOLE = auto()
    """A whole number."""
    FLAG = auto()
    """True or False."""
    OTHER = auto()
    """None, a float, a dtype or a ``torch.Size``, with which nothing is done."""
    SIZES = auto()
    """A tuple of at most ``MOST_DIMENSIONS`` whole numbers."""
    TUPLE = auto()
    LIST = auto()
    DICT = auto()
    ORDERED = auto()
    """An ``OrderedDict``."""
    FUNCTION = auto()
    STORAGE_CLASS = auto()
    STORAGE = auto()
    TENSOR = auto()


KEYS = (Kind.TEXT, Kind.WHOLE, Kind.FLAG, Kind.OTHER)
"""The kinds that a key may have. Hashing nested tuples with shared parts could take for ever."""

STORAGE_ID = (Kind.TEXT, Kind.STORAGE_CLASS, Kind.TEXT, Kind.TEXT, Kind.WHOLE)
"""The parts of a storage's name: the word "storage", class, record, device and length."""

_TENSOR = (Kind.STORAGE, Kind.WHOLE, Kind.SIZES, Kind.SIZES, Kind.FLAG, Kind.ORDERED)
CALLS: dict[str, tuple[tuple[Kind, ...], Kind]] = {
    "torch._utils _rebuild_tensor_v2": (_TENSOR, Kind.TENSOR),
    "torch._utils _rebuild_parameter": ((Kind.TENSOR, Kind.FLAG, Kind.ORDERED), Kind.TENSOR),
    "collections OrderedDict": ((), Kind.ORDERED),
    "torch Size": ((Kind.SIZES,), Kind.OTHER),
}
"""The functions that may be called, with the kinds of their arguments and of their result."""

NUMBERS = ("Double", "Float", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool")
GLOBALS = {
    **dict.fromkeys(CALLS, Kind.FUNCTION),
    **{f"torch {name}Storage": Kind.STORAGE_CLASS for name in NUMBERS},
    **{f"torch {name}": Kind.OTHER for name in ("float64", "float32", "float16", "bfloat16")},
}
"""The names that may be looked up, written as ``pickletools`` gives them: module, blank, name."""


class _Unneeded(Exception):
    """Says what the pickle holds that no checkpoint needs."""


@dataclass(slots=True, eq=False)
class _Value:
    """A value as the loader would hold it, as far as is needed to judge its use."""

    kind: Kind
    name: str = ""
    """The name of a function."""
    items: tuple["_Value", ...] = ()
    """The items of a short tuple, or the keys of a small dict."""
    depth: int = 0
    """How many containers are inside each other, this one included."""
    placed: bool = False
    """Whether another container holds it, so that it must stay as it is."""


_SCALARS = {kind: _Value(kind) for kind in KEYS}
_METADATA = _Value(Kind.TEXT)
"""The text ``_metadata``, the one attribute that the ``OrderedDict`` of a module's state has."""


def check_pickle(path: Path, payload: bytes, records: int) -> None:
    """Raise WeightsError for a pickle that a checkpoint of weights would not have.

    ``path`` is named in the error, ``payload`` holds the pickle's bytes, and ``records`` is the
    number of entries in the archive around it. The memory that is needed is bounded by
    ``MOST_INSTRUCTIONS`` values and a few copies of ``payload``, whatever is in it.
    """
    try:
        _Walk(MOST_CALLS + CALLS_PER_RECORD * records).go_through(payload)
    except _Unneeded as unneeded:
        if b"_modules" in payload and b"_parameters" in payload:  # attributes of every module
            raise WeightsError(
                f"{path} is a whole pickled model: save its weights alone, "
                "with torch.save(model.state_dict(), FILE)"
            ) from None
        raise WeightsError(
            f"{path}: it contains {unneeded}, which is not allowed in a checkpoint"
        ) from None
    except (ValueError, IndexError, KeyError, OverflowError):
        raise WeightsError(
            f"{path}: its pickle is damaged: download or save the file again"
        ) from None


class _Walk:
    """Goes through a pickle with the stack, the marks and the memo that the loader would have.

    Methods raise IndexError or KeyError where the loader would, on an empty stack or for a place in
    the memo that was not filled.
    """

    def __init__(self, most_calls: int) -> None:
        self.most_calls = most_calls
        self.calls = 0
        self.stack: list[_Value] = []
        self.outer: list[list[_Value]] = []
        """The stacks that were put aside at marks."""
        self.memo: dict[int, _Value] = {}

    def go_through(self, payload: bytes) -> None:
        """Follow all instructions.

        Raises _Unneeded, or ValueError where the pickle is damaged.
        """
        for count, (opcode, argument, _) in enumerate(pickletools.genops(payload)):
            if count == 0 and (opcode.name, argument) != ("PROTO", PROTOCOL):
                raise _Unneeded("a pickle with a protocol other than 2")
            if count >= MOST_INSTRUCTIONS:
                raise _Unneeded(f"a pickle of more than {MOST_INSTRUCTIONS} instructions")
            follow = INSTRUCTIONS.get(opcode.name)
            if follow is None:
                raise _Unneeded(f"the pickle instruction {opcode.name}")
            follow(self, argument)
        if self.stack or self.outer:
            raise _Unneeded("values outside its single object")

    def ignore(self, _: Any) -> None:
        """Nothing: the protocol was checked before."""

    def push_text(self, text: str) -> None:
        """Push a text literal."""
        if len(text) > LONGEST_TEXT:
            raise _Unneeded(f"a text of {len(text)} characters")
        self.stack.append(_METADATA if text == "_metadata" else _SCALARS[Kind.TEXT])

    def push_global(self, name: str) -> None:
        """Push a function, class or constant that is looked up by its name."""
        if name not in GLOBALS:
            raise _Unneeded(f"the name {name[:100].replace(' ', '.')}")
        self.stack.append(_Value(GLOBALS[name], name))

    def mark(self, _: Any) -> None:
        """Put the stack aside and begin another."""
        if len(self.outer) >= 2 * DEEPEST:  # a dict or list and a call's arguments, on each level
            raise _Unneeded(f"marks more than {2 * DEEPEST} deep")
        self.outer.append(self.stack)
        self.stack = []

    def since_mark(self) -> list[_Value]:
        """Take the values since the last mark; the stack before it comes back."""
        values = self.stack
        self.stack = self.outer.pop()
        return values

    def last(self, number: int) -> list[_Value]:
        """Take the last values from the stack."""
        if number > len(self.stack):
            raise IndexError
        begin = len(self.stack) - number
        values = self.stack[begin:]
        del self.stack[begin:]
        return values

    def push_tuple(self, values: Sequence[_Value]) -> None:
        """Push a tuple of these values."""
        is_short = len(values) <= MOST_DIMENSIONS
        are_sizes = is_short and all(value.kind is Kind.WHOLE for value in values)
        kind = Kind.SIZES if are_sizes else Kind.TUPLE
        made = _Value(kind, items=tuple(values) if is_short else ())
        self.place(values, made)
        self.stack.append(made)

    def place(self, values: Sequence[_Value], container: _Value) -> None:
        """Note that the container holds these values."""
        for value in values:
            if value is container:
                raise _Unneeded("a container inside itself")
            container.depth = max(container.depth, value.depth + 1)
            value.placed = True
        if container.depth > DEEPEST:
            raise _Unneeded(f"containers more than {DEEPEST} deep")

    def append(self, values: Sequence[_Value]) -> None:
        """Append the values to the list on the stack."""
        self.place(values, self.unfinished(Kind.LIST))

    def set_items(self, values: Sequence[_Value]) -> None:
        """Put keys and values, which alternate, into the dict on the stack."""
        container = self.unfinished(Kind.DICT, Kind.ORDERED)
        keys = values[::2]
        if len(values) % 2:
            raise ValueError("a key without a value")
        if any(key.kind not in KEYS for key in keys):
            raise _Unneeded("a key that is neither a text nor a number")
        if len(container.items) <= 1:  # more are not asked for
            container.items += tuple(keys[:2])
        self.place(values, container)

    def unfinished(self, *kinds: Kind) -> _Value:
        """The container on the stack, which must be of one of these kinds.

        Raises _Unneeded if it is not, and if another container holds it already.
        """
        container = self.stack[-1]
        if container.kind not in kinds:
            raise _Unneeded("items for an object that is neither a list nor a dict")
        if container.placed:
            raise _Unneeded("a container that changes after it was put into another one")
        return container

    def call(self, _: Any) -> None:
        """Call a function with a tuple of arguments."""
        self.calls += 1
        if self.calls > self.most_calls:
            raise _Unneeded(f"more than {self.most_calls} calls")
        function, arguments = self.last(2)
        if function.kind is not Kind.FUNCTION:
            raise _Unneeded("a call of something that is not a function")
        expected, result = CALLS[function.name]
        if not _are_items(arguments, expected):
            raise _Unneeded(f"a call of {function.name.replace(' ', '.')} with unusual arguments")
        self.stack.append(_Value(result))

    def storage(self, _: Any) -> None:
        """Push a reference to a record of the archive."""
        (identifier,) = self.last(1)
        if not _are_items(identifier, STORAGE_ID):
            raise _Unneeded("a reference that is not a storage")
        self.stack.append(_Value(Kind.STORAGE))

    def set_attributes(self, _: Any) -> None:
        """Set attributes of an ``OrderedDict``; a module's state has only its versions there."""
        (attributes,) = self.last(1)
        container = self.unfinished(Kind.ORDERED)
        is_free_dict = attributes.kind is Kind.DICT and not attributes.placed
        if not is_free_dict or attributes.items != (_METADATA,):
            raise _Unneeded("attributes that a state dict does not have")
        self.place([attributes], container)

    def remember(self, place: int) -> None:
        """Keep the last value of the stack in the memo."""
        self.memo[place] = self.stack[-1]

    def recall(self, place: int) -> None:
        """Push what is in the memo."""
        self.stack.append(self.memo[place])

    def stop(self, _: Any) -> None:
        """The value of the pickle is complete."""
        self.stack.pop()


def _are_items(value: _Value, kinds: tuple[Kind, ...]) -> bool:
    """Whether the value is a tuple with items of these kinds."""
    if value.kind not in (Kind.TUPLE, Kind.SIZES):
        return False
    # The items of a long tuple are not kept.
    is_long = value.kind is Kind.TUPLE and not value.items
    return not is_long and tuple(item.kind for item in value.items) == kinds


Instruction = Callable[[_Walk, Any], None]


def _pushing(kind: Kind) -> Instruction:
    """An instruction that pushes a scalar."""
    scalar = _SCALARS[kind]
    return lambda walk, _: walk.stack.append(scalar)


def _making(kind: Kind) -> Instruction:
    """An instruction that pushes an empty container."""
    return lambda walk, _: walk.stack.append(_Value(kind, depth=1))


def _tuple_of(number: int) -> Instruction:
    """An instruction that makes a tuple of so many values on the stack."""
    return lambda walk, _: walk.push_tuple(walk.last(number))


INSTRUCTIONS: dict[str, Instruction] = {
    "PROTO": _Walk.ignore,
    "STOP": _Walk.stop,
    "NONE": _pushing(Kind.OTHER),
    "BINFLOAT": _pushing(Kind.OTHER),
    "NEWTRUE": _pushing(Kind.FLAG),
    "NEWFALSE": _pushing(Kind.FLAG),
    "BININT": _pushing(Kind.WHOLE),
    "BININT1": _pushing(Kind.WHOLE),
    "BININT2": _pushing(Kind.WHOLE),
    "LONG1": _pushing(Kind.WHOLE),
    "BINUNICODE": _Walk.push_text,
    "GLOBAL": _Walk.push_global,
    "MARK": _Walk.mark,
    "EMPTY_TUPLE": _tuple_of(0),
    "TUPLE1": _tuple_of(1),
    "TUPLE2": _tuple_of(2),
    "TUPLE3": _tuple_of(3),
    "TUPLE": lambda walk, _: walk.push_tuple(walk.since_mark()),
    "EMPTY_LIST": _making(Kind.LIST),
    "APPEND": lambda walk, _: walk.append(walk.last(1)),
    "APPENDS": lambda walk, _: walk.append(walk.since_mark()),
    "EMPTY_DICT": _making(Kind.DICT),
    "SETITEM": lambda walk, _: walk.set_items(walk.last(2)),
    "SETITEMS": lambda walk, _: walk.set_items(walk.since_mark()),
    "REDUCE": _Walk.call,
    "BINPERSID": _Walk.storage,
    "BUILD": _Walk.set_attributes,
    "BINPUT": _Walk.remember,
    "LONG_BINPUT": _Walk.remember,
    "BINGET": _Walk.recall,
    "LONG_BINGET": _Walk.recall,
}
"""The instructions that ``torch.save`` writes for tensors, texts, numbers and containers."""
