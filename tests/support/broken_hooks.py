"""Break hotspan's hooks: `broken_hooks.py PROGRAM ARGUMENTS…` runs a program with errors in them.

The hooks are found in hotspan's code: what is handed to `guarded`, and each `try` whose handler
reports a failure. As its modules are imported, a call is put into each that raises if told to:
BROKEN_HOOKS is `all` (but what installs hooks), `installs`, or empty. Each hook that was reached is
named in a file of BROKEN_HOOKS_DIR.
"""

import ast
import builtins
import importlib.abc
import importlib.machinery
import os
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType
from typing import Any

PACKAGE = "hotspan_instrumentation"

# The guard itself, and what loads hooks: when that fails, there are none.
_GUARD = f"{PACKAGE}.guard"
_INSTALLS = ("install", "configure", "instrument", "patch_if_asked_for")


class SabotageError(Exception):
    """What a broken hook raises."""


class Sabotage:
    """Which hooks are broken now, and which have been reached.

    Attributes:
        broken: Names of hooks, or `all`, or `installs`.
        late: Whether a hook breaks after it has done its work.
        reached: The hooks that were reached, whether broken or not.

    """

    def __init__(self, broken: str, folder: str | None) -> None:
        self.broken = {broken}
        self.late = False
        self.reached: set[str] = set()
        self._folder = folder

    def strike(self, name: str, *, late: bool = False) -> None:
        """Raise if a hook is to be broken."""
        if name not in self.reached:
            self.reached.add(name)
            if self._folder:
                Path(self._folder, name).touch()
        kind = "installs" if is_install(name) else "all"
        if late is self.late and self.broken & {name, kind}:
            raise SabotageError(name)

    def guarded(self, name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Return what guards a hook in the place of `guarded`: a hook that may be broken."""

        def guard(hook: Callable[..., Any]) -> Callable[..., Any]:
            from hotspan_instrumentation.guard import guarded  # noqa: PLC0415 - changed by now

            def broken(*args: Any, **kwargs: Any) -> Any:
                self.strike(name)
                result = hook(*args, **kwargs)
                self.strike(name, late=True)
                return result

            broken.__module__, broken.__qualname__ = hook.__module__, hook.__qualname__
            return guarded(broken)

        return guard


def is_install(name: str) -> bool:
    """Whether a hook is one that puts others in place."""
    return name.rpartition(":")[2].rpartition(".")[2].startswith(_INSTALLS)


def hooks_in_code(package: Path) -> set[str]:
    """Return the names of all hooks in hotspan's code."""
    found: set[str] = set()
    for path in package.rglob("*.py"):
        parts = path.relative_to(package.parent).with_suffix("").parts
        module = ".".join(parts).removesuffix(".__init__")
        if module != _GUARD:
            breaking = _Breaking(module)
            breaking.visit(ast.parse(path.read_text()))
            found |= breaking.hooks
    return found


class _Breaking(ast.NodeTransformer):
    """Puts calls into a module's hooks that may break them."""

    def __init__(self, module: str) -> None:
        self.hooks: set[str] = set()
        self._module = module
        self._inside: list[str] = []

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self._inside.append(node.name)
        for place, decorator in enumerate(node.decorator_list):
            if _is_guarded(decorator):
                node.decorator_list[place] = self._guarding(node.name, decorator)
        return self._leave(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self._inside.append(node.name)
        return self._leave(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if _is_guarded(node.func):
            node.func = self._guarding(ast.unparse(node.args[0]), node.func)
        return node

    def visit_Try(self, node: ast.Try) -> ast.AST:
        self.generic_visit(node)
        if any(_reports(handler) for handler in node.handlers):
            strike = ast.parse(f"sabotage.strike({self._name(f'try{len(self.hooks)}')!r})").body[0]
            node.body.insert(0, ast.copy_location(strike, node.body[0]))
        return ast.fix_missing_locations(node)

    def _leave(self, node: ast.AST) -> ast.AST:
        self.generic_visit(node)
        self._inside.pop()
        return node

    def _guarding(self, hook: str, place: ast.expr) -> ast.expr:
        inside = self._inside[:-1] if self._inside and self._inside[-1] == hook else self._inside
        name = self._name(hook, inside)
        call = ast.parse(f"sabotage.guarded({name!r})", mode="eval").body
        return ast.fix_missing_locations(ast.copy_location(call, place))

    def _name(self, hook: str, inside: list[str] | None = None) -> str:
        qualified = ".".join([*(self._inside if inside is None else inside), hook])
        name = f"{self._module.removeprefix(f'{PACKAGE}.')}:{qualified}"
        self.hooks.add(name)
        return name


def _is_guarded(node: ast.expr) -> bool:
    return ast.unparse(node) in {"guarded", "guard.guarded"}


def _reports(handler: ast.ExceptHandler) -> bool:
    calls = (node for part in handler.body for node in ast.walk(part))
    return any(
        isinstance(node, ast.Call) and ast.unparse(node.func).endswith("report_failure")
        for node in calls
    )


class _Loader(importlib.machinery.SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        tree = ast.parse(Path(path).read_text())
        return compile(_Breaking(fullname).visit(tree), path, "exec")


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:
        if not fullname.startswith(f"{PACKAGE}.") or fullname == _GUARD:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.origin, str):
            spec.loader = _Loader(fullname, spec.origin)
        return spec


def main() -> None:
    """Run the program in this process, instrumented by a call."""
    sabotage = Sabotage(os.environ["BROKEN_HOOKS"], os.environ.get("BROKEN_HOOKS_DIR"))
    builtins.sabotage = sabotage  # type: ignore[attr-defined]  # for the code that is changed
    sys.meta_path.insert(0, _Finder())
    sys.path[0] = str(Path.cwd())  # as for a program that is started there
    import hotspan_instrumentation  # noqa: PLC0415 - likewise

    hotspan_instrumentation.configure()
    program, *arguments = sys.argv[1:]
    sys.argv = [program, *arguments]
    if program.endswith(".py"):
        runpy.run_path(program, run_name="__main__")
    else:
        runpy.run_module(program, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
