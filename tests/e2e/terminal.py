"""`examples/agent.py` as a person runs it: a process with a keyboard and a screen."""

import asyncio
import sys
from types import TracebackType
from typing import Self

from tests.services.karibu import ROOT, KaribuServer

PATIENCE_S = 10


class TerminalAgent:
    def __init__(self, server: KaribuServer, token: str) -> None:
        self._command = ["-u", str(ROOT / "examples" / "agent.py"), server.base_url, token]
        self.screen: list[str] = []

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.communicate()

    def type(self, *lines: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("".join(f"{line}\n" for line in lines).encode())

    async def shows(self, text: str) -> str:
        """The next line with this text, which must come soon."""
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while line := await self._process.stdout.readline():
                self.screen.append(line.decode().rstrip())
                if text in self.screen[-1]:
                    return self.screen[-1]
        raise EOFError("\n".join(self.screen))

    async def leave(self) -> int:
        """End the keyboard's input; the exit code."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        async with asyncio.timeout(PATIENCE_S):
            return await self._process.wait()
