"""T10 and T10b: what a thousand rules cost a message, and from its fact to the committed run.

    python -m bench.rules --database sqlite --seconds 2

T10: 1,000 rules with 3 conditions each per message, half of them on other channels, most with a
needed word; against generated functions called one by one in the same run. The worst case has all
of them on the message's channel without any needed word. T10b: the engine reading the journal,
loading, deciding and committing, against the intake of the same messages in the same run. Then the
engine's lag at 200 messages a second, and 100,000 pending timers (bench/rule_load.py, alone by
`--only load`).
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bench.house import DURABLE, ROOMY
from bench.rule_load import load
from crm_store.migrate import migrate
from hub import SaveRule
from hub.events import MessageReceived
from hub.filters import Moment, parse
from hub.ids import AccountId, ContactId, DialogId, EventId, MessageId, Micros
from hub.objects import DIRECT, SYSTEM
from hub.rule_engine import RuleEngine
from hub.rules import Facts
from plugins import crm_actions
from tests.houses import house, message
from tests.servers.postgres import Postgres
from triggers.book import Book
from triggers.compiled import Values
from triggers.definition import Definition, Guards, When
from triggers.evaluate import match
from triggers.tryout import draft
from triggers.vocabulary import Vocabulary

WORDS = [f"слово{n}" for n in range(2000)]
CHANNELS = ["telegram", "vk", "email", "sms"]


def definition(words: Vocabulary, dice: random.Random, *, worst: bool) -> Definition:
    """Make a rule with three conditions."""
    channel = "telegram" if worst else dice.choice(CHANNELS)
    parts: list[dict[str, Any]] = [
        {"field": "dialog.channel", "operator": "equals", "value": channel},
        {"field": "dialog.priority", "operator": "less", "value": dice.randint(-5, 0)},
        {"field": "message.length", "operator": "greater", "value": dice.randint(200, 900)},
    ]
    if not worst:
        parts[1] = {"field": "message.text", "operator": "words", "value": dice.choice(WORDS)}
    condition = parse({"all": parts}, words.fields)
    return Definition(
        name="r",
        note="",
        when=(When(moment="message.received"),),
        condition=condition,
        steps=(),
        guards=Guards(),
        stop=False,
        examples=(),
    )


def book_of(words: Vocabulary, count: int, *, worst: bool) -> tuple[Book, list[Definition]]:
    """Make a book of rules."""
    dice = random.Random(7)
    made = [definition(words, dice, worst=worst) for _ in range(count)]
    rules = [
        (replace(draft(one), id=n + 1, position=n), one)  # type: ignore[arg-type]
        for n, one in enumerate(made)
    ]
    return Book(words, rules), made


def facts() -> Facts:
    """Make the facts of one message on Telegram."""
    event = MessageReceived(
        message_id=MessageId(1),
        dialog_id=DialogId(2),
        account_id=AccountId(3),
        contact_id=ContactId(4),
    ).stamped(id=EventId(1), at=Micros(1), actor=SYSTEM, cause=DIRECT)
    dialog: Any = SimpleNamespace(id=2, channel="telegram", priority=0)
    said: Any = SimpleNamespace(id=1, text=" ".join(WORDS[n * 37 % 2000] for n in range(25)))
    return Facts(now=Micros(1), event=event, dialog=dialog, message=said)


def one_by_one(functions: list[Any], values: Values, moment: Moment) -> list[Any]:
    """Judge every rule, as a loop without an index would."""
    return [each for each in functions if each(values, moment)]


def judging(words: Vocabulary, seconds: float) -> None:
    """Print T10."""
    one = facts()
    moment = Moment(now=Micros(1))
    figures: dict[str, float] = {}
    for name, count, worst in (
        ("1,000 rules, indexed", 1000, False),
        ("100 rules, indexed", 100, False),
        ("1,000 rules, worst case", 1000, True),
    ):
        book, made = book_of(words, count, worst=worst)
        functions = [book.compiler.function(each.condition) for each in made]
        for label, work in (
            (name, lambda b=book: match(b, one)),
            (
                f"{name}: one by one",
                lambda f=functions: one_by_one(f, Values(one, words.fields), moment),
            ),
        ):
            times = []
            end = time.perf_counter() + seconds
            while time.perf_counter() < end:
                begun = time.perf_counter()
                work()
                times.append(time.perf_counter() - begun)
            figures[label] = statistics.median(times) * 1e6
            print(f"T10  {label}: {figures[label]:.1f} us a message")
    ratio = figures["1,000 rules, indexed"] / max(
        figures["1,000 rules, indexed: one by one"], 0.001
    )
    growth = figures["1,000 rules, indexed"] / max(figures["100 rules, indexed"], 0.001)
    print(
        f"T10  ratio to one by one {ratio:.2f} (gate 2); growth 100 to 1,000 rules {growth:.2f} (gate 3)"
    )


async def running(folder: Path, url: str, count: int, only: str) -> None:
    """Print T10b, the lag and the timers."""
    async with house(folder, url, plugins=[("crm_actions", crm_actions)]) as home:
        rules = [
            SaveRule(
                definition={
                    "name": f"rule {n}",
                    "when": [{"event": "message.received"}],
                    "if": {"all": [
                        {"field": "message.text", "operator": "words", "value": WORDS[n]},
                        {"field": "dialog.channel", "operator": "equals", "value": "pigeon"},
                    ]},
                    "then": [{"action": "crm_actions.tag", "params": {"tags": [f"t{n % 20}"]}}],
                },
                enabled=True,
            )
            for n in range(1000)
        ]  # fmt: skip
        for start in range(0, 1000, 100):
            await home.user.do(*rules[start : start + 100])
        engine = RuleEngine(home.runtime)
        await engine.begin()
        while await engine.step():
            pass
        if only != "load":
            await throughput(home, engine, count)
        if only != "judging":
            await load(home, engine, url, WORDS)


async def throughput(home: Any, engine: RuleEngine, count: int) -> None:
    """Print T10b, and how many messages a second are judged in vain."""
    sent = [message(f"w{n}", f"p{n}", text=f"hello {WORDS[n % 1000]}") for n in range(count)]
    begun, used = time.perf_counter(), time.process_time()
    for start in range(0, count, 50):
        await home.receive(*sent[start : start + 50])
    intake, intake_used = time.perf_counter() - begun, time.process_time() - used
    begun, used = time.perf_counter(), time.process_time()
    while await engine.step():
        pass
    engine_took, engine_used = time.perf_counter() - begun, time.process_time() - used
    print(
        f"T10b {count} messages, each fires one of 1,000 rules: intake {intake / count * 1e6:.0f} us, "
        f"fact to committed run {engine_took / count * 1e6:.0f} us, ratio {engine_took / intake:.2f} "
        f"(gate 2), of processor time {engine_used / intake_used:.2f}; "
        f"{count / engine_took:.0f} runs a second"
    )
    silent = [message(f"s{n}", f"p{n}", text="nothing of that sort") for n in range(count)]
    for start in range(0, count, 50):
        await home.receive(*silent[start : start + 50])
    begun = time.perf_counter()
    while await engine.step():
        pass
    took = time.perf_counter() - begun
    print(f"     judged in vain: {count / took:.0f} messages a second")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", default="sqlite", choices=("sqlite", "postgres"))
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument(
        "--only", default="", choices=("judging", "load"), help="T10 and T10b, or lag and timers"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        from hub.nouns import CORE_KINDS
        from triggers.vocabulary import make_vocabulary

        words = make_vocabulary(kinds=CORE_KINDS.values(), facts=[MessageReceived])
        if options.only != "load":
            judging(words, options.seconds)
        if options.database == "postgres":
            with Postgres(DURABLE | ROOMY) as server:
                url = server.cluster.create_database()
                migrate(url)
                asyncio.run(running(folder, url, options.messages, options.only))
        else:
            url = f"sqlite:///{folder / 'hub.db'}"
            migrate(url)
            asyncio.run(running(folder, url, options.messages, options.only))


if __name__ == "__main__":
    main()
