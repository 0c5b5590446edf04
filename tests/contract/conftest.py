"""Every test here runs against the built-in gateway and, where there is one, a real Centrifugo."""

from collections.abc import Iterator

import pytest

from tests.contract.backends import Backend, CentrifugoServer, GatewayServer
from tests.contract.clients import NodeClient, OfficialClient, PythonClient

BACKENDS = ["gateway", *(["centrifugo"] if CentrifugoServer.find() else [])]


@pytest.fixture(scope="session")
def gateway_server() -> Iterator[GatewayServer]:
    with GatewayServer() as server:
        yield server


@pytest.fixture(scope="session")
def centrifugo_server() -> Iterator[CentrifugoServer]:
    with CentrifugoServer() as server:
        yield server


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Backend:
    server: Backend = request.getfixturevalue(f"{request.param}_server")
    return server


@pytest.fixture(params=[PythonClient, NodeClient], ids=["python", "js"])
def client_class(request: pytest.FixtureRequest) -> type[OfficialClient]:
    client: type[OfficialClient] = request.param
    return client
