"""Postfix's smtp-sink: takes mail as fast as it can be sent and throws it away.

    with SmtpSink() as sink: ...                       # a server that likes everything
    with SmtpSink("-q", "RCPT") as sink: ...           # hangs up at RCPT
    with SmtpSink("-f", "DATA") as sink: ...           # refuses DATA with 4xx, -r with 5xx
    with SmtpSink("-w", "2") as sink: ...              # takes two seconds before it answers DATA
    with SmtpSink(keep=True) as sink: sink.messages()  # keeps what came, slower

smtp-sink(1) has the rest of the options. No TLS and no login: Postfix has those.
"""

import os
import shutil

from tests.servers.process import PrivateServer, find_binary, free_ports

BACKLOG = "200"


class SmtpSink(PrivateServer):
    name = "smtp-sink"

    def __init__(self, *options: str, keep: bool = False) -> None:
        self._binary = find_binary("smtp-sink", "/usr/sbin", package="postfix")
        super().__init__()
        self._options = options
        self._keeps = keep
        [self.port] = self.ports = free_ports(1)
        self.user = "nobody" if os.geteuid() == 0 else None
        self._kept = self.directory / "kept"

    def configure(self) -> None:
        self._kept.mkdir()
        if self.user:
            shutil.chown(self._kept, self.user)

    def command(self) -> list[str]:
        kept = ["-d", f"{self._kept}/%s."] if self._keeps else []
        return [self._binary, *self._options, *kept, f"127.0.0.1:{self.port}", BACKLOG]

    def messages(self) -> list[bytes]:
        """What came so far, each with smtp-sink's X- lines about the envelope before it."""
        paths = sorted(self._kept.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        # The probe that waits for the server to listen leaves no message behind.
        return [content for path in paths if (content := path.read_bytes())]
