"""Become a command that dies with its parent, however the parent dies: `child.py PARENT SIGNAL UID GID COMMAND...`.

The kernel forgets the death signal when credentials change, so they change first (prctl(2), PR_SET_PDEATHSIG). It is
sent when the *thread* that forked ends: start children from a main thread. Elsewhere than on Linux there is no such
signal, and a command outlives a parent that was killed.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
UNCHANGED = -1


def die_with_parent(signal_number: int) -> None:
    """Ask the kernel to send this process a signal when the parent's thread that forked it ends."""
    if sys.platform == "linux" and ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal_number) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")


def become(parent: int, signal_number: int, uid: int, gid: int, command: list[str]) -> None:
    """Drop to a user (or stay, with `UNCHANGED`), bind this process to its parent and run the command in its place."""
    if uid != UNCHANGED:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    die_with_parent(signal_number)
    if os.getppid() != parent:
        sys.exit("the parent has gone")
    os.execvp(command[0], command)


if __name__ == "__main__":
    parent_pid, death_signal, user, group = map(int, sys.argv[1:5])
    become(parent_pid, death_signal, user, group, sys.argv[5:])
