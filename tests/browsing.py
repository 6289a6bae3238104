"""The explorer as a server of its own, and how tests go about in it: by its protocol, or in a browser."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CHROMIUM = next(
    (
        path
        for path in ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
        if Path(path).is_file()
    ),
    None,
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextlib.contextmanager
def serving(
    tables: Path,
    runs: Path,
    log: Path,
    *more: str,
    program: tuple[str, ...] = ("-m", "streamlit"),
    port: int = 0,
    **environment: str,
) -> Iterator[str]:
    """Where the explorer answers: a fresh server over these tables, with more of Streamlit's options or
    variables.
    """
    port = port or free_port()
    known = {
        **os.environ,
        "HEADWAY_TABLES": str(tables),
        "HEADWAY_RUNS": str(runs),
        "HEADWAY_REGISTERS": str(tables.parent / "own"),
    }
    command = [
        sys.executable,
        *program,
        "run",
        str(ROOT / "app.py"),
        "--server.port",
        str(port),
        "--server.headless",
        "true",
        *more,
    ]
    with open(log, "w") as written:
        server = subprocess.Popen(
            command, cwd=ROOT, env=known | environment, stdout=written, stderr=subprocess.STDOUT
        )
    try:
        answers(port, server, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(20)


def answers(port: int, running: subprocess.Popen, log: Path) -> None:
    """Returns once the explorer on a port answers; fails with what it wrote where it ended or a minute
    passed.
    """
    for _ in range(240):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1).read()
            return
        except OSError:
            if running.poll() is not None:
                break
            time.sleep(0.25)
    pytest.fail(Path(log).read_text())


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


# --- in a browser -------------------------------------------------------------------------------------------


def settled(page) -> str:
    """What the page says once it has finished."""
    page.wait_for_selector("h1")
    page.wait_for_function("!document.querySelector('[data-testid=stStatusWidget]')")
    page.wait_for_timeout(300)
    return page.inner_text("[data-testid=stMain]")


def opened(page, path: str) -> str:
    page.goto(path)
    return settled(page)


def reached(page, what: str, text: str = "", most: int = 200) -> None:
    """Goes on with Tab until the focus is on what a selector names, and a text that stands there."""
    on_it = (
        "([what, text]) => document.activeElement.matches(what) && "
        "document.activeElement.textContent.includes(text)"
    )
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate(on_it, [what, text]):
            return
    pytest.fail(f"{what} {text} can't be reached by Tab")
