"""What a visitor costs who only has the page open."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from tests.load.clients import AgentClient, SocketClient, VisitorClient
from tests.load.lab import IDLERS, Lab
from tests.load.population import Listener
from tests.load.processes import LoadedServer
from tests.load.report import Figure

AT_ONCE = 100
REST_S = 2
Enter = Callable[[int, Listener], Awaitable[SocketClient]]


async def grow(server: LoadedServer, listeners: Sequence[Listener], enter: Enter) -> float:
    """KiB of resident memory per socket; the first ones, which bring in code, don't count."""
    clients: list[SocketClient] = []

    async def add(group: Sequence[Listener]) -> None:
        for start in range(0, len(group), AT_ONCE):
            some = group[start : start + AT_ONCE]
            clients.extend(await asyncio.gather(*[enter(server.port, each) for each in some]))
        await asyncio.sleep(REST_S)

    await add(listeners[:AT_ONCE])
    before = server.usage()
    await add(listeners[AT_ONCE:])
    after = server.usage()
    for client in clients:
        client.close()
    return (after.rss_kib - before.rss_kib) / (len(listeners) - AT_ONCE)


async def measure(lab: Lab, repeats: int) -> list[Figure]:
    """On the embedded default."""
    ground = lab.sqlite
    idle_mib, product_kib, bare_kib = [], [], []
    for _ in range(repeats):
        with ground.bare(storing=False) as bare:
            bare_kib.append(await grow(bare, ground.population.idlers, _enter_bare))
        with ground.served() as product:
            await asyncio.sleep(REST_S)
            idle_mib.append(product.usage().rss_kib / 1024)
            product_kib.append(await grow(product, ground.population.idlers, VisitorClient.enter))
    return [
        Figure(name="idle memory of the server", unit="MiB", values=idle_mib, goal=250),
        Figure(
            name=f"memory of an idle visitor's socket, of {IDLERS}",
            unit="KiB",
            values=product_kib,
            ceilings=bare_kib,
            ceiling_is="a bare server's socket",
            goal=45,
        ),
    ]


async def _enter_bare(port: int, listener: Listener) -> SocketClient:
    return await AgentClient.enter(port, "")
