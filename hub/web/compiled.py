"""How templates become Python: as Jinja does it, with less work where pages have most of it.

Three things differ from what Jinja makes. What a block or an included template gives is joined where it
ends, and not handed piece by piece through every template around it. A text is escaped for the page at once,
without being made an object of its own that says so. A call of the hub's own functions with nothing but
constants (`_('Move')`, `icon('clock')`) is made once for an environment, which is one of a language.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jinja2 import Environment, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.idtracking import VAR_LOAD_RESOLVE
from jinja2.runtime import Context
from markupsafe import Markup, escape

VERSION = 1
"""Of what is made here: compiled templates of another version are not taken."""
CONSTANT = frozenset({"_", "icon", "channel_icon", "static"})
"""Functions that give the same for the same words as long as the hub runs; no page has values named so."""
CONTEXTS = "contexts of this page"
"""Under what a page's templates find the list of their contexts; no template can name it."""


class Compiler(CodeGenerator):
    """Writes a template as Python."""

    def visit_Block(self, node: nodes.Block, frame: Frame) -> None:  # noqa: N802 - Jinja's name
        """Join what a block gives."""
        if frame.toplevel or node.required or node.scoped or frame.buffer is not None:
            super().visit_Block(node, frame)
            return
        found = f"context.blocks[{node.name!r}][0]({self.get_context_ref()})"
        self.writeline(f"yield concat({found})", node)

    def visit_Include(self, node: nodes.Include, frame: Frame) -> None:  # noqa: N802
        """Join what an included template gives."""
        named = isinstance(node.template, nodes.Const) and isinstance(node.template.value, str)
        if not named or node.ignore_missing or not node.with_context:
            super().visit_Include(node, frame)
            return
        self.writeline("template = environment.get_template(", node)
        self.visit(node.template, frame)
        self.write(f", {self.name!r})")
        values = f"context.get_all(), True, {self.dump_local_context(frame)}"
        self.simple_write(
            f"concat(template.root_render_func(template.new_context({values})))", frame
        )

    def visit_Call(  # noqa: N802
        self, node: nodes.Call, frame: Frame, forward_caller: bool = False
    ) -> None:
        """Make calls that are always the same once."""
        if self._is_constant(node, frame):
            assert isinstance(node.node, nodes.Name)
            values = tuple(one.value for one in node.args if isinstance(one, nodes.Const))
            self.write(f"environment.constants[{(node.node.name, *values)!r}]")
            return
        super().visit_Call(node, frame, forward_caller=forward_caller)

    def _is_constant(self, node: nodes.Call, frame: Frame) -> bool:
        if not isinstance(node.node, nodes.Name) or node.node.name not in CONSTANT:
            return False
        if node.kwargs or node.dyn_args or node.dyn_kwargs or not node.args:
            return False
        load = frame.symbols.find_load(frame.symbols.ref(node.node.name))
        # A name that the template itself gives something to is its own.
        if load is None or load[0] != VAR_LOAD_RESOLVE:
            return False
        return all(isinstance(one, nodes.Const) and isinstance(one.value, str) for one in node.args)

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape or finalize.src is not None:
            super()._output_child_pre(node, frame, finalize)
            return
        self.write("environment.written(")


class Constants(dict[tuple[str, ...], Any]):
    """What the hub's own functions give for constants, by name and words."""

    def __init__(self, functions: dict[str, Any]) -> None:
        self._functions = functions

    def __missing__(self, key: tuple[str, ...]) -> Any:
        """Make one that was not asked for yet."""
        found = self[key] = self._functions[key[0]](*key[1:])
        return found


class PageContext(Context):
    """What a template knows while a page is drawn; it stands in the page's list of them."""

    def __init__(self, environment: Environment, parent: dict[str, Any], *more: Any, **named: Any):
        super().__init__(environment, parent, *more, **named)
        known = parent.get(CONTEXTS)
        if known is not None:
            known.append(self)


class CompiledEnvironment(Environment):
    """An environment whose templates are written by `Compiler`."""

    code_generator_class = Compiler
    context_class = PageContext

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.constants = Constants(self.globals)
        self.written: Callable[[Any], str] = written

    def draw(self, name: str, values: dict[str, Any]) -> str:
        """Draw a page, and let go of all that was known for it.

        A macro holds the context in which it stands, and that holds the macro: with them all records of
        a page would stay until the garbage collector comes, which then halts everybody for as long as
        a page takes.
        """
        contexts: list[Context] = []
        try:
            return self.get_template(name).render({**values, CONTEXTS: contexts})
        finally:
            for one in contexts:
                one.vars.clear()
            contexts.clear()


def written(value: Any) -> str:
    """Give what a page holds of a value: itself if it is HTML already, else escaped."""
    kind = type(value)
    if kind is Markup or kind is int:
        return str(value)
    return escape(value)
