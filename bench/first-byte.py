"""first-byte.py PROGRAM ARGS...: milliseconds from exec until PROGRAM has read from its stdin, 20 times.

The pipe holds 60 KB from the start; its level is polled with FIONREAD. A core's worth of bytes follows.
"""

import array
import fcntl
import os
import sys
import termios
import time

LEVEL = 60_000


def level(fd):
    count = array.array("i", [0])
    fcntl.ioctl(fd, termios.FIONREAD, count)
    return count[0]


for _ in range(20):
    reader, writer = os.pipe()
    os.write(writer, b"x" * LEVEL)
    started = time.perf_counter()
    pid = os.posix_spawn(
        sys.argv[1],
        sys.argv[1:],
        {},
        file_actions=[(os.POSIX_SPAWN_DUP2, reader, 0), (os.POSIX_SPAWN_CLOSE, writer)],
    )
    while level(reader) == LEVEL:
        time.sleep(0.0002)
    print(f"{(time.perf_counter() - started) * 1000:.2f}", flush=True)
    os.close(reader)
    os.write(writer, b"y" * 1_000_000)
    os.close(writer)
    os.waitpid(pid, 0)
