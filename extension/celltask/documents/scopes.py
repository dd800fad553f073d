"""What one top-level statement reads, binds, changes and calls, told from its syntax tree.

Names are those of the document's namespace: parameters and other locals of functions do not count, names read in the
body of a function do, since the function needs them when it is called.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from celltask.documents.local_names import LocalNames, arguments_of

__all__ = ["Names", "names_of", "root_of"]


_MUTATING_METHODS = frozenset(
    [
        "add",
        "append",
        "clear",
        "discard",
        "extend",
        "insert",
        "pop",
        "popitem",
        "register",
        "remove",
        "reverse",
        "setdefault",
        "sort",
        "update",
    ]
)


@dataclass(slots=True)
class Names:
    """Names of the namespace that a statement has to do with."""

    reads: set[str] = field(default_factory=set)
    """Read anywhere in it, function bodies and annotations included."""
    binds: set[str] = field(default_factory=set)
    """Bound or deleted when it is executed."""
    changes: set[str] = field(default_factory=set)
    """Bound to objects that it changes when it is executed: ``x`` in ``x[0] = 1``."""
    methods: list[ast.Call] = field(default_factory=list)
    """Method calls that stand alone, and so may change their object: ``x.append(1)``."""
    calls: list[ast.Call] = field(default_factory=list)
    """Calls made when it is executed, those of decorators included as ``ast.Call`` or not at all."""
    applied: set[str] = field(default_factory=set)
    """Roots of its decorators, which are called too."""
    later_changes: set[str] = field(default_factory=set)
    """Names that functions defined in it rebind or change when they are called."""
    later_calls: set[str] = field(default_factory=set)
    """Names that functions defined in it call."""
    awaits: bool = False
    """Whether it needs a running event loop itself."""
    star: bool = False
    """Whether it is ``from … import *``."""


def root_of(node: ast.expr) -> str:
    """The name at the root of ``name.attribute[item].method``; empty if there is none.

    >>> root_of(ast.parse("a.b[0].c", mode="eval").body)
    'a'
    """
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred | ast.Await):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def names_of(statement: ast.stmt) -> Names:
    """The names that `statement`, at the top level of a document, has to do with.

    >>> found = names_of(ast.parse("def f(x, y=K): return g(x)").body[0])
    >>> sorted(found.reads), found.binds
    (['K', 'g'], {'f'})
    """
    visitor = _Visitor()
    try:
        visitor.visit(statement)
    except RecursionError:
        return _coarse_names_of(statement)
    return visitor.names


def _coarse_names_of(statement: ast.stmt) -> Names:
    """All names in it, for a statement too deep to walk with scopes; more than there are, never fewer."""
    names = Names()
    for node in ast.walk(statement):
        if isinstance(node, ast.Name):
            (names.reads if isinstance(node.ctx, ast.Load) else names.binds).add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.binds.add(node.name)
        elif isinstance(node, ast.Call):
            names.calls.append(node)
    return names


class _Scope:
    """Names that are local to a function, class body or comprehension."""

    def __init__(self, kind: str, local: set[str], declared_global: set[str] | None = None) -> None:
        self.kind, self.local, self.declared_global = kind, local, declared_global or set()


class _Visitor(ast.NodeVisitor):
    """Walks one statement, knowing at each name which scope it belongs to."""

    def __init__(self) -> None:
        self.names = Names()
        self.scopes: list[_Scope] = []
        self.deferred = 0

    def visit_Name(self, node: ast.Name) -> None:
        """A name read, bound or deleted."""
        if isinstance(node.ctx, ast.Load):
            self._read(node.id)
        else:
            self._bind(node.id)
            if isinstance(node.ctx, ast.Del):
                self._read(node.id)

    def _read(self, name: str) -> None:
        if self._is_global(name):
            self.names.reads.add(name)

    def _is_global(self, name: str) -> bool:
        inner = True
        for scope in reversed(self.scopes):
            if name in scope.declared_global:
                return True
            # A class body's names are seen in the body itself, not in the functions within it.
            if name in scope.local and (scope.kind != "class" or inner):
                return False
            inner = inner and scope.kind == "comprehension"
        return True

    def _bind(self, name: str) -> None:
        holder = next((scope for scope in reversed(self.scopes) if scope.kind != "comprehension"), None)
        comprehended = self.scopes and self.scopes[-1].kind == "comprehension" and name in self.scopes[-1].local
        if comprehended:
            return
        if holder is None:
            self.names.binds.add(name)
        elif name in holder.declared_global:
            (self.names.later_changes if self.deferred else self.names.binds).add(name)
        elif holder.kind == "class":
            holder.local.add(name)

    def _change(self, target: ast.expr) -> None:
        while isinstance(target, ast.Attribute | ast.Subscript | ast.Call):  # ``settings().limit = 1`` as well
            target = target.func if isinstance(target, ast.Call) else target.value
        name = root_of(target)
        if name and self._is_global(name):
            (self.names.later_changes if self.deferred else self.names.changes).add(name)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """``x.a = …`` and ``del x.a`` change what ``x`` is bound to."""
        if not isinstance(node.ctx, ast.Load):
            self._change(node)
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        """``x[0] = …`` and ``del x[0]`` change what ``x`` is bound to."""
        if not isinstance(node.ctx, ast.Load):
            self._change(node)
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        """A method call that stands alone may change its object."""
        value = node.value.value if isinstance(node.value, ast.Await) else node.value
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and not self.deferred:
            self.names.methods.append(value)
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        """The value comes before the targets: ``a = a`` in a class reads the name outside."""
        self.visit(node.value)
        for target in node.targets:
            self.visit(target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        """``x += …`` reads and binds, and may change the object in place."""
        if isinstance(node.target, ast.Name):
            self._read(node.target.id)
            self._change(node.target)
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """``x: int`` alone binds nothing."""
        self._annotation(node.annotation)
        if node.value is not None:
            self.visit(node.value)
            self.visit(node.target)
        elif not isinstance(node.target, ast.Name):
            self.generic_visit(node.target)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        """``(x := …)`` binds in the nearest function, not in the comprehension around it."""
        self.visit(node.value)
        self._bind(node.target.id)

    def visit_Call(self, node: ast.Call) -> None:
        """Calls are told apart by whether they happen now or when a function is called."""
        if self.deferred:
            name = root_of(node.func)
            if name and self._is_global(name):
                self.names.later_calls.add(name)
                if isinstance(node.func, ast.Attribute) and node.func.attr in _MUTATING_METHODS:
                    self.names.later_changes.add(name)
        else:
            self.names.calls.append(node)
        self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        """``import a.b`` binds ``a``."""
        for name in node.names:
            self._bind(name.asname or name.name.partition(".")[0])

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """``from a import b`` binds ``b``."""
        for name in node.names:
            if name.name == "*":
                self.names.star = True
            else:
                self._bind(name.asname or name.name)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        """``except … as error`` binds for a while."""
        if node.name:
            self._bind(node.name)
        self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        """``case … as x`` binds."""
        if node.name:
            self._bind(node.name)
        self.generic_visit(node)

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        """``case [*x]`` binds."""
        if node.name:
            self._bind(node.name)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        """``case {**x}`` binds."""
        if node.rest:
            self._bind(node.rest)
        self.generic_visit(node)

    def visit_Await(self, node: ast.Await) -> None:
        """A top-level await needs a loop."""
        self._awaits()
        self.generic_visit(node)

    def visit_AsyncFor(self, node: ast.AsyncFor) -> None:
        """So does a top-level ``async for``."""
        self._awaits()
        self.generic_visit(node)

    def visit_AsyncWith(self, node: ast.AsyncWith) -> None:
        """And ``async with``."""
        self._awaits()
        self.generic_visit(node)

    def _awaits(self) -> None:
        if not self.deferred:
            self.names.awaits = True

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """Decorators, defaults and annotations count now, the body when it is called."""
        self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        """As a plain function."""
        self._function(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._decorators(node.decorator_list)
        self._bind(node.name)
        types = _type_parameters(node)
        self.scopes.append(_Scope("comprehension", types))
        for argument in arguments_of(node.args):
            if argument.annotation is not None:
                self._annotation(argument.annotation)
        if node.returns is not None:
            self._annotation(node.returns)
        self._defaults(node.args)
        parameters = {argument.arg for argument in arguments_of(node.args)}
        self._body(node.body, parameters)
        self.scopes.pop()

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """As a function without a name."""
        self._defaults(node.args)
        self._body([ast.Expr(node.body)], {argument.arg for argument in arguments_of(node.args)})

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """A class body is executed now."""
        self._decorators(node.decorator_list)
        self._bind(node.name)
        self.scopes.append(_Scope("comprehension", _type_parameters(node)))
        for base in [*node.bases, *(keyword.value for keyword in node.keywords)]:
            self.visit(base)
        self.scopes.append(_Scope("class", set()))
        for statement in node.body:
            self.visit(statement)
        del self.scopes[-2:]

    def _decorators(self, decorators: list[ast.expr]) -> None:
        for decorator in decorators:
            self.visit(decorator)
            if not self.deferred:
                inner = decorator
                while isinstance(inner, ast.Call):
                    inner = inner.func
                self.names.applied.add(root_of(inner))

    def _defaults(self, arguments: ast.arguments) -> None:
        for default in [*arguments.defaults, *arguments.kw_defaults]:
            if default is not None:
                self.visit(default)

    def _body(self, body: list[ast.stmt], parameters: set[str]) -> None:
        collector = LocalNames()
        for statement in body:
            collector.visit(statement)
        local = (collector.bound | parameters) - collector.declared_global - collector.declared_nonlocal
        self.scopes.append(_Scope("function", local, collector.declared_global))
        self.deferred += 1
        for statement in body:
            self.visit(statement)
        self.deferred -= 1
        self.scopes.pop()

    def _annotation(self, node: ast.expr) -> None:
        """Visit an annotation; text in it is code too."""
        for inner in ast.walk(node):
            if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                try:
                    self.visit(ast.parse(inner.value.strip(), mode="eval").body)
                except (SyntaxError, ValueError, RecursionError, MemoryError):
                    continue  # words in Annotated or Literal, not a type
        self.visit(node)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        self.visit(node.generators[0].iter)
        collector = LocalNames()
        for generator in node.generators:
            collector.visit(generator.target)
            if generator.is_async:
                self._awaits()
        self.scopes.append(_Scope("comprehension", collector.bound))
        for place, generator in enumerate(node.generators):
            self.visit(generator.target)
            if place:
                self.visit(generator.iter)
            for condition in generator.ifs:
                self.visit(condition)
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        for part in parts:
            self.visit(part)
        self.scopes.pop()

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension  # noqa: N815 - ast's names


def _type_parameters(node: ast.stmt) -> set[str]:
    """Names of ``def f[T]``, in Pythons that have them."""
    return {parameter.name for parameter in getattr(node, "type_params", ())}
