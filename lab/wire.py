"""A slow wire between a host's cable and the bridge, for kernels without the netem discipline.

Runs as a process of its own: frames from the cable's end (a packet socket) and from a tap device
in the bridge wait in a queue before they go on. Both sides carry the kernel's offload header, so
large segments and unfinished checksums pass unchanged. The tap vanishes with the process.
"""

import fcntl
import os
import select
import socket
import struct
import sys
import time
from collections import deque
from pathlib import Path

_TUNSETIFF = 0x400454CA
_TUNSETOFFLOAD = 0x400454D0
_IFF_TAP_NO_PI_VNET_HDR = 0x0002 | 0x1000 | 0x4000
_OFFLOADS = 0x0F
_SOL_PACKET = 263
_PACKET_VNET_HDR = 15
_PACKET_IGNORE_OUTGOING = 23
_ETH_P_ALL = 3
_LARGEST_FRAME_BYTES = 1 << 17
_QUEUE_BYTES = 64 << 20
_BUFFER_BYTES = 8 << 20


class Direction:
    """Frames on their way from one descriptor to the other, each with the time when it is due."""

    def __init__(self, source: int, target: int, delay_s: float) -> None:
        self.source = source
        self.target = target
        self.delay_s = delay_s
        self.queue: deque[tuple[float, bytes]] = deque()
        self.queued_bytes = 0

    def take(self) -> None:
        """Read what has arrived; beyond the queue's size frames are lost, as on a real link."""
        while True:
            try:
                frame = os.read(self.source, _LARGEST_FRAME_BYTES)
            except BlockingIOError:
                return
            if self.queued_bytes + len(frame) <= _QUEUE_BYTES:
                self.queue.append((time.monotonic() + self.delay_s, frame))
                self.queued_bytes += len(frame)

    def give(self) -> float | None:
        """Send what is due; return the seconds until the next frame, None without one."""
        while self.queue:
            wait_s = self.queue[0][0] - time.monotonic()
            if wait_s > 0:
                return wait_s
            _, frame = self.queue.popleft()
            self.queued_bytes -= len(frame)
            try:
                os.write(self.target, frame)
            except OSError:
                continue  # no room, or the link is down: the frame is lost
        return None


def carry(cable: int, tap: int, delay_s: float) -> None:
    """Carry frames both ways until the process is killed."""
    directions = (Direction(cable, tap, delay_s), Direction(tap, cable, delay_s))
    while True:
        waits = [wait for direction in directions if (wait := direction.give()) is not None]
        select.select([cable, tap], [], [], min(waits, default=None))
        for direction in directions:
            direction.take()


def open_cable(device: str) -> int:
    """Open a packet socket on the machine's end of a cable and return its descriptor."""
    cable = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    cable.setsockopt(_SOL_PACKET, _PACKET_VNET_HDR, 1)
    cable.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
    cable.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
    cable.bind((device, _ETH_P_ALL))
    cable.settimeout(0)
    return cable.detach()


def open_tap(device: str) -> int:
    """Create a tap device that lives as long as the returned descriptor."""
    tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tap, _TUNSETIFF, struct.pack("16sH22x", device.encode(), _IFF_TAP_NO_PI_VNET_HDR))
    fcntl.ioctl(tap, _TUNSETOFFLOAD, _OFFLOADS)
    return tap


def _main(cable: str, tap: str, delay_ms: str) -> None:
    # What `ps` shows, instead of an interpreter.
    Path("/proc/self/comm").write_text("uwlab-wire")
    carry(open_cable(cable), open_tap(tap), float(delay_ms) / 1000)


if __name__ == "__main__":
    _main(*sys.argv[1:])
