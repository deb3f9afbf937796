"""A private Dovecot 2.3: IMAP, IMAPS and LMTP on loopback, and logins for Postfix.

    with Authority() as authority, Dovecot(authority) as dovecot:
        dovecot.add_user("shop@hub.example", "secret")
        dovecot.deliver(b"From: ...", "shop@hub.example")
        # imap on dovecot.imap_port (STARTTLS offered), imaps on dovecot.imaps_port

What goes wrong in real life can be made to happen: `restart()`, `kill()`, `pause()` / `resume()`
(silence without a closed connection), `kick(user)` (the server drops one user's connections),
`renew_uidvalidity(user)` (every UID known so far is worthless).
"""

import contextlib
import os
import shutil
import smtplib
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from tests.servers.certificates import Authority
from tests.servers.process import PrivateServer, ServerMissing, find_binary, free_ports

# As root, mail belongs to this user of every Debian; otherwise to whoever runs the tests.
MAIL_USER = "mail"

CONFIGURATION = """
instance_name = {directory.name}
base_dir = {directory}/run
state_dir = {directory}/state
log_path = /dev/stderr
listen = 127.0.0.1
protocols = imap lmtp
disable_plaintext_auth = no
auth_mechanisms = plain login
first_valid_uid = 1
mail_location = maildir:~/Maildir
# A test delivers by the thousand and throws all of it away.
mail_fsync = never
recipient_delimiter = +
ssl = yes
ssl_cert = <{authority.certificate_file}
ssl_key = <{authority.key_file}
{users}

passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%Lu {directory}/users/%Lu
}}
userdb {{
  driver = passwd-file
  args = username_format=%Lu {directory}/users/%Lu
  override_fields = uid={user} gid={group} home={directory}/mail/%Lu
}}

mail_max_userip_connections = 200
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
service auth {{
  inet_listener {{
    address = 127.0.0.1
    port = {auth}
  }}
}}
service stats {{
  chroot =
}}
service anvil {{
  chroot =
  # Waiting longer after each wrong password is right for a server and wrong for a test.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
auth_failure_delay = 0

namespace inbox {{
  inbox = yes
  separator = /
  mailbox Sent {{
    auto = create
    special_use = \\Sent
  }}
  mailbox Junk {{
    auto = create
    special_use = \\Junk
  }}
}}
"""


class Dovecot(PrivateServer):
    name = "dovecot"
    # Its login processes may wait five seconds for its statistics before they leave.
    stop_seconds = 2.0

    def __init__(self, authority: Authority) -> None:
        self._binary = find_binary("dovecot", "/usr/sbin", package="dovecot-imapd")
        self._doveadm = find_binary("doveadm", "/usr/bin", package="dovecot-core")
        version = subprocess.run([self._binary, "--version"], capture_output=True, text=True)
        if not version.stdout.startswith("2.3"):
            raise ServerMissing(f"Dovecot 2.3 is needed, this is {version.stdout.strip()}")
        find_binary("lmtp", "/usr/lib/dovecot", "/usr/libexec/dovecot", package="dovecot-lmtpd")
        super().__init__()
        self.authority = authority
        self.imap_port, self.imaps_port, self.lmtp_port, self.auth_port = free_ports(4)
        self.ports = (self.imap_port, self.imaps_port, self.lmtp_port, self.auth_port)
        self._users = self.directory / "users"

    def configure(self) -> None:
        is_root = os.geteuid() == 0
        me = MAIL_USER if is_root else str(os.geteuid())
        group = MAIL_USER if is_root else str(os.getegid())
        users = "" if is_root else f"default_login_user = #{me}\ndefault_internal_user = #{me}"
        text = CONFIGURATION.format(
            directory=self.directory,
            authority=self.authority,
            users=users,
            user=me,
            group=group,
            imap=self.imap_port,
            imaps=self.imaps_port,
            lmtp=self.lmtp_port,
            auth=self.auth_port,
        )
        (self.directory / "dovecot.conf").write_text(text)
        mail = self.directory / "mail"
        mail.mkdir()
        if is_root:
            shutil.chown(mail, MAIL_USER, MAIL_USER)
        self._users.mkdir()

    def command(self) -> list[str]:
        return [self._binary, "-F", "-c", str(self.directory / "dovecot.conf")]

    def add_user(self, user: str, password: str = "secret") -> None:
        """Known from now on; a user's second password counts only in the next second."""
        # A file for each: Dovecot reads one again only if its length or the second changed.
        (self._users / user.lower()).write_text(f"{user.lower()}:{{PLAIN}}{password}::::::\n")

    def remove_user(self, user: str) -> None:
        """From the next second on mail to this mailbox is refused with 550 5.1.1."""
        (self._users / user.lower()).unlink()

    def deliver(self, raw: bytes, user: str, sender: str = "customer@away.example") -> None:
        """Puts one message into the mailbox, as the last hop of its way does (LMTP)."""
        self.deliver_many([raw], user, sender)

    def deliver_many(
        self, messages: Iterable[bytes], user: str, sender: str = "customer@away.example"
    ) -> None:
        with smtplib.LMTP("127.0.0.1", self.lmtp_port) as lmtp:
            for raw in messages:
                lmtp.sendmail(sender, [user], raw)

    def place(self, messages: Iterable[bytes], user: str, *, days_old: float = 0) -> None:
        """Puts thousands into the INBOX at once, as files; quicker than delivering them.

        For a mailbox that fills while nobody looks; a client that listens may learn of it late.
        """
        self.count(user)  # makes the folders where this is the first mail
        folder = self.maildir(user)
        for number, raw in enumerate(messages):
            path = folder / "tmp" / f"{os.urandom(8).hex()}.{number:08d}.test"
            path.write_bytes(raw)
            if os.geteuid() == 0:
                shutil.chown(path, MAIL_USER, MAIL_USER)
            if days_old:
                # The time of the file is when the letter arrived (INTERNALDATE).
                arrived = time.time() - days_old * 86_400
                os.utime(path, (arrived, arrived))
            path.rename(folder / "new" / path.name)

    def maildir(self, user: str) -> Path:
        return self.directory / "mail" / user.lower() / "Maildir"

    def doveadm(self, *arguments: str) -> list[str]:
        """Dovecot's own administration tool against this instance; lines of its answer."""
        command = [self._doveadm, "-c", str(self.directory / "dovecot.conf"), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
        if done.returncode != 0:
            raise RuntimeError(f"doveadm {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout.splitlines()

    def kick(self, user: str) -> None:
        """Drops every connection of one user, as an administrator or an idle limit does."""
        with contextlib.suppress(RuntimeError):  # nobody was connected
            self.doveadm("kick", user)

    def uidvalidity(self, user: str, mailbox: str = "INBOX") -> int:
        [line] = self.doveadm("mailbox", "status", "-u", user, "uidvalidity", mailbox)
        return int(line.rpartition("=")[2])

    def count(self, user: str, mailbox: str = "INBOX") -> int:
        [line] = self.doveadm("mailbox", "status", "-u", user, "messages", mailbox)
        return int(line.rpartition("=")[2])

    def renew_uidvalidity(self, user: str, mailbox: str = "INBOX") -> int:
        """The mailbox is made anew with the same messages: new UIDVALIDITY, UIDs from 1.

        This is what a move to another server or a restored mailbox looks like. Returns the new
        UIDVALIDITY.
        """
        before = self.uidvalidity(user, mailbox)
        self.kick(user)
        folder = self.maildir(user) / ("" if mailbox == "INBOX" else f".{mailbox}")
        for pattern in ("dovecot-uidlist", "dovecot.index*"):
            for path in folder.glob(pattern):
                path.unlink()
        # Dovecot would take the present second, which may be the second of the old value.
        self.doveadm("mailbox", "update", "-u", user, "--uid-validity", str(before + 1), mailbox)
        return self.uidvalidity(user, mailbox)
