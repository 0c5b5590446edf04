"""Ending a visitor's sessions, as a supervisor's program does it."""

import httpx

from tests.services.karibu import KaribuServer


async def revoke_sessions(server: KaribuServer, contact_id: int) -> None:
    token = server.demo["supervisor"]["token"]
    async with httpx.AsyncClient(base_url=server.base_url, trust_env=False) as http:
        done = await http.post(
            f"/api/v1/contacts/{contact_id}/revoke-sessions",
            headers={"Authorization": f"Bearer {token}"},
        )
    assert done.status_code == 204
