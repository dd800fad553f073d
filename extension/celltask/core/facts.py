"""Facts: what there is to say of one function or class so that two that do the same say the same."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Mapping
from types import FunctionType, GetSetDescriptorType, MemberDescriptorType, ModuleType
from typing import TYPE_CHECKING

from celltask.core.constants import AMBIENT, kind_of, literal_text, peek
from celltask.core.decorators import kept_decorators
from celltask.core.modules import assigned_expressions, resolved
from celltask.core.names import Chain, chains_in_code, chains_in_expression, imports_in_code
from celltask.core.normal import (
    annotation_text,
    code_text,
    dump,
    hashed,
    parameters_text,
    shortened,
    without_docstring,
)
from celltask.core.references import content, functions_of, refer, wrapped_in
from celltask.core.source import class_node, function_tree

if TYPE_CHECKING:
    from celltask.core.closure import Closure

__all__ = ["class_parts", "function_facts", "joined"]

_MISSING = object()
_FIELDS = ("__dataclass_fields__", "__attrs_attrs__", "__pydantic_fields__")
_FIELD_SETTINGS = ("default", "default_factory", "validator", "converter", "metadata", "alias", "kw_only", "init")


def function_facts(closure: Closure, function: FunctionType, label: str) -> dict[str, str]:
    """Everything that counts of one function, by kind and name: ``{"body": …, "default lr": "0.1", …}``.

    Args:
        closure: Takes in what the function reaches.
        function: The function.
        label: Its label in the closure; ``""`` for the root.
    """
    code, namespace = function.__code__, function.__globals__
    at = f"{label}." if label else ""
    facts = {"parameters": parameters_text(code)}
    for name, value in _defaults(function):
        facts[f"default {name}"] = shortened(content(closure, value, at + name))
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        try:
            facts[f"closure {name}"] = shortened(content(closure, cell.cell_contents, at + name))
        except ValueError:  # a cell that is not filled yet
            facts[f"closure {name}"] = "unbound"
    for number, inner in enumerate(wrapped_in(function)):
        facts[f"wrapped {number}"] = refer(closure, inner, at + "wrapped")
    tree = function_tree(function)
    chains = set(chains_in_code(code))
    if tree is None:
        facts["body"] = hashed(code_text(code, lambda value: refer(closure, value, at)))
        facts.update(_annotation_facts(closure, function, at))
    else:
        facts["body"] = hashed(dump(without_docstring(tree, tree.body) if isinstance(tree.body, list) else tree.body))
        chains |= _written_facts(tree, namespace, facts)
    facts.update(_name_facts(closure, chains, namespace))
    package = str(namespace.get("__package__") or "")
    for module, level, names in imports_in_code(code):
        for reached in resolved(module, level, names, package):
            closure.note_module(reached)
    return facts


def _defaults(function: FunctionType) -> Iterator[tuple[str, object]]:
    code, values = function.__code__, function.__defaults__ or ()
    yield from zip(code.co_varnames[code.co_argcount - len(values) : code.co_argcount], values, strict=True)
    yield from (function.__kwdefaults__ or {}).items()


def _written_facts(
    tree: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, namespace: Mapping[str, object], facts: dict[str, str]
) -> set[Chain]:
    """Put what stands around the body into `facts`: types, decorators. Return the names these read."""
    given = tree.args
    arguments = [*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs, given.kwarg]
    notes = {f"type {item.arg}": item.annotation for item in arguments if item is not None and item.annotation}
    if isinstance(tree, ast.Lambda):
        return set()
    if tree.returns:
        notes["returns"] = tree.returns
    chains: set[Chain] = set()
    for key, node in notes.items():
        facts[key] = annotation_text(node)
        chains |= {chain for chain in chains_in_expression(node, annotation=True) if _is_bound(chain, namespace)}
    kept = list(kept_decorators(tree.decorator_list, namespace))
    if kept:
        facts["decorators"] = " ".join(f"@{ast.unparse(item)}" for item in kept)
    for item in kept:
        chains |= {chain for chain in chains_in_expression(item) if _is_bound(chain, namespace)}
    generic: list[ast.AST] = getattr(tree, "type_params", [])  # since Python 3.12
    if generic:
        facts["type parameters"] = ", ".join(ast.unparse(item) for item in generic)
    return chains


def _is_bound(chain: Chain, namespace: Mapping[str, object]) -> bool:
    # A type may be known to type checkers only, and a decorator be a local of the function around.
    return chain[0] in namespace


def _annotation_facts(closure: Closure, function: FunctionType, at: str) -> dict[str, str]:
    """The types of a function whose source is not known."""
    facts = {}
    for name, value in function.__annotations__.items():
        key = "returns" if name == "return" else f"type {name}"
        facts[key] = value if isinstance(value, str) else refer(closure, value, at + name)
    return facts


def _name_facts(closure: Closure, chains: set[Chain], namespace: Mapping[str, object]) -> dict[str, str]:
    """What each name means that is read, for those that do not mean the same everywhere."""
    facts = {}
    for chain in sorted(chains):
        name = chain[0]
        if name.startswith(("@", "__")) or name in AMBIENT:
            continue  # `@py_assert1` is pytest's; `__name__` and `__file__` say where the code stands, not what it does
        found = _meaning(closure, chain, namespace)
        if found is not None:
            facts[f"name {'.'.join(found[0])}"] = found[1]
    return facts


def _meaning(closure: Closure, chain: Chain, namespace: Mapping[str, object]) -> tuple[Chain, str] | None:
    value = namespace.get(chain[0], _MISSING)
    if value is _MISSING and hasattr(builtins, chain[0]):
        return None
    if _is_root(closure, chain[0], value, namespace):
        return chain[:1], "itself"
    if value is _MISSING:
        closure.parts[f"unbound {chain[0]}"] = ""
        return chain[:1], "unbound"
    used, owner = 1, namespace
    for attribute in chain[1:]:
        # isinstance alone would run code of a foreign object (`__class__`).
        if not issubclass(type(value), ModuleType) or not isinstance(value, ModuleType):
            break
        if not closure.is_followed(value.__name__, vars(value)):
            break
        inner = peek(value, attribute, _MISSING)
        if inner is _MISSING:
            break
        owner, value, used = vars(value), inner, used + 1
    return chain[:used], _bound(closure, chain[used - 1], value, owner)


def _is_root(closure: Closure, name: str, value: object, namespace: Mapping[str, object]) -> bool:
    """Whether a global is the function itself: not bound yet, bound to its task, or still to its older definition."""
    if closure.root is None or name != closure.root.__code__.co_qualname or not closure.is_home(namespace):
        return False
    function = peek(value, "function", value)
    return value is _MISSING or (isinstance(function, FunctionType) and function.__code__.co_qualname == name)


def _bound(closure: Closure, name: str, value: object, owner: Mapping[str, object]) -> str:
    """What the global `name` of the module with the globals `owner` is bound to."""
    module = str(owner.get("__name__"))
    label = closure.placed(name, module, owner)
    kind = kind_of(name, value)
    if kind in ("constant", "frozen"):
        text = literal_text(value, lambda inner: refer(closure, inner, label))
        closure.parts[f"constant {label}"] = shortened(text)
        return f"constant {label}"
    if kind != "data":
        return refer(closure, value, label)
    closure.parts[f"data {label}"] = refer(closure, type(value), label)
    if not closure.is_home(owner):
        # A module of the project makes its data itself: by these expressions, whatever was done to it since.
        facts: dict[str, str] = {}
        for number, expression in enumerate(assigned_expressions(module, name)):
            chains = {chain for chain in chains_in_expression(expression) if _is_bound(chain, owner)}
            facts |= {f"value {number}": dump(expression), **_name_facts(closure, chains - {(name,)}, owner)}
        closure.parts[f"source {label}"] = joined(facts)
    return f"data {label}"


def class_parts(closure: Closure, kind: type, label: str) -> dict[str, str]:
    """The parts of a class by kind and name: one for the class, one for each method and attribute.

    The text of a class statement cannot be found in a notebook, so the class is told by what it became.
    """
    import inspect  # noqa: PLC0415 - only classes need it

    namespace = _namespace_of(kind)
    facts = {
        "bases": ", ".join(refer(closure, base, label) for base in kind.__bases__),
        "metaclass": refer(closure, type(kind), label),
        "settings": repr(vars(kind).get("__dataclass_params__")),
    }
    chains: set[Chain] = set()
    for name, note in inspect.get_annotations(kind).items():
        if isinstance(note, str):
            node = ast.Constant(note)
            facts[f"type {name}"] = annotation_text(node)
            chains |= {item for item in chains_in_expression(node, annotation=True) if _is_bound(item, namespace)}
        else:
            facts[f"type {name}"] = content(closure, note, f"{label}.{name}")
    for number, field in enumerate(_fields_of(kind)):
        for setting in _FIELD_SETTINGS:
            value = peek(field, setting)
            value = peek(value, "factory", value)  # attrs keeps a default factory inside the default
            facts[f"field {number} {setting}"] = content(closure, value, f"{label}.{peek(field, 'name', number)}")
    chains |= _statement_facts(kind, facts)
    facts.update(_name_facts(closure, chains, namespace))
    parts = {f"class {label}": joined(facts)}
    for name, member in sorted(vars(kind).items()):
        parts.update(_member_parts(closure, kind, name, member, f"{label}.{name}"))
    return parts


def _namespace_of(kind: type) -> Mapping[str, object]:
    import sys  # noqa: PLC0415 - as small as it is, only classes need it

    for member in vars(kind).values():
        for _, function in functions_of(member):
            if function.__module__ == kind.__module__ and not _is_generated(kind, function):
                return function.__globals__
    return vars(sys.modules[kind.__module__]) if kind.__module__ in sys.modules else {}


def _fields_of(kind: type) -> list[object]:
    for attribute in _FIELDS:
        found = vars(kind).get(attribute)
        if found:
            return list(found.values()) if isinstance(found, Mapping) else list(found)
    return []


def _statement_facts(kind: type, facts: dict[str, str]) -> set[Chain]:
    """Decorators and keywords of the class statement, which is found where the class has a method of its own."""
    for member in vars(kind).values():
        for _, function in functions_of(member):
            node = class_node(function)
            if node is None or node.name != kind.__name__:
                continue
            kept = list(kept_decorators(node.decorator_list, function.__globals__))
            facts["decorators"] = " ".join(f"@{ast.unparse(item)}" for item in kept)
            facts["keywords"] = ", ".join(ast.unparse(item) for item in node.keywords)
            read = [*kept, *(item.value for item in node.keywords)]
            chains = {chain for item in read for chain in chains_in_expression(item)}
            return {chain for chain in chains if _is_bound(chain, function.__globals__)}
    return set()


def _member_parts(closure: Closure, kind: type, name: str, member: object, label: str) -> dict[str, str]:
    parts = {}
    members = peek(kind, "__members__")  # of an Enum
    functions = functions_of(member)
    for role, function in functions:
        if _is_generated(kind, function):
            continue
        if closure.is_followed(str(function.__globals__.get("__name__")), function.__globals__):
            told = joined(function_facts(closure, function, label))
        elif members is None:
            told = refer(closure, function, label)
        else:
            continue  # Enum puts methods of its own into every class
        key = f"method {label}" + (f" ({role[1:]}ter)" if role in ("fset", "fdel") else "")
        parts[key] = f"{type(member).__name__} {told}"
    if isinstance(members, Mapping) and name in members:
        parts[f"attribute {label}"] = shortened(content(closure, members[name].value, label))
    elif isinstance(member, MemberDescriptorType | GetSetDescriptorType) or functions or members is not None:
        pass  # slots are told by `__slots__`
    elif name != "_abc_impl" and (not name.startswith("__") or name == "__slots__"):
        parts[f"attribute {label}"] = shortened(content(closure, member, label))
    return parts


def _is_generated(kind: type, function: FunctionType) -> bool:
    """Whether a method was written by `dataclass`, `attrs` or `NamedTuple`, from fields that are told anyway."""
    inner = [function, *(item for item in wrapped_in(function) if isinstance(item, FunctionType))]
    made = any(item.__code__.co_filename.startswith(("<string>", "<attrs")) for item in inner)
    return made and (bool(_fields_of(kind)) or hasattr(kind, "_field_defaults"))


def joined(facts: Mapping[str, str]) -> str:
    """One hash of all facts, in no order."""
    return hashed("\n".join(f"{key}: {text}" for key, text in sorted(facts.items())))
