"""The parts of the application that journeys need besides the web server: worker, clock, mail."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP, SIGTERM
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

from django.db import connection

from pmcycle.celery import CLOCK, app
from tools.mailbox import read
from tools.processes import listening_socket, spawn, stop

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]
# What takes up work by itself: between journeys it stands still, or it would work in the other tests' tables.
STILL = ("worker", "beat")


@dataclass
class Stack:
    """The running application: `url` is its address, `mails()` what it has sent."""

    url: str
    folder: Path
    mail_socket: socket.socket = field(default_factory=listening_socket)
    processes: "dict[str, subprocess.Popen[bytes]]" = field(default_factory=dict)

    # For tests.

    def mails(self, to: str | None = None) -> list[EmailMessage]:
        """Return the mails sent so far, oldest first; only those to one address if it is given."""
        return read(self.mail_folder, to)

    def wait_for(self, what: Callable[[], T], seconds: float = 120) -> T:
        """Ask again and again until the answer is truthy, and return it."""
        give_up = time.monotonic() + seconds
        while not (answer := what()):
            assert time.monotonic() < give_up, f"waited {seconds} s in vain; {self._last_words()}"
            time.sleep(0.1)
        return answer

    def wait_for_mail(self, to: str, subject: str = "", seconds: float = 120) -> EmailMessage:
        """Wait for a mail to this address whose subject holds these words, and return it."""

        def matching() -> list[EmailMessage]:
            return [mail for mail in self.mails(to) if subject in str(mail["Subject"])]

        return self.wait_for(matching, seconds)[-1]

    def has_mailed(self, link: str) -> bool:
        """Whether this address stands in a mail sent so far."""
        bodies = (mail.get_body(("plain",)) for mail in self.mails())
        return any(body is not None and link in body.get_content().split() for body in bodies)

    def tick(self, job: str) -> None:
        """Let the clock strike for one job of `CLOCK` alone, and wait until the worker has done it."""
        beat = self.processes["beat"]
        beat.send_signal(SIGSTOP)
        app.send_task(CLOCK[job]["task"], **CLOCK[job].get("options", {}))
        self.settle()
        beat.send_signal(SIGCONT)

    def settle(self, seconds: float = 180) -> None:
        """Wait until the worker has nothing left to do."""
        self.wait_for(lambda: self._pending() == 0, seconds)

    # For the fixtures.

    @property
    def mail_port(self) -> int:
        port: int = self.mail_socket.getsockname()[1]
        return port

    @property
    def mail_folder(self) -> Path:
        return self.folder / "mail"

    @property
    def seals_folder(self) -> Path:
        return self.folder / "seals"

    def start(self) -> None:
        self.mail_folder.mkdir(parents=True)
        python = sys.executable
        celery = [python, "-m", "celery", "-A"]
        commands: dict[str, list[str]] = {
            "mailbox": [
                python,
                "-m",
                "tools.mailbox",
                str(self.mail_folder),
                str(self.mail_socket.fileno()),
            ],
            "worker": [
                *(*celery, "pmcycle", "worker", "--concurrency", "1"),
                *("--without-gossip", "--without-mingle", "--without-heartbeat"),
            ],
            "beat": [
                *celery,
                "tests.journeys.fast_clock",
                "beat",
                "--schedule",
                str(self.folder / "beat"),
            ],
        }
        for name, command in commands.items():
            with (self.folder / f"{name}.log").open("wb") as log:
                self.processes[name] = spawn(
                    command,
                    env=self._environment(),
                    output=log,
                    cwd=ROOT,
                    sockets=[self.mail_socket],
                    # What stands still between tests hears no other signal then.
                    stop_signal=SIGKILL if name in STILL else SIGTERM,
                )
        self.wait_for(lambda: app.control.ping(timeout=0.5), seconds=180)
        self.pause()

    def resume(self) -> None:
        """Let worker and clock go on, with an empty mailbox, without seals of a trail that is gone, and without
        what other tests have sent to the worker."""
        for mail in self.mail_folder.glob("*.eml"):
            mail.unlink()
        shutil.rmtree(self.seals_folder, ignore_errors=True)
        app.control.purge()
        for name in STILL:
            self.processes[name].send_signal(SIGCONT)

    def pause(self) -> None:
        """Stop the clock, let the worker finish and stop it: the tables are about to be emptied under it."""
        self.processes["beat"].send_signal(SIGSTOP)
        self.settle()
        self.processes["worker"].send_signal(SIGSTOP)
        for name, process in self.processes.items():
            assert process.poll() is None, f"the {name} has ended; {self._last_words()}"

    def stop(self) -> None:
        for name in STILL:
            if name in self.processes:
                self.processes[name].send_signal(SIGCONT)
        for process in self.processes.values():
            stop(process)
        self.mail_socket.close()

    def _environment(self) -> dict[str, str]:
        server = urlsplit(os.environ["DATABASE_URL"])
        return {
            **os.environ,
            "DATABASE_URL": urlunsplit(
                server._replace(path=f"/{connection.settings_dict['NAME']}")
            ),
            "EMAIL_URL": f"smtp://127.0.0.1:{self.mail_port}",
            "SITE_URL": self.url,
            "TRAIL_SEALS_DIR": str(self.seals_folder),
        }

    def _pending(self) -> int:
        """Count the tasks that wait and those a worker holds: late acknowledgement keeps both in Redis."""
        with app.connection_for_read() as broker:
            redis: Any = broker.default_channel
            return int(redis.client.llen("celery")) + int(redis.client.hlen("unacked"))

    def _last_words(self) -> str:
        words = (
            f"{log.name}:\n{log.read_text()[-1500:]}" for log in sorted(self.folder.glob("*.log"))
        )
        return "\n".join(words)
