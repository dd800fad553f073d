"""Names that a function's own body binds, and so are not the document's."""

from __future__ import annotations

import ast

__all__ = ["LocalNames", "arguments_of"]


class LocalNames(ast.NodeVisitor):
    """Gathers the names bound in the statements it visits, those of functions within them left out.

    >>> names = LocalNames()
    >>> names.visit(ast.parse("[x := 1, y]; z = 2"))
    >>> sorted(names.bound)
    ['x', 'z']
    """

    def __init__(self) -> None:
        self.bound: set[str] = set()
        self.declared_global: set[str] = set()
        self.declared_nonlocal: set[str] = set()

    def visit_Name(self, node: ast.Name) -> None:
        """A target."""
        if not isinstance(node.ctx, ast.Load):
            self.bound.add(node.id)

    def visit_Global(self, node: ast.Global) -> None:
        """Not local."""
        self.declared_global.update(node.names)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        """Local to a function around this one."""
        self.declared_nonlocal.update(node.names)

    def _definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        self.bound.add(node.name)
        for decorator in node.decorator_list:
            self.visit(decorator)

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = _definition  # noqa: N815 - ast's names

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """Has locals of its own."""

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        self.bound.update(name.asname or name.name.partition(".")[0] for name in node.names)

    visit_Import = visit_ImportFrom = _import  # noqa: N815 - ast's names

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        """``except … as error``."""
        if node.name:
            self.bound.add(node.name)
        self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        """``case … as x``."""
        if node.name:
            self.bound.add(node.name)
        self.generic_visit(node)

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        """``case [*x]``."""
        if node.name:
            self.bound.add(node.name)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        """``case {**x}``."""
        if node.rest:
            self.bound.add(node.rest)
        self.generic_visit(node)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        # The targets are the comprehension's; only walrus targets get out.
        for inner in ast.walk(node):
            if isinstance(inner, ast.NamedExpr):
                self.bound.add(inner.target.id)

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension  # noqa: N815 - ast's names


def arguments_of(arguments: ast.arguments) -> list[ast.arg]:
    """All parameters, in no particular order."""
    found = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return [*found, *(extra for extra in (arguments.vararg, arguments.kwarg) if extra is not None)]
