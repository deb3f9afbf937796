"""Mailman's outgoing queue to an SMTP server, in the peer's own environment.

    python run_mailman.py FOLDER PORT COUNT HTML_FILE

Makes a list on SQLite whose letters are personalised for each member, subscribes that many, puts
one letter into its outgoing queue and lets its own runner deliver it; prints the letters a second.
"""

import sys
import time
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path

from mailman.core.initialize import initialize

CONFIG = """
[mailman]
layout: bench
[paths.bench]
var_dir: {folder}/var
[mta]
incoming: mailman.mta.null.NullMTA
smtp_host: 127.0.0.1
smtp_port: {port}
verp_personalized_deliveries: yes
[database]
url: sqlite:///{folder}/mailman.db
[archiver.prototype]
enable: no
"""


def main(folder: str, port: str, count: str, html: str) -> None:
    """Make the list, queue the letter, deliver it."""
    config_file = Path(folder) / "mailman.cfg"
    config_file.write_text(CONFIG.format(folder=folder, port=port))
    initialize(str(config_file))
    from mailman.app.lifecycle import create_list
    from mailman.config import config
    from mailman.database.transaction import transaction
    from mailman.email.message import Message
    from mailman.interfaces.domain import IDomainManager
    from mailman.interfaces.mailinglist import Personalization
    from mailman.interfaces.usermanager import IUserManager
    from mailman.runners.outgoing import OutgoingRunner
    from zope.component import getUtility

    with transaction():
        getUtility(IDomainManager).add("hub.example")
        news = create_list("news@hub.example", style_name="legacy-announce")
        news.personalize = Personalization.individual
        people = getUtility(IUserManager)
        for n in range(int(count)):
            address = people.create_address(f"p{n}@away{n % 50}.example", f"Person{n}")
            news.subscribe(address)
    letter = EmailMessage()
    letter["From"], letter["To"] = "shop@hub.example", "news@hub.example"
    letter["Subject"], letter["Message-ID"] = "News", "<news@hub.example>"
    letter.set_content("Hello, $user_name!")
    letter.add_alternative(Path(html).read_text(), subtype="html")
    made = message_from_bytes(letter.as_bytes(), Message)
    config.switchboards["out"].enqueue(
        made,
        listid=news.list_id,
        recipients={member.address.email for member in news.members.members},
        verp=True,
    )
    runner = OutgoingRunner("out")
    began = time.perf_counter()
    while runner.switchboard.files:
        runner._one_iteration()
    took = time.perf_counter() - began
    if any(config.switchboards[name].files for name in ("retry", "shunt", "bad")):
        raise SystemExit("not all of them left")
    print(int(count) / took)


if __name__ == "__main__":
    main(*sys.argv[1:])
