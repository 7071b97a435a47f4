"""A mail server for one machine: what is sent to it lies in a folder, one .eml file a mail.

    python -m tools.mailbox FOLDER SOCKET

SOCKET is the number of a listening socket that the parent process has opened.
"""

import asyncio
import email
import email.policy
import signal
import socket
import sys
import threading
import uuid
from collections.abc import Coroutine
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class Folder:
    """Writes every mail it is handed into one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content or b""
        recipients = ", ".join(envelope.rcpt_tos)
        # Named by time, so that the folder sorts; complete from the moment it has its name.
        path = self.folder / f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex[:8]}.eml"
        unfinished = path.with_suffix(".part")
        unfinished.write_bytes(
            f"X-Envelope-To: {recipients}\r\n".encode()
            + (content if isinstance(content, bytes) else content.encode())
        )
        unfinished.rename(path)
        return "250 OK"


class OnSocket(Controller):
    """aiosmtpd's thread and loop, on a socket that is open already."""

    def __init__(self, folder: Path, opened: socket.socket) -> None:
        host, port = opened.getsockname()
        super().__init__(Folder(folder), hostname=host, port=port)
        self.opened = opened

    def _create_server(self) -> Coroutine[Any, Any, asyncio.AbstractServer]:
        return self.loop.create_server(self._factory_invoker, sock=self.opened)


def read(folder: Path, to: str | None = None) -> list[EmailMessage]:
    """Return the mails in the folder, oldest first; only those to one address if it is given."""
    mails = []
    for path in sorted(folder.glob("*.eml")):
        mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        if to is None or to in [
            address.strip() for address in str(mail["X-Envelope-To"]).split(",")
        ]:
            mails.append(mail)
    return mails


def main() -> None:
    folder, opened = Path(sys.argv[1]), socket.socket(fileno=int(sys.argv[2]))
    folder.mkdir(parents=True, exist_ok=True)
    controller = OnSocket(folder, opened)
    controller.start()
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    done.wait()
    controller.stop()


if __name__ == "__main__":
    main()
