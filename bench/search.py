"""T9: finding the newest 20 messages, against a raw indexed query of the same run.

    python -m bench.search --messages 1000000 --database both

Words of four frequencies and pairs of them are looked for through `search_messages`, permission
and snippets included. The raw query reads the newest 20 messages of one dialog by index, through
the driver alone. Rounds are interleaved. The time for indexing is shown beside it, per message and
as a share of writing the message at all. Without `--messages` it is small and takes seconds.
"""

from __future__ import annotations

import argparse
import itertools
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, insert, text

from bench.house import DURABLE
from crm_store.engine import make_engine
from crm_store.migrate import migrate
from crm_store.search import index_messages, search_contacts, search_messages
from crm_store.search_index import index_contacts
from crm_store.tables.dialogs import dialogs, messages
from crm_store.tables.people import contacts
from crm_store.viewer import Reader, Viewer
from hub.ids import AccountId, Micros
from hub.terms import fold
from tests.servers.postgres import Postgres

VOCABULARY = 60_000
WORDS = 70
DIALOGS = 2_000
BATCH = 100
GROUPS = {
    "rarest": (0.0, 0.0),
    "1 in 300": (0.002, 0.004),
    "1 in 100": (0.008, 0.013),
    "1 in 20": (0.03, 0.07),
    "common": (0.2, 0.9),
}
ROOMY = {"shared_buffers": "512MB", "max_wal_size": "4GB"}


class Corpus:
    """Messages of invented words that are as unequal in number as those of a language."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        letters = "абвгдежзиклмнопрстуфхцчшщ"
        made = {
            "".join(self._dice.choices(letters, k=self._dice.randint(3, 9)))
            for _ in range(VOCABULARY * 2)
        }
        self._words = sorted(made)[:VOCABULARY]
        self._dice.shuffle(self._words)
        self._weights = list(itertools.accumulate(1 / (n + 10) for n in range(len(self._words))))
        self._seen: Counter[str] = Counter()
        self._count = 0

    def message(self) -> str:
        chosen = self._dice.choices(self._words, cum_weights=self._weights, k=WORDS)
        self._seen.update(set(chosen))
        self._count += 1
        return " ".join(chosen)

    def words(self, low: float, high: float, count: int) -> list[str]:
        if high == 0:
            known = [word for word, _ in self._seen.most_common()[-count:]]
        else:
            known = [word for word, n in self._seen.items() if low <= n / self._count <= high]
        return self._dice.sample(sorted(known), min(count, len(known)))


@contextmanager
def database(kind: str) -> Iterator[str]:
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{Path(folder) / 'hub.db'}"
        return
    with Postgres(settings=DURABLE | ROOMY) as postgres:
        yield postgres.cluster.create_database()


def run(kind: str, count: int, rounds: int, questions: int, deadline: float) -> None:
    corpus = Corpus(seed=9)
    with database(kind) as url:
        migrate(url)
        writer = make_engine(url, writer=True)
        with writer.connect() as conn, conn.begin():
            conn.execute(insert(dialogs), [_dialog(n) for n in range(1, DIALOGS + 1)])
        written = load(writer.connect, corpus, count, deadline)
        if kind == "postgres":
            with writer.connect() as conn, conn.begin():
                conn.execute(text("ANALYZE"))
        reader = make_engine(url, writer=False)
        with reader.connect() as conn, conn.begin():
            measure(kind, conn, corpus, written, rounds, questions)
        reader.dispose()
        writer.dispose()


def _dialog(number: int) -> dict[str, object]:
    return {"id": number, "account_id": 1 + number % 3, "slot": f"d{number}", "last_at": number}


def load(connect: Callable[[], Connection], corpus: Corpus, count: int, deadline: float) -> int:
    storing = indexing = 0.0
    done = 0
    worst = 0.0
    while done < count and time.monotonic() < deadline:
        size = min(BATCH, count - done)
        rows = [(done + n + 1, corpus.message()) for n in range(size)]
        began = time.perf_counter()
        with connect() as conn, conn.begin():
            conn.execute(insert(messages), [_message(number, words) for number, words in rows])
            middle = time.perf_counter()
            index_messages(conn, rows)
            indexed = time.perf_counter() - middle
        indexing += indexed
        worst = max(worst, indexed)
        storing += time.perf_counter() - began - indexed
        done += size
    share = indexing / (indexing + storing)
    print(
        f"written {done} messages, {BATCH} a commit: {done / (indexing + storing):,.0f}/s;"
        f" indexing {indexing / done * 1e6:.0f} us a message ({share:.0%} of the write),"
        f" worst batch {worst * 1e3:.0f} ms"
    )
    if done < count:
        print(f"stopped at the time limit: {done} of {count}")
    return done


def _message(number: int, words: str) -> dict[str, object]:
    dialog = number * 7919 % DIALOGS + 1
    return {
        "id": number,
        "dialog_id": dialog,
        "account_id": 1 + dialog % 3,
        "text": words,
        "at": number,
        "people": {},
        "cause": {},
        "extra": {},
    }


def measure(
    kind: str, conn: Connection, corpus: Corpus, count: int, rounds: int, questions: int
) -> None:
    everything = Reader(conn=conn, viewer=Viewer.system(), now=Micros(0))
    limited = Reader(
        conn=conn, viewer=Viewer(hidden_accounts=frozenset({AccountId(2)})), now=Micros(0)
    )
    asked = {name: corpus.words(low, high, questions) for name, (low, high) in GROUPS.items()}
    rare, common = asked["rarest"], asked["common"]
    asked["common + rare"] = [
        f"{a} {b}" for a, b in zip(itertools.cycle(common), rare, strict=False)
    ]
    asked["two common"] = [f"{a} {b}" for a, b in itertools.pairwise(common)]
    asked["no such word"] = [f"небывалое{n}" for n in range(questions)]
    mark = "?" if kind == "sqlite" else "%s"
    raw = (
        "SELECT id, dialog_id, at, subject, text FROM messages"
        f" WHERE dialog_id = {mark} ORDER BY at DESC LIMIT 20"
    )
    times: dict[str, list[float]] = {}
    dice = random.Random(1)
    cursor = conn.connection.cursor()

    def read_raw(number: int) -> None:
        cursor.execute(raw, (number,))
        cursor.fetchall()

    for _ in range(rounds):
        for _ in range(questions):
            number = dice.randint(1, DIALOGS)
            times.setdefault("raw", []).append(timed(partial(read_raw, number)))
        for name, words in asked.items():
            for word in words:
                times.setdefault(name, []).append(timed(partial(search_messages, everything, word)))
        for word in asked["1 in 20"]:
            times.setdefault("1 in 20, an account hidden", []).append(
                timed(partial(search_messages, limited, word))
            )
    cursor.close()
    base = statistics.median(times["raw"])
    print(f"{kind}, {count:,} messages: newest 20, ms")
    print(f"{'':28}{'n':>6}{'p50':>9}{'p95':>9}{'p50 / raw':>11}")
    together: list[float] = []
    for name, taken in times.items():
        together += taken if name != "raw" else []
        row(name, taken, base)
    row("all searches", together, base)


def row(name: str, taken: list[float], base: float) -> None:
    taken = sorted(taken)
    middle, late = statistics.median(taken), taken[int(len(taken) * 0.95)]
    print(f"{name:28}{len(taken):>6}{middle * 1e3:>9.2f}{late * 1e3:>9.2f}{middle / base:>11.1f}")


def timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def people(kind: str, count: int, questions: int) -> None:
    """Names with a mistake and parts of numbers among so many contacts."""
    dice = random.Random(3)
    first = ["Александр", "Мария", "Сергей", "Ольга", "Иван", "Анна", "Дмитрий", "Елена"]
    stems = ["Кузнец", "Иван", "Петр", "Сидор", "Смирн", "Попов", "Волк", "Соколов", "Морозов"]
    with database(kind) as url:
        migrate(url)
        engine = make_engine(url, writer=True)
        began = time.perf_counter()
        for start in range(0, count, BATCH):
            rows = []
            for number in range(start + 1, start + BATCH + 1):
                letter = dice.choice("абвгдеиклмно") * dice.randint(0, 1)
                name = f"{dice.choice(first)} {dice.choice(stems)}{letter}{dice.choice(['ов', 'ев', 'ин'])}"
                rows.append((number, name, f"+79{dice.randrange(10**9):09}"))
            with engine.connect() as conn, conn.begin():
                conn.execute(
                    insert(contacts),
                    [{"id": n, "name": name, "name_folded": fold(name)} for n, name, _ in rows],
                )
                index_contacts(conn, [(n, [name, phone]) for n, name, phone in rows])
        rate = count / (time.perf_counter() - began)
        taken = []
        with engine.connect() as conn, conn.begin():
            reader = Reader(conn=conn, viewer=Viewer.system(), now=Micros(0))
            for n in range(questions):
                name = f"{dice.choice(first)[:-1]} {dice.choice(stems)}"
                asked = name if n % 3 else f"{dice.randrange(10**6):06}"
                taken.append(timed(partial(search_contacts, reader, asked)))
        engine.dispose()
    taken.sort()
    print(
        f"{kind}, {count:,} contacts (written {rate:,.0f}/s): a person by name or phone,"
        f" p50 {statistics.median(taken) * 1e3:.1f} ms, p95 {taken[int(len(taken) * 0.95)] * 1e3:.1f} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--contacts", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--questions", type=int, default=20)
    parser.add_argument("--database", choices=("sqlite", "postgres", "both"), default="both")
    parser.add_argument("--minutes", type=float, default=20, help="stop loading after so long")
    given = parser.parse_args()
    kinds = ("sqlite", "postgres") if given.database == "both" else (given.database,)
    for kind in kinds:
        deadline = time.monotonic() + given.minutes * 60 / len(kinds)
        run(kind, given.messages, given.rounds, given.questions, deadline)
        people(kind, given.contacts, given.questions * 3)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
