"""``python -m bench.load``: a job comes on stdin, its length first; the report goes to stdout when it is done."""

from __future__ import annotations

import gc
import signal
import sys

import msgspec

from bench.load.job import Job
from bench.load.loop import Loop

LENGTH_BYTES = 8


def main() -> None:
    """Run one job."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the bench, which then ends this process
    with open(sys.stdin.fileno(), "rb", buffering=0, closefd=False) as told:
        length = int.from_bytes(told.read(LENGTH_BYTES), "big")
        data = bytearray()
        while len(data) < length:
            data += told.read(length - len(data)) or sys.exit("the job ends before its end")
        loop = Loop(msgspec.msgpack.decode(data, type=Job), told)
        del data
        gc.disable()
        sys.stdout.buffer.write(msgspec.msgpack.encode(loop.run()))


if __name__ == "__main__":
    main()
