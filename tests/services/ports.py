"""Free ports of loopback."""

import random
import socket

# Below the range that the kernel hands to outgoing connections, so that none of those can take
# the port between this answer and the server's start.
CANDIDATES = range(20_000, 32_000)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on."""
    # Seeded by the system: under a fixed random seed, parallel workers would all pick the same.
    for port in random.SystemRandom().sample(CANDIDATES, 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port among 100 tried")
