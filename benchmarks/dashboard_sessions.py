"""Many people at one dashboard: Streamlit sessions over its WebSocket, as browsers open them, without drawing.

Part of benchmarks/dashboard.py. Each session opens pages and thinks in between; the time of a page runs from the
request to the server's word that the script has finished, with every element received.
"""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

Visit = tuple[str, float]  # page, seconds
_PATIENCE_S = 120


async def _open(socket: ClientConnection, page: str, query: str) -> tuple[float, int]:
    """Seconds until the page is finished, and how many errors it showed."""
    message = BackMsg()
    message.rerun_script.query_string = query
    message.rerun_script.page_name = page
    began = time.perf_counter()
    await socket.send(message.SerializeToString())
    errors = 0
    while True:
        told = ForwardMsg()
        told.ParseFromString(await asyncio.wait_for(socket.recv(), _PATIENCE_S))  # type: ignore[arg-type]
        kind = told.WhichOneof("type")
        if kind == "delta" and told.delta.new_element.WhichOneof("type") == "exception":
            errors += 1
        if kind == "script_finished" and told.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
            return time.perf_counter() - began, errors


async def _session(
    server: str, pages: Mapping[str, str], visits: Sequence[str], think: tuple[float, float], seed: int
) -> tuple[list[Visit], int]:
    chance = random.Random(seed)
    address = server.replace("http", "ws") + "_stcore/stream"
    found: list[Visit] = []
    errors = 0
    origin = server.rstrip("/")
    async with connect(address, subprotocols=["streamlit"], max_size=None, origin=origin) as socket:  # type: ignore[arg-type, list-item]
        for name in visits:
            await asyncio.sleep(chance.uniform(*think))
            page, _, query = pages[name].partition("?")
            seconds, wrong = await _open(socket, page, query)
            found.append((name, seconds))
            errors += wrong
    return found, errors


def visits(
    server: str, pages: Mapping[str, str], *, sessions: int, each: int, think: tuple[float, float]
) -> tuple[list[Visit], int]:
    """Every page visit of so many sessions at once, and the number of errors: on a page, or a lost connection."""

    async def together() -> tuple[list[Visit], int]:
        chance = random.Random(7)
        plans = [[chance.choice(list(pages)) for _ in range(each)] for _ in range(sessions)]
        if sessions == 1:
            plans = [[name for name in pages for _ in range(each)]]
        work = [_session(server, pages, plan, think, seed) for seed, plan in enumerate(plans)]
        done = await asyncio.gather(*work, return_exceptions=True)
        good = [one for one in done if not isinstance(one, BaseException)]
        lost = len(done) - len(good)
        return [visit for found, _ in good for visit in found], lost + sum(errors for _, errors in good)

    return asyncio.run(together())
