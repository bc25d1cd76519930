"""How everybody's plugins are found: entry points, whose groups say enough that nothing is imported in vain.

A package declares what it adds in its `pyproject.toml`; edgeml's own plugins are declared in the same way:

    [project.entry-points."edgeml.executors.rtl"]
    verilator = "edgeml.targets.fpga.executors.verilator:VerilatorExecutor"

The name is what users call the plugin by. The value is an object that follows the protocol of its kind, or a class
that makes one without arguments. The group is that of the kind (`edgeml.executors`), and may end in a word (`rtl`):
then the value is imported only for what the word fits, and without a word for everything. A name may stand in several
groups of its kind, with the same value.

| group | what a plugin adds | the words that fit |
|---|---|---|
| `edgeml.converters` | a form (`--to`) | |
| `edgeml.targets` | a kind of hardware (`kind` in a profile) | |
| `edgeml.executors` | something that runs a bundle (`--on`) | the bundle's form, the kind of its target, the folders in it, the kinds of its layers |
| `edgeml.readers` | a format that models come in | the ending of a path; of a Python object, the packages that its classes come from |
| `edgeml.graph_readers` | ONNX files with operators of others | |
| `edgeml.program_readers` | programs of torch.export with operators of others | |
| `edgeml.keras_readers` | Keras files with layers of others | |
| `edgeml.provers` | proofs for all inputs (`edgeml verify --prove`) | as of executors |
| `edgeml.inspections` | rules that `edgeml inspect` checks a file by | the ending of the path |
| `edgeml.boards` | an emulated board (`edgeml hil --emulate`) | |
| `edgeml.kernels` | a way to multiply in generated C | the kind of the target |
"""  # noqa: E501

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar

from .errors import EdgemlError, InputError, MissingTool, ToolFailed, printable
from .meant_name import name_remedy

__all__ = ["Registered", "Registry", "ending"]

_Plugin = TypeVar("_Plugin")


@dataclass(frozen=True)
class Registered(Generic[_Plugin]):
    """A plugin that is known, and not imported yet.

    Parameters
    ----------
    noun : what it is, in errors: `executor`.
    name : what users call it by.
    value : the object, as `module:name`.
    packages : the installed packages that declare it, each with its version; more than one is an error when loaded.
    words : for what it is; empty for everything.
    protocol : what it must follow.
    """

    noun: str
    name: str
    value: str
    packages: tuple[str, ...]
    words: frozenset[str]
    protocol: type[_Plugin]

    def load(self) -> _Plugin:
        """Import it.

        Raises
        ------
        InputError : two packages declare different plugins of this name.
        MissingTool : a package that it imports is not installed.
        ToolFailed : it cannot be imported for another reason, or does not follow its protocol.
        """
        if len(self.packages) > 1:
            both = " and ".join(self.packages)
            raise InputError(f"{self.noun} {self.name!r}", f"is offered by two packages, {both}", "Remove one of them")
        where = f"{self.noun} {self.name!r} of package {self.packages[0]}"
        try:
            found: Any = EntryPoint(self.name, self.value, "").load()
            plugin = found() if isinstance(found, type) else found
        except EdgemlError:
            raise
        except ImportError as error:
            raise MissingTool(where, f"cannot be imported ({error})", "Install what it needs") from error
        except Exception as error:  # whatever code of others fails with
            words = printable(f"{type(error).__name__}: {error}", 300)
            raise ToolFailed(where, f"cannot be loaded from {self.value} ({words})", "Update or remove it") from error
        if not isinstance(plugin, self.protocol):
            absent = [member for member in _members(self.protocol) if not hasattr(plugin, member)]
            asked = f"{self.protocol.__module__}.{self.protocol.__name__}"
            raise ToolFailed(where, f"does not follow {asked}: it lacks {', '.join(absent)}", "Update or remove it")
        for call in _calls(self.protocol):
            if taken := call.misfit(getattr(plugin, call.name)):
                asked = f"{self.protocol.__module__}.{self.protocol.__name__}"
                problem = f"does not follow {asked}: {taken} should be {call}"
                raise ToolFailed(where, problem, "Update or remove it")
        return plugin


@dataclass(frozen=True)
class _Call:
    """How a method of a protocol is called: by the names of its parameters."""

    name: str
    positional: tuple[str, ...]
    keywords: tuple[str, ...]

    def __str__(self) -> str:
        star = ("*", *self.keywords) if self.keywords else ()
        return f"{self.name}({', '.join((*self.positional, *star))})"

    def misfit(self, method: Callable[..., Any]) -> str:
        """What the method looks like, if it cannot be called so; else ""."""
        try:
            signature = inspect.signature(method)
        except (TypeError, ValueError):  # code without Python's signature
            return ""
        try:
            signature.bind(*self.positional, **dict.fromkeys(self.keywords))
        except TypeError:
            return f"{self.name}({', '.join(signature.parameters)})"
        return ""


def _calls(protocol: type) -> tuple[_Call, ...]:
    """How each method that a protocol asks for is called."""
    calls = []
    for name, member in sorted(vars(protocol).items()):
        if inspect.isfunction(member) and not name.startswith("_"):
            kinds = {each.name: each.kind for each in list(inspect.signature(member).parameters.values())[1:]}
            positional = tuple(each for each, kind in kinds.items() if kind is inspect.Parameter.POSITIONAL_OR_KEYWORD)
            keywords = tuple(each for each, kind in kinds.items() if kind is inspect.Parameter.KEYWORD_ONLY)
            calls.append(_Call(name, positional, keywords))
    return tuple(calls)


def _members(protocol: type) -> list[str]:
    """What a protocol asks for, by name."""
    return sorted(name for name in {*inspect.get_annotations(protocol), *vars(protocol)} if not name.startswith("_"))


class Registry(Generic[_Plugin]):
    """All plugins of one kind.

    Parameters
    ----------
    group : of the entry points, e.g. `edgeml.executors`.
    noun : what one of them is called in errors.
    protocol : what each follows (`runtime_checkable`), or a base class.
    """

    def __init__(self, group: str, noun: str, protocol: type[_Plugin]) -> None:
        self._group, self._noun, self._protocol = group, noun, protocol

    def all(self) -> dict[str, Registered[_Plugin]]:
        """Every plugin by name, in the order of the names; nothing is imported."""
        return {
            name: Registered(self._noun, name, value, packages, words, self._protocol)
            for name, (value, packages, words) in _declared(self._group, tuple(sys.path)).items()
        }

    def fitting(self, words: Iterable[str]) -> dict[str, Registered[_Plugin]]:
        """The plugins for everything, and those for one of `words`."""
        given = {_word(word) for word in words}
        return {name: entry for name, entry in self.all().items() if not entry.words or entry.words & given}

    def load(self, name: str) -> _Plugin:
        """The plugin called `name`. Raises InputError naming the known ones, and what `Registered.load` raises."""
        known = self.all()
        if name not in known:
            remedy = name_remedy(name, known, None if known else "Known: none installed")
            raise InputError(f"{self._noun} {printable(repr(name), 60)}", "is not known", remedy)
        return known[name].load()


def ending(path: str) -> str:
    """The word of a path: its ending in lower case, without the dot; of `module.py:factory` `py`."""
    match = re.search(r"\.(\w+)(?::[^:/\\]*)?$", path)
    return match[1].lower() if match else ""


def _word(text: str) -> str:
    """As it may stand in the name of a group."""
    return re.sub(r"\W", "_", text)


@lru_cache(maxsize=64)
def _declared(group: str, path: tuple[str, ...]) -> dict[str, tuple[str, tuple[str, ...], frozenset[str]]]:
    """(value, packages, words) of each name of a group and of its groups with words; `path` is `sys.path`."""
    values: dict[str, dict[str, str]] = {}
    words: dict[str, set[str]] = {}
    declared = entry_points()
    for each in sorted(declared.groups):
        if each != group and not each.startswith(f"{group}."):
            continue
        for entry in declared.select(group=each):
            package = f"{entry.dist.name} {entry.dist.version}" if entry.dist is not None else "unknown"
            values.setdefault(entry.name, {}).setdefault(entry.value, package)
            words.setdefault(entry.name, set()).add(each[len(group) + 1 :])
    return {
        name: (
            next(iter(values[name])),
            tuple(sorted(values[name].values())),
            frozenset() if "" in words[name] else frozenset(words[name]),
        )
        for name in sorted(values)
    }
