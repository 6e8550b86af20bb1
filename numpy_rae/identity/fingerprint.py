"""Compute a digest of an object: of its fields, and of the source of the functions and classes that it uses.

The digest is the same in every process. It does not depend on addresses, on the names of the user's modules, or on the
order of a set. For code of this package and of installed libraries, only the name enters the digest. The formulas of
this package have versions, see `run_identity`.
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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from numpy_rae._validation import Array

PACKAGE = __name__.partition(".")[0]
LIMIT = 5000
SCALARS = (bool, int, float, str, type(None))
CONTAINERS = (dict, list, set, bytearray)
# Entries that the class statement, abc and typing add to a class.
MADE = {"__hash__", "__annotate__", "__annotate_func__", "_abc_impl", "_is_protocol", "_is_runtime_protocol"}
METHODS = (types.FunctionType, staticmethod, classmethod, property)


def fingerprint(obj: object, data: bool = True) -> str:
    """Compute the digest of an object: of its fields, and of the source of the functions and classes that it uses.

    For a function, its source text enters the digest, without comments and blank lines, if this text compiles to the
    code that runs. For lambdas, and for functions without such a text (typed at a prompt or read from stdin), the code
    object enters. It differs between versions of Python. Global functions and closures that a function uses enter as
    well. Lists and dictionaries that it uses do not, because functions often keep caches and counters in them.

    Parameters
    ----------
    obj : object
        Any object. If a part cannot be inspected, only its type enters the digest.
    data : bool
        Whether numbers and arrays in the closures and globals of functions enter the digest.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    return _Walk(obj, data).tree(obj)


def digest(tree: object) -> str:
    """Return the SHA-256 of JSON values.

    Parameters
    ----------
    tree : object
        Values of JSON's types. The order of the keys of a dict does not matter.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    return hashlib.sha256(json.dumps(tree, sort_keys=True).encode()).hexdigest()


def _root(thing: object) -> str:
    """Return the top-level package in which a function or class was defined."""
    return str(getattr(thing, "__module__", None) or "").partition(".")[0]


@functools.cache
def _is_library(module: str) -> bool:
    """Return whether a top-level module is in the standard library or installed, and not a file of the user."""
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is None:
        return module in sys.stdlib_module_names or module == "builtins"
    path = Path(file)
    return path.is_relative_to(sysconfig.get_path("stdlib")) or bool({"site-packages", "dist-packages"} & {*path.parts})


class _Walk:
    """Inspects an object and its parts. Every part gets its own digest, so shared parts are inspected only once."""

    def __init__(self, obj: object, data: bool):
        self.data = data
        # An installed package is inspected if the object itself comes from it.
        self.own = {_root(obj), _root(type(obj)), _root(getattr(obj, "func", None))} - {""}
        self.known: dict[int, tuple[str, object]] = {}
        self.open: list[int] = []

    def tree(self, obj: object) -> str:
        """Return the digest of one part."""
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
        except Exception:  # an object may raise anything when it is inspected
            found = digest(["object", type(obj).__qualname__])
        self.open.pop()
        self.known[id(obj)] = found, obj  # kept alive, or another object could get its address
        return found

    def parts(self, obj: object) -> list[Any]:
        """Return the content of a part. Its form depends on the type of the part."""
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

    def array(self, a: Array) -> list[Any]:
        """Return shape, dtype and content of an array."""
        if a.dtype.hasobject:
            return ["objects", list(a.shape), *map(self.tree, a.ravel().tolist())]
        return ["array", list(a.shape), a.dtype.str, hashlib.sha256(np.ascontiguousarray(a).tobytes()).hexdigest()]

    def code_parts(self, obj: object) -> list[Any]:
        """Return the content of a function, a class or any other object."""
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

    def by_name(self, thing: types.FunctionType | type) -> list[Any] | None:
        """Return the name of code of this package or of a library. Return None for code of the user."""
        package, name = _root(thing), thing.__qualname__
        if "<" in name or not (package == PACKAGE or (package not in self.own and _is_library(package))):
            return None
        return ["named", package, name]

    def function(self, f: types.FunctionType) -> list[Any]:
        """Return the source of a function of the user, its defaults, and the objects that it uses."""
        cells = zip(f.__code__.co_freevars, f.__closure__ or (), strict=True)
        reached = {f"closure {name}": cell for name, cell in cells}
        return [
            "function",
            _source(f) or self.tree(f.__code__),
            self.tree(f.__defaults__),
            self.tree(f.__kwdefaults__),
            {name: self.reached(_contents(cell)) for name, cell in reached.items()},
            {name: self.reached(value) for name, value in _global_names(f, self.is_own)},
        ]

    def is_own(self, module: types.ModuleType) -> bool:
        """Return whether a module belongs to the user."""
        package = module.__name__.partition(".")[0]
        return package != PACKAGE and (package in self.own or not _is_library(package))

    def reached(self, value: object) -> str:
        """Return the digest of a value in the closure or in the globals of a function."""
        is_data = isinstance(value, (*SCALARS, np.ndarray, np.generic, tuple, complex, bytes))
        if isinstance(value, CONTAINERS) or (is_data and not self.data):
            return type(value).__name__
        if not is_data and not callable(value) and self.by_name(type(value)) and _root(type(value)) != PACKAGE:
            return type(value).__name__  # a logger, a lock, a file
        return self.tree(value)

    def code(self, code: types.CodeType) -> list[Any]:
        """Return the content of a code object, without the positions in its file."""
        shape = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount)
        names = (code.co_names, code.co_varnames, code.co_freevars)
        return ["code", code.co_code.hex(), *shape, *map(list, names), *map(self.tree, code.co_consts)]

    def type(self, cls: type) -> list[Any]:
        """Return the bases and the body of a class of the user."""
        generated = "__dataclass_fields__" in vars(cls)
        body = {
            name: self.reached(value)
            for name, value in vars(cls).items()
            if _is_body(name, value) and not (generated and _is_generated(value))
        }
        return ["class", [self.tree(base) for base in cls.__bases__ if base is not object], body]

    def fields(self, obj: object) -> dict[str, str]:
        """Return the fields of a data class that are not at their default, or the attributes without an underscore."""
        if dataclasses.is_dataclass(obj):
            found = {field.name: (self.tree(getattr(obj, field.name)), field) for field in dataclasses.fields(obj)}
            return {name: tree for name, (tree, field) in found.items() if tree != self.tree(_default(field))}
        slots = {name for cls in type(obj).__mro__ for name in _slots(cls) if hasattr(obj, name)}
        values = {**{name: getattr(obj, name) for name in slots}, **getattr(obj, "__dict__", {})}
        look = self.reached if _is_library(_root(type(obj))) else self.tree
        return {name: look(value) for name, value in values.items() if not name.startswith("_")}


def _contents(cell: types.CellType) -> object:
    """Return the value of a variable in a closure, or None if it has no value yet."""
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _is_body(name: str, value: object) -> bool:
    """Return whether the user wrote this entry of a class: a method, or data whose name is not of the form __name__."""
    return name not in MADE and (isinstance(value, METHODS) or not (name.startswith("__") and name.endswith("__")))


def _is_generated(value: object) -> bool:
    """Return whether `dataclasses` generated a method."""
    return getattr(getattr(value, "__code__", None), "co_filename", "") == "<string>"


def _default(field: dataclasses.Field[Any]) -> object:
    """Return the default of a field."""
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _slots(cls: type) -> tuple[str, ...]:
    """Return the names in `__slots__` of a class."""
    slots = cls.__dict__.get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _global_names(f: types.FunctionType, is_own: Callable[[types.ModuleType], bool]) -> Iterator[tuple[str, object]]:
    """Yield (name, value) of each global that the function uses, and of each name in a user's module that it uses."""
    names = sorted({name for code in _codes(f.__code__) for name in code.co_names})
    for name in names:
        if name not in f.__globals__:
            continue
        value = f.__globals__[name]
        yield name, value
        if isinstance(value, types.ModuleType) and is_own(value):
            yield from ((f"{name}.{part}", vars(value)[part]) for part in names if part in vars(value))


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """Yield a code object and all code objects in it."""
    yield code
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            yield from _codes(const)


def _source(f: types.FunctionType) -> str | None:
    """Return the text of a function without comments and blank lines. Return None for a lambda.

    A file can change after its import. If its text does not compile to the code of the function, return None.
    """
    code = f.__code__
    if code.co_name == "<lambda>":
        return None
    linecache.checkcache(code.co_filename)
    lines = linecache.getlines(code.co_filename, f.__globals__)
    try:
        whole = _compiled("".join(lines))
    except (SyntaxError, ValueError):
        return None
    if not any(each == code for each in _codes(whole)):
        return None
    return _plain(textwrap.dedent("".join(inspect.getblock(lines[code.co_firstlineno - 1 :]))))


@functools.lru_cache(maxsize=16)
def _compiled(text: str) -> types.CodeType:
    """Return the code of a whole file."""
    return compile(text, "<text>", "exec", dont_inherit=True)


def _plain(text: str) -> str:
    """Return the text without comments, blank lines and spaces at the ends of lines."""
    lines = text.splitlines()
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                row, column = token.start
                lines[row - 1] = lines[row - 1][:column]
    except (tokenize.TokenError, SyntaxError):
        return text
    return "\n".join(line.rstrip() for line in lines if line.strip())
