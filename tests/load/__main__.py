"""Runs the benchmarks: `make bench`, or `make bench ARGS="sends fanout --repeats 1"`.

Everything is on loopback, in folders and on ports of its own, and stops by itself.
"""

import asyncio
import gc
import os
import signal
import sys
import time
from argparse import ArgumentParser
from collections.abc import Awaitable, Callable
from contextlib import ExitStack

import uvloop

from tests.load import fanout, latency, sends, sockets, starts
from tests.load.lab import Lab
from tests.load.processes import ROOT
from tests.load.report import Figure, Outcome, as_table, write_json
from tests.services.server import MissingProgramError

PART_TIMEOUT_S = 300
Measure = Callable[[Lab, int], Awaitable[list[Figure]]]
PARTS: dict[str, Measure] = {
    "latency": latency.measure,
    "sends": sends.measure,
    "fanout": fanout.measure,
    "sockets": sockets.measure,
    "starts": starts.measure,
}


async def run_part(name: str, lab: Lab, repeats: int) -> Outcome:
    load_before, began, cpu = os.getloadavg()[0], time.monotonic(), time.process_time()
    async with asyncio.timeout(PART_TIMEOUT_S):
        figures = await PARTS[name](lab, repeats)
    return Outcome(
        part=name,
        figures=figures,
        took_s=time.monotonic() - began,
        load_before=load_before,
        load_after=os.getloadavg()[0],
        generator_cpu_s=time.process_time() - cpu,
    )


async def run(names: list[str], repeats: int) -> list[Outcome]:
    outcomes = []
    with ExitStack() as stack:
        lab = Lab(stack)
        for name in names:
            outcomes.append(await run_part(name, lab, repeats))
            say(as_table(outcomes[-1]) + "\n")
    return outcomes


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    parser = ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--repeats", type=int, default=3, help="of which the median is taken")
    options = parser.parse_args()
    unknown = set(options.parts) - PARTS.keys()
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    # Both end it in order: what it has started is stopped on the way out.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # The generator's own collections would show as the server's delays.
    gc.disable()
    try:
        outcomes = uvloop.run(run(options.parts or list(PARTS), options.repeats))
    except MissingProgramError as missing:
        say(str(missing))
        return 1
    say(f"Kept in {write_json(ROOT / 'var' / 'bench', outcomes).relative_to(ROOT)}")
    missed = [f.name for outcome in outcomes for f in outcome.figures if f.met is False]
    if missed:
        say(f"Missed: {', '.join(missed)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
