"""T4, T5 and T7: the hub beside its peers, each installed as its makers say, in one run.

    python -m bench.peers --letters 100 --rounds 3

In: letters of 8 KB from two hundred people whom the peer knows, from their bytes to a committed
ticket: Request Tracker (Debian's packages request-tracker5 and rt5-db-sqlite, where they are
installed), django-helpdesk and Roundup. Out: personalised letters from the queue into Postfix's
smtp-sink: django-mailer and Mailman, neither of which signs. Peers on SQLite as each of them sets it
up, the hub there and, for mailings, on PostgreSQL as well; the peers of Python
are installed into an environment of their own (bench/peers/requirements.txt) that is kept in the
system's temporary folder. Rounds take turns; printed is the middle one of each.
"""

from __future__ import annotations

import argparse
import mailbox
import shutil
import subprocess
import tempfile
import venv
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench.figures import load, quantile, share
from bench.house import DURABLE
from bench.mail import letters
from bench.mailing import HTML
from bench.peers.ours import mailed, taken_in
from tests.servers.postgres import Postgres
from tests.servers.smtp_sink import SmtpSink

HERE = Path(__file__).parent
ANSWERS = 200
"""So many answers are given at most: a new rule that runs far more often in an hour is paused."""
Measure = Callable[[Path], float]
PERL = Path("/usr/share/request-tracker5")
OURS_MORE = 10
"""How many times as many letters the hub gets, which is that much quicker."""


def environment() -> Path:
    """Give the peers' interpreter, having made its environment where there is none yet."""
    wanted = (HERE / "requirements.txt").read_text()
    home = Path(tempfile.gettempdir()) / "hub-bench-peers"
    python, told = home / "bin" / "python", home / "installed.txt"
    if not told.exists() or told.read_text() != wanted:
        venv.create(home, with_pip=True, clear=True)
        subprocess.run(
            [python, "-m", "pip", "install", "-q", "-r", HERE / "requirements.txt"], check=True
        )
        told.write_text(wanted)
    return python


def peer(*command: str | Path) -> float:
    """Run a peer's script; gives the letters a second it prints last."""
    done = subprocess.run([str(one) for one in command], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{command[1]} failed:\n{done.stderr[-3000:]}")
    return float(done.stdout.split()[-1])


def intake(folder: Path, raw: list[bytes]) -> Path:
    """Write letters as files and as one mailbox; gives the folder."""
    (folder / "letters").mkdir(parents=True)
    box = mailbox.mbox(folder / "mbox")
    for n, one in enumerate(raw):
        (folder / "letters" / f"{n:06}").write_bytes(one)
        box.add(one)
    box.close()
    return folder


def measures(python: Path, count: int, port: int, server: Postgres) -> dict[str, Measure]:
    """Give what is measured, by name; each gets an empty folder."""
    raw = letters(count, "peer")
    own = letters(min(ANSWERS, count * OURS_MORE), "own", senders=10**9)
    many = letters(count * OURS_MORE, "many")

    def words(folder: Path) -> Path:
        (folder / "letter.html").write_text(HTML)
        return folder / "letter.html"

    def rt(folder: Path, *, answers: bool) -> float:
        script = HERE / "run_request_tracker.pl"
        files = intake(folder / "in", raw) / "letters"
        return peer("perl", script, folder, files, str(int(answers)))

    def out(kind: str, signed: bool, at: Path) -> float:
        url = server.cluster.create_database() if kind == "PostgreSQL" else ""
        return mailed(at, port, count * OURS_MORE, url=url, signed=signed)

    found: dict[str, Measure] = {
        "hub in": lambda at: taken_in(at, port, many, answers=False),
        "hub in, answered": lambda at: taken_in(at, port, own, answers=True),
        "django-helpdesk": lambda at: peer(
            python, HERE / "run_django_helpdesk.py", at, intake(at / "in", raw) / "letters"
        ),
        "Roundup": lambda at: peer(
            python, HERE / "run_roundup.py", at, intake(at / "in", raw) / "mbox"
        ),
        **{
            f"hub out, {kind}{', signed' * signed}": partial(out, kind, signed)
            for kind in ("SQLite", "PostgreSQL")
            for signed in (False, True)
        },
        "django-mailer": lambda at: peer(
            python, HERE / "run_django_mailer.py", at, str(port), str(count), words(at)
        ),
        "Mailman": lambda at: peer(
            python, HERE / "run_mailman.py", at, str(port), str(count), words(at)
        ),
    }
    if PERL.exists() and shutil.which("perl"):
        found["RT"] = lambda at: rt(at, answers=False)
        found["RT, answered"] = lambda at: rt(at, answers=True)
    else:
        print("RT is not installed: apt-get install request-tracker5 rt5-db-sqlite")
    return found


VERDICTS = (
    ("T4, answers on in both", "hub in, answered", "RT, answered", 20, 100),
    ("T4, answers off in both", "hub in", "RT", 15, 25),
    ("T5", "hub in", "django-helpdesk", 5, 12),
    ("T5", "hub in", "Roundup", 5, 12),
    *(
        (f"T7, {kind}", f"hub out, {kind}", peer, gate, goal)
        for kind in ("SQLite", "SQLite, signed", "PostgreSQL", "PostgreSQL, signed")
        for peer, gate, goal in (("django-mailer", 2, 5), ("Mailman", 5, 14))
    ),
)


def main() -> None:
    """Measure by turns and say how the hub compares."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--letters", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    python = environment()
    taken: dict[str, list[float]] = {}
    with SmtpSink() as sink, Postgres(DURABLE) as server:
        for _ in range(given.rounds):
            for name, measure in measures(python, given.letters, sink.port, server).items():
                with tempfile.TemporaryDirectory() as folder:
                    taken.setdefault(name, []).append(measure(Path(folder)))
    middle = {name: quantile(found, 0.5) for name, found in taken.items()}
    for name, rate in middle.items():
        print(f"{name:28}{rate:>10,.1f} letters/s")
    for title, ours, theirs, gate, goal in VERDICTS:
        if theirs in middle:
            ratio = middle[ours] / middle[theirs]
            print(f"{title} against {theirs}: {ratio:.1f}x {share(ratio, gate, goal)}")
    print(load())


if __name__ == "__main__":
    main()
