"""Child processes that never outlive the process that started them."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TypedDict

PR_SET_PDEATHSIG = 1
Command = Sequence[str | Path]
Output = IO[bytes] | int | None


class Identity(TypedDict, total=False):
    """The keyword arguments with which subprocess changes the user; empty for our own."""

    user: int
    group: int
    extra_groups: list[int]


def die_with_parent(stop_signal: signal.Signals = signal.SIGTERM) -> None:
    """Ask the kernel to send this process a signal when its parent dies (on Linux; else a no-op)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, stop_signal)


def _bind_to_parent(stop_signal: signal.Signals, parent: int) -> Callable[[], None]:
    def in_child() -> None:
        # A shell's '&' leaves SIGINT ignored, and children would inherit that.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        die_with_parent(stop_signal)
        if os.getppid() != parent:  # it died before the kernel knew of our wish
            os.kill(os.getpid(), stop_signal)

    return in_child


def spawn(
    command: Command,
    *,
    env: Mapping[str, str],
    stop_signal: signal.Signals = signal.SIGTERM,
    output: Output = None,
    cwd: Path | str | None = None,
    identity: Identity | None = None,
    sockets: Sequence[socket.socket] = (),
) -> "subprocess.Popen[bytes]":
    """Start a process in a session of its own, which the kernel stops with `stop_signal` when we
    die, even by SIGKILL. It inherits the `sockets`, under the same numbers. Call it from the main
    thread: the kernel watches the calling thread."""
    return subprocess.Popen(
        [str(part) for part in command],
        env=dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        preexec_fn=_bind_to_parent(stop_signal, os.getpid()),
        pass_fds=[opened.fileno() for opened in sockets],
        **(identity or {}),
    )


def listening_socket(wanted: int = 0) -> socket.socket:
    """Return a socket that listens on 127.0.0.1, on the wanted port or on the next one that is free.

    Whoever holds it keeps the port, so that no other program takes it between the choice and the use.
    """
    for port in range(wanted, wanted + 100):
        candidate = socket.socket()
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind(("127.0.0.1", port))
            candidate.listen(128)
        except OSError:
            candidate.close()
            continue
        return candidate
    raise OSError(f"no port is free from {wanted} on")


def stop(
    process: "subprocess.Popen[bytes]",
    *,
    stop_signal: signal.Signals = signal.SIGTERM,
    patience: float = 15,
) -> None:
    """Ask a process to end; after `patience` seconds kill it and all it started."""
    if process.poll() is None:
        process.send_signal(stop_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@dataclass
class Supervised:
    """A process that is started again when it ends, and when it last did so."""

    name: str
    command: Command
    sockets: Sequence[socket.socket]
    process: "subprocess.Popen[bytes]"
    crashes: list[float] = field(default_factory=list)


class Supervisor:
    """Keeps named processes running until told to stop, or until one crashes again and again."""

    CRASHES, WITHIN = 5, 60.0

    def __init__(self, env: Mapping[str, str], say: Callable[[str], None]) -> None:
        self.env = env
        self.say = say
        self.children: list[Supervised] = []

    def start(self, name: str, command: Command, sockets: Sequence[socket.socket] = ()) -> None:
        process = spawn(command, env=self.env, sockets=sockets)
        self.children.append(Supervised(name, command, sockets, process))

    def check(self) -> str | None:
        """Restart what has ended. Return the name of a process that will not stay up, if any."""
        for child in self.children:
            code = child.process.poll()
            if code is None:
                continue
            now = time.monotonic()
            child.crashes = [*(t for t in child.crashes if now - t < self.WITHIN), now]
            if len(child.crashes) >= self.CRASHES:
                return child.name
            self.say(f"{child.name} ended ({_reason(code)}); starting it again")
            time.sleep(min(2.0, 0.2 * 2 ** len(child.crashes)))
            child.process = spawn(child.command, env=self.env, sockets=child.sockets)
        return None

    def stop(self) -> None:
        for child in self.children:
            if child.process.poll() is None:
                child.process.terminate()
        for child in self.children:
            stop(child.process)


def _reason(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
