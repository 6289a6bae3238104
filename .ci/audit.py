"""Whether an exact version we test with has a published weakness: 0 where none is known, 1 where one is.

Asks the Python Package Index about every line of constraints.txt, by pip-audit. Where it can't be asked, as
without a network, says so and ends with 0: a build must not wait for it. A weakness we can live with goes
into ALLOWED, with the reason.
"""

import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

PINS = Path(__file__).resolve().parent.parent / "constraints.txt"
ALLOWED: dict[str, str] = {}  # the identifier of a weakness, and why it can't harm us
SECONDS = 10  # in all: whoever waits for a build waits for this too
AT_ONCE = 6


def asked(pins: list[str]) -> list[dict[str, Any]] | None:
    """What the index says of some pins; None where it can't be asked in time."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as listed:
        listed.write("\n".join(pins))
        listed.flush()
        command = [
            sys.executable,
            "-m",
            "pip_audit",
            "--requirement",
            listed.name,
            "--no-deps",
            "--disable-pip",
            "--format=json",
            "--progress-spinner=off",
            "--timeout=5",
        ]
        try:
            told = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
            return json.loads(told.stdout)["dependencies"]
        except (subprocess.TimeoutExpired, json.JSONDecodeError, KeyError):
            return None


def verdict(parts: list[list[dict[str, Any]] | None], pins: int) -> tuple[list[str], int]:
    """The lines to print and the exit code, from the answers about so many pins."""
    answers = [one for part in parts for one in part or []]
    looked_up = sum("vulns" in one for one in answers)
    found = {
        weak["id"]: (
            f"{one['name']} {one['version']}: {weak['id']}, mended in "
            f"{', '.join(weak['fix_versions']) or 'none'}"
        )
        for one in answers
        for weak in one.get("vulns", [])
    }
    lines = [
        line if name not in ALLOWED else f"{line}; allowed: {ALLOWED[name]}" for name, line in found.items()
    ]
    if looked_up < pins:
        lines.append(
            f"not audited: {pins - looked_up} of {pins} packages, about which the index could not be asked"
        )
    lines.append(f"{looked_up} packages audited, {len(found)} known weaknesses")
    return lines, int(bool(found.keys() - ALLOWED.keys()))


def main() -> int:
    pins = [line for line in PINS.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        parts = list(pool.map(asked, [pins[at::AT_ONCE] for at in range(AT_ONCE)]))
    lines, code = verdict(parts, len(pins))
    print("\n".join(lines))
    return code


if __name__ == "__main__":
    sys.exit(main())
