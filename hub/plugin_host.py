"""The host of plugins: loads them, checks their shapes, calls one plugin at a time, isolates.

At start the host builds one caller per plugin per hook. Every failure, delay and result is
charged to a plugin by name, and a faulty plugin cannot silence its siblings. Isolation is
against faults, not malice: plugins run in this process and are trusted code.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import inspect
import logging
import sys
import time
import traceback
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import Distribution, entry_points
from pathlib import Path
from typing import Any, TypeVar

import pluggy

from hub import hookspecs
from hub.api import API
from hub.channel import Channel
from hub.decisions import Aside
from hub.errors import PluginError
from hub.events.base import Event
from hub.extensions import (
    AccountSection,
    Ageing,
    Handler,
    Job,
    NavEntry,
    OutboundTransform,
    Reference,
)
from hub.filters import Field
from hub.grades import Grade, grade_of, judged
from hub.hookspecs import PROJECT
from hub.kinds import Kind
from hub.pages import Route
from hub.rules import Action, Recipe
from hub.segment_fields import SegmentField

log = logging.getLogger("hub.plugins")

GROUP = "hub"
OWN_DISTRIBUTION = "dialoghub"
BREAKER_FAILURES = 5
BREAKER_SECONDS = 60.0
ASYNC_DEADLINE = 30.0
DECISION_DEADLINE = 2.0
DECISION_STRIKES = 3

Answer = TypeVar("Answer")

GIVES: Mapping[str, tuple[type, ...]] = {
    "register_kinds": (Kind,),
    "register_commands": (Handler,),
    "register_transforms": (OutboundTransform,),
    "register_ageing": (Ageing,),
    "register_references": (Reference,),
    "register_fields": (Field,),
    "register_segment_fields": (SegmentField,),
    "register_recipes": (Recipe,),
    "register_routes": (Route,),
    "register_jobs": (Job,),
    "register_ui": (NavEntry, AccountSection),
}
"""What each `register_*` hook gives: objects of these types."""
GIVES_CLASSES: Mapping[str, type] = {
    "register_channels": Channel,
    "register_events": Event,
    "register_actions": Action,
}
"""What gives classes instead."""


@dataclass(slots=True)
class Plugin:
    """One plugin and how it behaves."""

    name: str
    module: Any
    version: str = ""
    distribution: str = ""
    bundled: bool = False
    hooks: tuple[str, ...] = ()
    error: str = ""
    trace: str = ""
    failures: int = 0
    failures_in_row: int = 0
    last_failure: str = ""
    open_until: float = 0.0
    strikes: int = 0
    switched_off: bool = False
    calls: int = 0
    seconds: float = 0.0
    event_types: tuple[str, ...] = ()
    grade: Grade = field(default_factory=Grade)
    aside: Aside = field(default_factory=lambda: Aside(""))

    @property
    def state(self) -> str:
        """`loaded`, `failed` to load, `broken` (breaker open) or `decisions off`."""
        if self.error:
            return "failed"
        if self.open_until > time.monotonic():
            return "broken"
        return "decisions off" if self.switched_off else "loaded"

    @property
    def mean_ms(self) -> float:
        """How long a call of its hooks took in the mean, in milliseconds."""
        return self.seconds / self.calls * 1000 if self.calls else 0.0


def is_async(name: str) -> bool:
    """Say whether a hook is one of the asynchronous shape."""
    return inspect.iscoroutinefunction(getattr(hookspecs, name, None))


@dataclass(slots=True)
class PluginHost:
    """Every plugin of this process."""

    trace_calls: bool = False
    on_failure: Callable[[str, str, str], None] | None = None
    plugins: dict[str, Plugin] = field(default_factory=dict)
    _manager: pluggy.PluginManager = field(default_factory=lambda: pluggy.PluginManager(PROJECT))
    _callers: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._manager.add_hookspecs(hookspecs)

    # -- loading ---------------------------------------------------------------------------

    def load(self, plugins_dir: Path | None = None) -> None:
        """Load bundled plugins, then other distributions', then a folder's.

        A plugin that fails to load is shown with its traceback and left out; it never takes
        the hub down.
        """
        found = [(*_distribution(one.dist), one) for one in entry_points(group=GROUP)]
        found.sort(key=lambda one: (one[0] != OWN_DISTRIBUTION, one[2].name))
        for owner, version, one in found:
            if one.name not in self.plugins:
                own = owner == OWN_DISTRIBUTION
                self._load(one.name, one.load, (owner, version), bundled=own)
        if plugins_dir is not None and plugins_dir.is_dir():
            for path in sorted(plugins_dir.iterdir()):
                if path.suffix == ".py" or (path / "__init__.py").is_file():
                    name = path.stem
                    if name not in self.plugins and not name.startswith(("_", ".")):
                        self._load(name, lambda p=path: _import_path(p), ("", ""))  # type: ignore[misc]
        self._finish()

    def add(self, name: str, module: Any, version: str = "") -> Plugin:
        """Register one plugin object by hand (tests, embedded use); raises PluginError."""
        self._load(name, lambda: module, ("", version))
        plugin = self.plugins[name]
        self._finish()
        if plugin.error:
            raise PluginError(name, plugin.error)
        return plugin

    def _load(
        self,
        name: str,
        load: Callable[[], Any],
        distribution: tuple[str, str],
        *,
        bundled: bool = False,
    ) -> None:
        plugin = Plugin(
            name=name,
            module=None,
            distribution=distribution[0],
            version=distribution[1],
            bundled=bundled,
            aside=Aside(name),
        )
        self.plugins[name] = plugin
        try:
            plugin.module = load()
            plugin.grade = grade_of(plugin.module)
            if plugin.grade.requires_hub not in (0, API):
                raise PluginError(
                    name, f"needs hub API {plugin.grade.requires_hub}, and this hub has {API}"
                )
            self._check_shape(plugin)
            if "register_channels" not in plugin.hooks:
                plugin.grade = judged(plugin.grade, ())
            self._manager.register(plugin.module, name)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - one of the three broad places
            plugin.error = f"{type(error).__name__}: {error}"
            plugin.trace = traceback.format_exc()
            log.error("plugin_failed plugin=%s error=%s", name, type(error).__name__)

    def _check_shape(self, plugin: Plugin) -> None:
        hooks = []
        for name in dir(plugin.module):
            function = getattr(plugin.module, name, None)
            # Only functions, as pluggy sees it: objects like SQLAlchemy's `func` have any attribute.
            if not inspect.isroutine(function) or not hasattr(function, f"{PROJECT}_impl"):
                continue
            if not hasattr(hookspecs, name):
                raise PluginError(plugin.name, f"there is no hook {name!r}")
            wanted = is_async(name)
            if inspect.iscoroutinefunction(function) is not wanted:
                shape = "async def" if wanted else "a plain function"
                raise PluginError(plugin.name, f"{name} must be {shape}")
            hooks.append(name)
        plugin.hooks = tuple(sorted(hooks))
        plugin.event_types = tuple(getattr(plugin.module, "event_types", ()))

    def _finish(self) -> None:
        self._manager.check_pending()
        everybody = self._manager.get_plugins()
        self._callers = {}
        for plugin in self.alive():
            others = [one for one in everybody if one is not plugin.module]
            self._callers[plugin.name] = {
                name: self._manager.subset_hook_caller(name, others) for name in plugin.hooks
            }

    def alive(self) -> list[Plugin]:
        """Give the loaded plugins; third parties first, as pluggy would ask them."""
        loaded = [one for one in self.plugins.values() if not one.error]
        return sorted(loaded, key=lambda one: one.bundled)

    def with_hook(self, hook: str) -> list[Plugin]:
        """Give the loaded plugins that implement a hook."""
        return [one for one in self.alive() if hook in one.hooks]

    # -- calling ---------------------------------------------------------------------------

    def collect(self, hook: str, **arguments: Any) -> list[tuple[str, Any]]:
        """Call a `register_*` hook of everybody; gives (plugin, object) pairs.

        A plugin that raises is marked failed and left out from here on.
        """
        found: list[tuple[str, Any]] = []
        for plugin in self.with_hook(hook):
            found += [(plugin.name, one) for one in self.collect_from(plugin, hook, **arguments)]
        return found

    def collect_from(self, plugin: Plugin, hook: str, **arguments: Any) -> list[Any]:
        """Call a `register_*` hook of one plugin; one that raises is marked failed."""
        try:
            found = [
                one
                for result in self._callers[plugin.name][hook](**arguments)
                for one in (result or ())
            ]
            for one in found:
                _check_given(plugin.name, hook, one)
            if hook == "register_channels":
                plugin.grade = judged(plugin.grade, found)
            return found
        except (Exception, SystemExit) as error:  # noqa: BLE001 - charged to the plugin by name
            plugin.error = f"{hook}: {type(error).__name__}: {error}"
            plugin.trace = traceback.format_exc()
            log.error("plugin_failed plugin=%s hook=%s", plugin.name, hook)
            return []

    async def decide(
        self, hook: str, kind: type[Answer], **arguments: Any
    ) -> tuple[str, Answer] | None:
        """Ask decision hooks in turn; gives the first answer with its plugin.

        A failure, an answer of another kind or one that comes too late counts as no opinion;
        after three late ones the plugin's decisions are switched off. The bundled ones answer
        on the spot: they are known not to wait.
        """
        for plugin in self.with_hook(hook):
            if plugin.switched_off or plugin.open_until > time.monotonic():
                continue
            started = time.monotonic()
            question = partial(self._callers[plugin.name][hook], **arguments)
            try:
                if plugin.bundled:
                    results = question()
                else:
                    results = await plugin.aside.ask(question, DECISION_DEADLINE)
                answer = next((one for one in results if one is not None), None)
                if answer is not None and not isinstance(answer, kind):
                    raise TypeError(f"{hook} gave {type(answer).__name__}, not {kind.__name__}")
            except Exception as error:  # noqa: BLE001 - no opinion, charged to the plugin
                self._failed(plugin, hook, error)
                if isinstance(error, TimeoutError):
                    self._strike(plugin, hook)
                continue
            self._succeeded(plugin, hook, time.monotonic() - started)
            if answer is not None:
                return plugin.name, answer
        return None

    def _strike(self, plugin: Plugin, hook: str) -> None:
        plugin.strikes += 1
        if plugin.strikes >= DECISION_STRIKES and not plugin.switched_off:
            plugin.switched_off = True
            log.error("plugin_decisions_off plugin=%s hook=%s", plugin.name, hook)

    async def call(self, plugin: Plugin, hook: str, **arguments: Any) -> Any:
        """Call one plugin's asynchronous hook under a deadline; raises what it raises."""
        started = time.monotonic()
        try:
            async with asyncio.timeout(ASYNC_DEADLINE):
                coroutines: list[Coroutine[Any, Any, Any]] = self._callers[plugin.name][hook](
                    **arguments
                )
                results = [await one for one in coroutines]
        except Exception as error:
            self._failed(plugin, hook, error)
            raise
        self._succeeded(plugin, hook, time.monotonic() - started)
        return results[0] if results else None

    async def gather(self, hook: str, **arguments: Any) -> list[tuple[str, Any]]:
        """Call an asynchronous hook of everybody side by side; failures are left out."""

        async def ask(plugin: Plugin) -> tuple[str, Any] | None:
            if plugin.open_until > time.monotonic():
                return None
            try:
                return plugin.name, await self.call(plugin, hook, **arguments)
            except Exception:  # noqa: BLE001 - charged to the plugin in `call`
                return None

        answers = await asyncio.gather(*(ask(one) for one in self.with_hook(hook)))
        return [one for one in answers if one is not None]

    def _succeeded(self, plugin: Plugin, hook: str, took: float) -> None:
        plugin.calls += 1
        plugin.seconds += took
        plugin.failures_in_row = 0
        if self.trace_calls:
            log.info("hook plugin=%s hook=%s ms=%.2f", plugin.name, hook, took * 1000)

    def _failed(self, plugin: Plugin, hook: str, error: BaseException) -> None:
        plugin.failures_in_row += 1
        if plugin.failures_in_row >= BREAKER_FAILURES:
            plugin.open_until = time.monotonic() + BREAKER_SECONDS
            log.error("plugin_breaker_open plugin=%s seconds=%d", plugin.name, BREAKER_SECONDS)
        self.charge(plugin, hook, error)

    def charge(self, plugin: Plugin, place: str, error: BaseException) -> None:
        """Charge a plugin with a failure by name: in a hook, or in a page of its."""
        plugin.failures += 1
        plugin.last_failure = f"{place}: {type(error).__name__}"
        log.warning(
            "plugin_error plugin=%s hook=%s error=%s",
            plugin.name,
            place,
            type(error).__name__,
            exc_info=error,
        )
        if self.on_failure is not None:
            self.on_failure(plugin.name, place, type(error).__name__)


def _check_given(plugin: str, hook: str, one: Any) -> None:
    """Raise PluginError for an object that its `register_*` hook does not give."""
    wanted = GIVES_CLASSES.get(hook)
    if wanted is not None and not (isinstance(one, type) and issubclass(one, wanted)):
        raise PluginError(plugin, f"{hook} gives subclasses of {wanted.__name__}, not {one!r:.80}")
    kinds = GIVES.get(hook, ())
    if kinds and not isinstance(one, kinds):
        names = " or ".join(each.__name__ for each in kinds)
        raise PluginError(plugin, f"{hook} gives {names}, not {one!r:.80}")


def _distribution(found: Distribution | None) -> tuple[str, str]:
    """Give name and version; each asking would parse the whole metadata again."""
    metadata = found.metadata if found is not None else None
    return (metadata["Name"], metadata["Version"]) if metadata is not None else ("", "")


def _import_path(path: Path) -> Any:
    """Import a module or package of the plugins folder under its own name."""
    file = path / "__init__.py" if path.is_dir() else path
    name = f"hub_plugins_dir_{path.stem}"
    spec = importlib.util.spec_from_file_location(
        name, file, submodule_search_locations=[str(path)] if path.is_dir() else None
    )
    if spec is None or spec.loader is None:
        raise PluginError(path.stem, "is not a Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
