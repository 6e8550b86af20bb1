"""What an object is made of, as one digest: its fields, and the source of the functions and classes that it uses.

The digest is the same in every process. It holds no address, no module's name of the user's, and no order of a set.
Code of this package and of installed libraries counts by name: this package's formulas have versions (`identity`).
"""

import dataclasses
import enum
import functools
import hashlib
import inspect
import io
import json
import linecache
import sys
import sysconfig
import textwrap
import tokenize
import types
from collections.abc import Iterator
from pathlib import Path

import numpy as np

PACKAGE = __name__.partition(".")[0]
LIMIT = 5000
SCALARS = (bool, int, float, str, type(None))
CONTAINERS = (dict, list, set, bytearray)
# What the class statement, abc and typing put into a class.
MADE = {"__hash__", "__annotate__", "__annotate_func__", "_abc_impl", "_is_protocol", "_is_runtime_protocol"}
METHODS = (types.FunctionType, staticmethod, classmethod, property)


def fingerprint(obj: object, data: bool = True) -> str:
    """Digest an object: its fields, and the source of the functions and classes that it uses, with their helpers.

    A function counts by its source text, without comments and blank lines, if that text compiles to the code that
    runs. Lambdas, and functions without such a text (typed at a prompt, read from stdin), count by their code object,
    which differs between versions of Python. Global helpers and closures count, too. Lists and dictionaries that a
    function reaches do not count: functions keep caches and counts there.

    Parameters
    ----------
    obj : object
        Anything. What cannot be looked into counts by its type.
    data : bool
        Whether numbers and arrays that functions reach in closures and globals count.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    return _Walk(obj, data).tree(obj)


def digest(tree: object) -> str:
    """Return the SHA-256 of JSON values, in hexadecimal digits."""
    return hashlib.sha256(json.dumps(tree, sort_keys=True).encode()).hexdigest()


def root(thing: object) -> str:
    """The top-level package in which a function or class was made."""
    return str(getattr(thing, "__module__", None) or "").partition(".")[0]


@functools.lru_cache(maxsize=None)
def is_library(module: str) -> bool:
    """Whether a top-level module is the standard library's or installed, and not the user's own file."""
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is None:
        return module in sys.stdlib_module_names or module == "builtins"
    path = Path(file)
    return path.is_relative_to(sysconfig.get_path("stdlib")) or bool({"site-packages", "dist-packages"} & {*path.parts})


class _Walk:
    """One walk through an object; every part becomes a digest of its own, so that shared parts are looked at once."""

    def __init__(self, obj: object, data: bool):
        self.data = data
        # An installed package of the user's is looked into if the object itself comes from there.
        self.own = {root(obj), root(type(obj)), root(getattr(obj, "func", None))} - {""}
        self.known: dict[int, tuple[str, object]] = {}
        self.open: list[int] = []

    def tree(self, obj: object) -> str:
        """The digest of one part."""
        if type(obj) in SCALARS:
            return digest([type(obj).__name__, obj])
        if id(obj) in self.known:
            return self.known[id(obj)][0]
        if id(obj) in self.open:
            return digest(["cycle", self.open.index(id(obj))])
        if len(self.known) > LIMIT:
            return digest("more")
        self.open.append(id(obj))
        try:
            found = digest(self.parts(obj))
        except Exception:  # an object may raise anything when it is looked at
            found = digest(["object", type(obj).__qualname__])
        self.open.pop()
        self.known[id(obj)] = found, obj  # kept alive, or another object could get its address
        return found

    def parts(self, obj: object) -> list:
        """What a part consists of, by its type."""
        if isinstance(obj, enum.Enum):
            return ["enum", type(obj).__qualname__, obj.name]
        if isinstance(obj, (bytes, complex, type(...), np.dtype, range, slice)):
            return ["value", repr(obj)]
        if isinstance(obj, np.generic):
            return ["number", obj.dtype.str, repr(obj.item())]
        if isinstance(obj, np.ndarray):
            return self.array(obj)
        if isinstance(obj, (tuple, list)):
            return ["sequence", *map(self.tree, obj)]
        if isinstance(obj, (set, frozenset)):
            return ["set", *sorted(map(self.tree, obj))]
        if isinstance(obj, dict):
            return ["dict", *sorted([self.tree(key), self.tree(value)] for key, value in obj.items())]
        return self.code_parts(obj)

    def array(self, a: np.ndarray) -> list:
        if a.dtype.hasobject:
            return ["objects", list(a.shape), *map(self.tree, a.ravel().tolist())]
        return ["array", list(a.shape), a.dtype.str, hashlib.sha256(np.ascontiguousarray(a).tobytes()).hexdigest()]

    def code_parts(self, obj: object) -> list:
        if isinstance(obj, types.ModuleType):
            return ["module", obj.__name__.rpartition(".")[2]]
        if isinstance(obj, types.CodeType):
            return self.code(obj)
        if isinstance(obj, functools.partial):
            return ["partial", self.tree(obj.func), self.tree(obj.args), self.tree(obj.keywords)]
        if isinstance(obj, types.MethodType):
            return ["method", self.tree(obj.__func__), self.tree(obj.__self__)]
        if isinstance(obj, (staticmethod, classmethod)):
            return [type(obj).__name__, self.tree(obj.__func__)]
        if isinstance(obj, property):
            return ["property", *map(self.tree, (obj.fget, obj.fset))]
        if isinstance(obj, (types.BuiltinFunctionType, np.ufunc)):
            return ["builtin", obj.__name__]
        if isinstance(obj, types.FunctionType):
            return self.by_name(obj) or self.function(obj)
        if isinstance(obj, type):
            return self.by_name(obj) or self.type(obj)
        if hasattr(obj, "__wrapped__"):
            return ["wrapped", self.tree(obj.__wrapped__)]
        return ["object", self.tree(type(obj)), self.fields(obj)]

    def by_name(self, thing: types.FunctionType | type) -> list | None:
        """The name of what belongs to this package or to a library; None for what is the user's."""
        package, name = root(thing), thing.__qualname__
        if "<" in name or not (package == PACKAGE or (package not in self.own and is_library(package))):
            return None
        return ["named", package, name]

    def function(self, f: types.FunctionType) -> list:
        cells = zip(f.__code__.co_freevars, f.__closure__ or (), strict=True)
        reached = {f"closure {name}": cell for name, cell in cells}
        return [
            "function",
            source(f) or self.tree(f.__code__),
            self.tree(f.__defaults__),
            self.tree(f.__kwdefaults__),
            {name: self.reached(_contents(cell)) for name, cell in reached.items()},
            {name: self.reached(value) for name, value in global_names(f, self.is_own)},
        ]

    def is_own(self, module: types.ModuleType) -> bool:
        package = module.__name__.partition(".")[0]
        return package != PACKAGE and (package in self.own or not is_library(package))

    def reached(self, value: object) -> str:
        """The digest of what a function finds in its closure or globals."""
        is_data = isinstance(value, (*SCALARS, np.ndarray, np.generic, tuple, complex, bytes))
        if isinstance(value, CONTAINERS) or (is_data and not self.data):
            return type(value).__name__
        if not is_data and not callable(value) and self.by_name(type(value)) and root(type(value)) != PACKAGE:
            return type(value).__name__  # a logger, a lock, a file
        return self.tree(value)

    def code(self, code: types.CodeType) -> list:
        shape = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount)
        names = (code.co_names, code.co_varnames, code.co_freevars)
        return ["code", code.co_code.hex(), *shape, *map(list, names), *map(self.tree, code.co_consts)]

    def type(self, cls: type) -> list:
        """A class of the user's: its bases, and what stands in its body."""
        generated = "__dataclass_fields__" in vars(cls)
        body = {
            name: self.reached(value)
            for name, value in vars(cls).items()
            if _is_body(name, value) and not (generated and _is_generated(value))
        }
        return ["class", [self.tree(base) for base in cls.__bases__ if base is not object], body]

    def fields(self, obj: object) -> dict:
        """A data class's fields that are not at their default, or the attributes without a leading underscore."""
        if dataclasses.is_dataclass(obj):
            found = {field.name: (self.tree(getattr(obj, field.name)), field) for field in dataclasses.fields(obj)}
            return {name: tree for name, (tree, field) in found.items() if tree != self.tree(_default(field))}
        slots = {name for cls in type(obj).__mro__ for name in _slots(cls) if hasattr(obj, name)}
        values = {**{name: getattr(obj, name) for name in slots}, **getattr(obj, "__dict__", {})}
        look = self.reached if is_library(root(type(obj))) else self.tree
        return {name: look(value) for name, value in values.items() if not name.startswith("_")}


def _contents(cell: types.CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # it is not filled yet
        return None


def _is_body(name: str, value: object) -> bool:
    """Whether an entry of a class is what somebody wrote: a method, or data without underscores around its name."""
    return name not in MADE and (isinstance(value, METHODS) or not (name.startswith("__") and name.endswith("__")))


def _is_generated(value: object) -> bool:
    # dataclasses makes its methods from text.
    return getattr(getattr(value, "__code__", None), "co_filename", "") == "<string>"


def _default(field: dataclasses.Field) -> object:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _slots(cls: type) -> tuple[str, ...]:
    slots = cls.__dict__.get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)


def global_names(f: types.FunctionType, is_own) -> Iterator[tuple[str, object]]:
    """Yield (name, value) of each global that the function uses; of a user's module, what is used of it."""
    names = sorted({name for code in codes(f.__code__) for name in code.co_names})
    for name in names:
        if name not in f.__globals__:
            continue
        value = f.__globals__[name]
        yield name, value
        if isinstance(value, types.ModuleType) and is_own(value):
            yield from ((f"{name}.{part}", vars(value)[part]) for part in names if part in vars(value))


def codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """Yield a code object and all that stand in it."""
    yield code
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            yield from codes(const)


def source(f: types.FunctionType) -> str | None:
    """The function's text without comments and blank lines; None for a lambda, or if it is not what runs.

    A file may have been edited since it was imported: only a text that compiles to the function's code counts.
    """
    code = f.__code__
    if code.co_name == "<lambda>":
        return None
    linecache.checkcache(code.co_filename)
    lines = linecache.getlines(code.co_filename, f.__globals__)
    try:
        whole = compiled("".join(lines))
    except (SyntaxError, ValueError):
        return None
    if not any(each == code for each in codes(whole)):
        return None
    return plain(textwrap.dedent("".join(inspect.getblock(lines[code.co_firstlineno - 1 :]))))


@functools.lru_cache(maxsize=16)
def compiled(text: str) -> types.CodeType:
    """A whole file's code."""
    return compile(text, "<text>", "exec", dont_inherit=True)


def plain(text: str) -> str:
    """The text without comments, blank lines and blanks at the ends of lines."""
    lines = text.splitlines()
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                row, column = token.start
                lines[row - 1] = lines[row - 1][:column]
    except (tokenize.TokenError, SyntaxError):
        return text
    return "\n".join(line.rstrip() for line in lines if line.strip())
