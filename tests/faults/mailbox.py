"""A mail server with moods."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from tools.mailbox import Folder, OnSocket

# In each of them a mail does not leave, or seems not to have left.
MOODS = {
    "gone": "ends the conversation at its first word",
    "busy": "wants to see the recipient later",
    "full": "has no room for the mail",
    "dropped": "ends the conversation in the mail",
    "unanswered": "takes the mail and ends the conversation before it says so",
}
# Takes the connection and says nothing, for as long as the mood lasts.
SILENT = "silent"
# Takes every mail, in its own time: two who send the same one meet.
SLOW = "slow"


class Moody(Folder):
    mood = ""

    def hang_up(self, server: SMTP) -> None:
        if isinstance(server.transport, asyncio.WriteTransport):
            server.transport.abort()

    async def handle_EHLO(  # noqa: N802
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        session.host_name = hostname
        while self.mood == SILENT:
            await asyncio.sleep(0.1)
        if self.mood == "gone":
            self.hang_up(server)
        return responses

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.mood == "busy":
            return "451 Later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.mood == "full":
            return "452 No room"
        if self.mood == "dropped":
            self.hang_up(server)
            return ""
        if self.mood == SLOW:
            await asyncio.sleep(0.3)
        answer = await super().handle_DATA(server, session, envelope)
        if self.mood == "unanswered":
            self.hang_up(server)
            await asyncio.sleep(0)
        return answer


class MoodyServer(OnSocket):
    def __init__(self, folder: Path, opened: socket.socket) -> None:
        super().__init__(folder, opened)
        self.handler: Any = Moody(folder)
