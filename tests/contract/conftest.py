"""Every test here runs against the built-in gateway and, where there is one, a real Centrifugo."""

from collections.abc import Iterator

import pytest

from tests.contract.backends import Backend, CentrifugoServer, GatewayServer
from tests.contract.clients import NodeClient, OfficialClient, PythonClient


@pytest.fixture(scope="session")
def gateway_server() -> Iterator[GatewayServer]:
    with GatewayServer() as server:
        yield server


@pytest.fixture(scope="session")
def centrifugo_server() -> Iterator[CentrifugoServer]:
    if CentrifugoServer.find() is None:
        pytest.skip("centrifugo is not on the PATH")
    with CentrifugoServer() as server:
        yield server


@pytest.fixture(params=["gateway", "centrifugo"])
def backend(request: pytest.FixtureRequest) -> Backend:
    server: Backend = request.getfixturevalue(f"{request.param}_server")
    return server


@pytest.fixture(params=[PythonClient, NodeClient], ids=["python", "js"])
def client_class(request: pytest.FixtureRequest) -> type[OfficialClient]:
    client: type[OfficialClient] = request.param
    if client is NodeClient and not NodeClient.is_there():
        pytest.skip("Node.js or its packages are not installed")
    return client
