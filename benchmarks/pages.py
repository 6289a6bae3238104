"""How long the explorer's pages take: the first after a cold start, and later ones with ten people clicking
at once.

Measured against a floor side by side in the same run: an explorer with the same number of pages and nothing
on them, in the same server settings. Nobody waits for less than that with Streamlit on this machine.

Cold start is from the start of the server's process to the first page complete in a real browser: every text
there, every chart drawn. The browser is open by then and has nothing in its cache.

The ten people are one real browser and nine clients that speak the browser's protocol without drawing
anything: ten browsers would take the two cores for themselves, where ten people bring their own. Each clicks
every five to eight seconds (--think), first page not counted: a search, a school, what if, a trust, a
comparison, the evidence and so on, each with schools of its own. The browser clicks twice as often, for more
to tell from. A client's time is from sending the click to the message that says the page is complete; the
browser's is from the click to the page drawn. Not measured: a network between them, and a client's own
drawing of a page.

    python benchmarks/pages.py --tables data/tables

Prints medians and 90th percentiles; fails on no absolute time. The browser is the machine's own Chromium,
through Playwright; without either, clients take its place and drawing is not measured.
"""

import argparse
import asyncio
import contextlib
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pandas as pd

from headway import explorer

ROOT = Path(__file__).resolve().parent.parent
PAGES = [name for name, _ in explorer.PAGES]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
PEOPLE = 10
Step = tuple[str, dict[str, str]]  # a page and its address's parameters

# A link inside the app, without loading the app anew.
CLICK = "(to) => { history.pushState({}, '', to); dispatchEvent(new PopStateEvent('popstate')) }"
# Its script having ended, a page is complete once the browser has nothing left to do, nothing is left of the
# page before and every chart is drawn.
DRAWN = """async () => {
  const give_up = performance.now() + 30000;
  const drawn = () => {
    const app = document.querySelector('[data-testid=stApp]');
    const main = app?.querySelector('[data-testid=stMain]');
    return app?.dataset.testScriptState === 'notRunning' && main?.querySelector('h1')
      && !main.querySelector('[data-stale=true], [data-testid=stSkeleton]')
      && [...main.querySelectorAll('[data-testid=stVegaLiteChart]')].every(
        chart => chart.querySelector('canvas, svg'))
      && [...main.querySelectorAll('img')].every(picture => picture.complete);
  };
  do {
    if (performance.now() > give_up) throw new Error(`${location.href}: not complete after half a minute`);
    await new Promise(done => requestIdleCallback(done, {timeout: 200}));
  } while (!drawn());
}"""


@contextlib.contextmanager
def serving(script: Path, tables: Path, runs: Path) -> Iterator[tuple[str, float]]:
    """The address of a fresh server, started as `headway explore` does, and when its process was started."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "HEADWAY_TABLES": str(tables),
        "HEADWAY_RUNS": str(runs),
        "PYTHONPATH": str(ROOT),
    }
    started = time.perf_counter()
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "streamlit",
            "run",
            str(script),
            "--server.port",
            str(port),
            "--server.headless",
            "true",
        ],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while server.poll() is None:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1).read()
                break
            time.sleep(0.02)
        yield f"127.0.0.1:{port}", started
    finally:
        server.terminate()
        server.wait(20)


def empty_pages(folder: Path) -> Path:
    """The floor: as many pages as the explorer's, each a title and nothing else."""
    for name in PAGES:
        (folder / f"{name}.py").write_text(f"import streamlit as st\n\nst.title('{name}')\n")
    script = folder / "floor.py"
    script.write_text(
        "import streamlit as st\n\n"
        f"st.navigation([st.Page(f'{{name}}.py', default=name == 'find') for name in {PAGES}]).run()\n"
    )
    return script


def walk(person: int, tables: Path) -> list[Step]:
    """What one person clicks on: every page, those of schools more often, each time another school."""
    rows = pd.read_parquet(
        tables / "schools.parquet", columns=["urn", "name", "local_authority", "trust_uid", "open"]
    )
    told = pd.read_parquet(tables / "predictions.parquet", columns=["urn", "status"])
    rows = rows.merge(told[told["status"].eq("scored")], on="urn", validate="one_to_one")
    some = rows.sample(12, random_state=person)
    urns = [str(urn) for urn in some["urn"]]
    trusts = [
        str(int(uid)) for uid in rows["trust_uid"].dropna().drop_duplicates().sample(1, random_state=person)
    ]
    steps: list[Step] = []
    for urn, name in zip(urns[:4], some["name"], strict=False):
        steps += [("find", {"q": name.split()[0]}), ("school", {"urn": urn})]
    steps += [("governors", {"urn": urns[4]}), ("new", {}), ("contact", {})]
    steps += [("what_if", {"urn": urn}) for urn in urns[:2]] + [("trust", {"trust": one}) for one in trusts]
    steps += [
        ("trust", {"authority": some["local_authority"].iloc[0]}),
        ("compare", {"urns": ",".join(urns[:3])}),
    ]
    steps += [("evidence", {}), ("how_good", {"by": "region"}), ("about", {}), ("your_data", {})]
    random.Random(person).shuffle(steps)
    return steps


async def client(
    address: str, steps: list[Step], think: Callable[[], float], note: Callable[[str, float], None]
) -> None:
    """One person at a browser's end of the protocol, who draws nothing."""
    import websockets
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

    async with websockets.connect(
        f"ws://{address}/_stcore/stream",
        subprotocols=["streamlit"],
        origin=f"http://{address}",
        max_size=None,
    ) as line:

        async def click(name: str, query: dict[str, str]) -> float:
            asked = BackMsg()
            asked.rerun_script.query_string = urlencode(query)
            asked.rerun_script.page_name = "" if name == "find" else name
            started = time.perf_counter()
            await line.send(asked.SerializeToString())
            while True:
                told = ForwardMsg.FromString(await line.recv())
                if told.WhichOneof("type") == "script_finished":
                    return time.perf_counter() - started

        await asyncio.sleep(think())
        await click("find", {})
        for name, query in steps:
            await asyncio.sleep(think())
            note(name, await click(name, query))


class Reader:
    """A real browser, and what it has been told of the script behind its page."""

    def __init__(self, page: Any) -> None:
        self.page, self.ended = page, asyncio.Event()
        page.on("websocket", lambda line: line.on("framereceived", self.told))

    def told(self, frame: bytes | str) -> None:
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

        if isinstance(frame, bytes) and ForwardMsg.FromString(frame).WhichOneof("type") == "script_finished":
            self.ended.set()

    async def complete(self) -> None:
        await asyncio.wait_for(self.ended.wait(), 60)
        await self.page.evaluate(DRAWN)

    async def open(self, address: str) -> None:
        await self.page.goto(f"http://{address}/", wait_until="commit")
        await self.complete()

    async def walk(
        self, address: str, steps: list[Step], think: Callable[[], float], note: Callable[[str, float], None]
    ) -> None:
        """Where the clients go, too."""
        await asyncio.sleep(think())
        await self.open(address)
        for name, query in steps:
            await asyncio.sleep(think())
            self.ended.clear()
            started = time.perf_counter()
            await self.page.evaluate(CLICK, f"/{'' if name == 'find' else name}?{urlencode(query)}")
            await self.complete()
            note(name, time.perf_counter() - started)


async def ten(
    address: str, walks: list[list[Step]], seconds: tuple[float, float], browser: Any
) -> tuple[dict, dict]:
    """Seconds by page: at the clients, and drawn in the browser."""
    at_clients, drawn = defaultdict(list), defaultdict(list)
    clicks = [random.Random(number) for number in range(len(walks))]
    pauses = [lambda one=one: one.uniform(*seconds) for one in clicks]
    jobs = [
        client(address, steps, think, lambda name, took: at_clients[name].append(took))
        for steps, think in zip(walks[bool(browser) :], pauses[bool(browser) :], strict=True)
    ]
    if browser:
        page = await browser.new_page()
        jobs.append(
            Reader(page).walk(
                address, walks[0], lambda: pauses[0]() / 2, lambda name, took: drawn[name].append(took)
            )
        )
    await asyncio.gather(*jobs)
    if browser:
        await page.close()
    return at_clients, drawn


async def cold(address: str, started: float, browser: Any) -> tuple[float, float]:
    """Seconds from the start of the server's process until it answers, and until the first page is
    complete.
    """
    answers = time.perf_counter() - started
    if not browser:
        first: list[float] = []
        await client(address, [("find", {})], lambda: 0.0, lambda name, took: first.append(took))
        return answers, time.perf_counter() - started
    page = await browser.new_page()
    await Reader(page).open(address)
    shown = time.perf_counter() - started
    await page.close()
    return answers, shown


def say(title: str, took: dict[str, list[float]], floor: dict[str, list[float]]) -> None:
    """A row a page, and all together: how often, the median, the 90th percentile, and both over the
    floor's.
    """
    below = np.concatenate([*floor.values()])
    print(f"\n{title:30}{'clicks':>8}{'median':>9}{'90%':>9}{'  over the floor, median and 90%':>10}")
    for name, seconds in [
        *((page, took[page]) for page in PAGES if took[page]),
        ("all", np.concatenate([*took.values()])),
    ]:
        at, low = np.quantile(seconds, [0.5, 0.9]), np.quantile(below, [0.5, 0.9])
        print(f"{name:30}{len(seconds):8}{at[0]:9.2f}{at[1]:9.2f}{at[0] / low[0]:10.1f}{at[1] / low[1]:8.1f}")
    low = np.quantile(below, [0.5, 0.9])
    print(f"{'floor: empty pages':30}{len(below):8}{low[0]:9.2f}{low[1]:9.2f}")


async def measured(tables: Path, runs: Path, think: tuple[float, float], starts: int) -> None:
    walks = [walk(number, tables) for number in range(PEOPLE)]
    async with contextlib.AsyncExitStack() as open_:
        browser = None
        with contextlib.suppress(ImportError):
            from playwright.async_api import async_playwright

            if CHROMIUM:
                playwright = await open_.enter_async_context(async_playwright())
                browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
                open_.push_async_callback(browser.close)
        floor = empty_pages(Path(open_.enter_context(tempfile.TemporaryDirectory())))
        end = "complete in the browser" if browser else "complete at a client (no browser here)"
        print(f"{'cold start, seconds':30}{'answers':>9}  {end}", flush=True)
        for name, script in (("explorer", ROOT / "app.py"), ("floor: empty pages", floor)):
            for _ in range(starts):
                with serving(script, tables, runs) as (address, started):
                    answers, shown = await cold(address, started, browser)
                print(f"{name:30}{answers:9.2f}{shown:9.2f}", flush=True)
        results = []
        if browser:
            walks[0] += walk(PEOPLE, tables)
        for script, share in ((ROOT / "app.py", 1.0), (floor, 0.4)):
            with serving(script, tables, runs) as (address, _):
                results.append(
                    await ten(
                        address, [steps[: round(share * len(steps))] for steps in walks], think, browser
                    )
                )
        print(
            f"\n{PEOPLE} people, a click every {think[0]:g} to {think[1]:g} seconds each; seconds to the "
            "page complete"
        )
        say("at the clients", results[0][0], results[1][0])
        if browser:
            say("drawn in the browser", results[0][1], results[1][1])


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--tables", type=Path, default=Path("data/tables"))
    options.add_argument(
        "--runs", type=Path, help="folder with the stored model; mlruns beside data/ where not given"
    )
    options.add_argument(
        "--think", type=float, nargs=2, default=(5.0, 8.0), help="seconds between clicks, from and to"
    )
    options.add_argument("--starts", type=int, default=3, help="cold starts")
    told = options.parse_args()
    tables = told.tables.resolve()
    if not (tables / "predictions.parquet").is_file():
        print(
            f"pages: {tables} holds no predictions; make some with `headway demo`, or name a folder with "
            "--tables"
        )
        return
    runs = (told.runs or tables.parent.parent / "mlruns").resolve()
    asyncio.run(measured(tables, runs, tuple(told.think), told.starts))


if __name__ == "__main__":
    main()
