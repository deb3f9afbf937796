"""Roundup's intake of letters, in the peer's own environment.

    python run_roundup.py FOLDER MBOX

Makes a classic tracker on SQLite with two hundred known people and lets its mail gateway read the
mailbox, without notices to anybody; prints the letters a second.
"""

import mailbox
import sys
import time
from argparse import Namespace
from pathlib import Path

from roundup import init, instance, mailgw, password


def main(folder: str, mbox: str) -> None:
    """Make the tracker, and let it read."""
    home = Path(folder) / "tracker"
    share = Path(sys.prefix) / "share" / "roundup" / "templates" / "classic"
    given = {
        "RDBMS_BACKEND": "sqlite",
        "TRACKER_WEB": "http://127.0.0.1/",
        "MAIL_DOMAIN": "hub.example",
        "MAIL_HOST": "127.0.0.1",
        "MAIL_DEBUG": str(Path(folder) / "notices"),
        "ADMIN_EMAIL": "admin",
    }
    init.install(str(home), str(share), settings=given)
    tracker = instance.open(str(home))
    tracker.init(password.Password("admin", config=tracker.config))
    db = tracker.open("admin")
    for n in range(200):
        db.user.create(username=f"p{n}", address=f"p{n}@away.example", roles="User")
    db.commit()
    db.close()
    count = len(mailbox.mbox(mbox))
    gate = mailgw.MailGW(tracker, Namespace(default_class="", set_value=[]))
    began = time.perf_counter()
    gate.do_mailbox(mbox)
    took = time.perf_counter() - began
    db = tracker.open("admin")
    came = len(db.msg.list())
    db.close()
    if came != count:
        raise SystemExit(f"{came} of {count} letters came in")
    print(count / took)


if __name__ == "__main__":
    main(*sys.argv[1:])
