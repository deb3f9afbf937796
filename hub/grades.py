"""How far a plugin is, in its author's own words, and where a machine can see that it is not so.

`hub-plugin.toml` beside a plugin's package (`<module>.hub-plugin.toml` beside a single file) names
the owner, the version of `hub.API` it needs, and for each rule `done`, `todo` or `exempt: why`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hub.channel import Channel
from hub.errors import PluginError

GRADES: Mapping[str, tuple[str, ...]] = {
    "bronze": (
        "contract-green",
        "settings-documented",
        "owner-named",
        "errors-mapped",
        "secrets-sealed",
    ),
    "silver": ("receipts", "reconnect", "rate-limit", "diagnostics"),
    "gold": ("attachments", "threads", "samples-replay", "operator-guide"),
    "platinum": ("strict-types", "non-blocking", "crash-tests"),
}
"""The grades from the lowest up, with the rules that each adds."""
CHANNEL_RULES = frozenset({"receipts", "reconnect", "rate-limit", "attachments", "threads"})
"""What is asked of channels only."""
SECRET_WORDS = ("token", "secret", "password", "api_key", "signing_key", "private_key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """What a plugin says of itself; `doubts` are rules said to be done that a machine denies."""

    owner: str = ""
    requires_hub: int = 0
    rules: Mapping[str, str] = field(default_factory=dict)
    doubts: Mapping[str, str] = field(default_factory=dict)

    @property
    def level(self) -> str:
        """The highest grade whose rules, and those below, are all kept; empty for none."""
        reached = ""
        for name, rules in GRADES.items():
            if not all(self._kept(rule) for rule in rules):
                break
            reached = name
        return reached

    @property
    def missing(self) -> tuple[str, ...]:
        """The rules that the next grade waits for."""
        for rules in GRADES.values():
            open_ones = tuple(rule for rule in rules if not self._kept(rule))
            if open_ones:
                return open_ones
        return ()

    def _kept(self, rule: str) -> bool:
        said = self.rules.get(rule, "todo")
        return rule not in self.doubts and (said == "done" or said.startswith("exempt"))


def grade_of(module: Any) -> Grade:
    """Read the file of a plugin's module; raises PluginError where it cannot be understood."""
    file = getattr(module, "__file__", None)
    if not file:
        return Grade()
    path = Path(file)
    own = path.name == "__init__.py"
    written = path.with_name("hub-plugin.toml" if own else f"{path.stem}.hub-plugin.toml")
    if not written.is_file():
        return Grade()
    try:
        found = tomllib.loads(written.read_text("utf-8"))
        rules = {str(name): str(said) for name, said in found.get("rules", {}).items()}
        grade = Grade(
            owner=str(found.get("owner", "")),
            requires_hub=int(found.get("requires-hub", 0)),
            rules=rules,
        )
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValueError, AttributeError) as error:
        raise PluginError(path.stem, f"{written.name}: {error}") from error
    known = {rule for each in GRADES.values() for rule in each}
    for rule, said in rules.items():
        if rule not in known:
            raise PluginError(path.stem, f"{written.name}: there is no rule {rule!r}")
        if said not in ("done", "todo") and not (said.startswith("exempt:") and said[7:].strip()):
            raise PluginError(path.stem, f"{written.name}: {rule} is done, todo or exempt: why")
    return grade


def judged(grade: Grade, channels: Iterable[type[Channel]]) -> Grade:
    """Give the grade with what a machine can see: doubts, and what is not asked of features."""
    found = tuple(channels)
    rules = dict(grade.rules)
    if not found:
        rules |= dict.fromkeys(CHANNEL_RULES, "exempt: not a channel")
        return replace(grade, rules=rules, doubts=_only_done(rules, _of_all(grade)))
    doubts = _of_all(grade)
    for channel in found:
        doubts |= _of_channel(channel)
    return replace(grade, rules=rules, doubts=_only_done(rules, doubts))


def _only_done(rules: Mapping[str, str], doubts: Mapping[str, str]) -> dict[str, str]:
    return {rule: why for rule, why in doubts.items() if rules.get(rule) == "done"}


def _of_all(grade: Grade) -> dict[str, str]:
    return {} if grade.owner.strip() else {"owner-named": "no owner is named"}


def _of_channel(channel: type[Channel]) -> dict[str, str]:
    doubts: dict[str, str] = {}
    claims = channel.capabilities
    for name, one in channel.Settings.model_fields.items():
        if not (one.title or one.description):
            doubts["settings-documented"] = f"{channel.name}: {name} has no words"
        if one.annotation is str and name.endswith(SECRET_WORDS):
            doubts["secrets-sealed"] = f"{channel.name}: {name} is no SecretStr"
    if claims.receipts == "none":
        doubts["receipts"] = f"{channel.name} claims none"
    if not claims.max_attachment_bytes:
        doubts["attachments"] = f"{channel.name} claims none"
    if not claims.threads:
        doubts["threads"] = f"{channel.name} claims none"
    return doubts
