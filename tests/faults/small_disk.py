"""A disk of our own that can be full: a file system in memory which only this process and its children see."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
MS_NOSUID, MS_NODEV, MS_REC, MS_PRIVATE = 2, 4, 0x4000, 0x40000


def mount(folder: Path, megabytes: int) -> bool:
    """Put such a disk in place of the folder; False where this machine does not let us.

    To be called while this process has a single thread. Whoever is not root gets the right to mount in a user
    namespace, in which they stay who they are.
    """
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(CLONE_NEWNS if user == 0 else CLONE_NEWNS | CLONE_NEWUSER):
        return False
    if user:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    options = f"size={megabytes}m,mode=0777".encode()
    return not (
        libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None)
        or libc.mount(b"faults", os.fsencode(folder), b"tmpfs", MS_NOSUID | MS_NODEV, options)
    )
