"""The promises of SECURITY.md from a wheel, built, installed by itself and started from another folder, and
from a checkout.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from browsing import answers, free_port
from six_schools import GOOD, SCHOOL, STAFF, keep, write_tables
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from headway.pipelines.cli.showing import streamlit_flags

ROOT = Path(__file__).parents[1]
SHIPPED = (
    "pyproject.toml",
    "setup.py",
    "README.md",
    "LICENSE",
    "app.py",
    "headway",
    "pipelines",
    "models",
    "explorer",
)
BUILD = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not Path("/proc/net/tcp").is_file(), reason="only Linux says who listens where in /proc"
    ),
]


def _run(*words: str | Path, cwd: Path, **more: object) -> str:
    ended = subprocess.run(
        [str(word) for word in words], cwd=cwd, capture_output=True, text=True, timeout=300, **more
    )
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-2000:]
    return ended.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A fresh environment with the wheel in it, and of this one's packages all but Headway; a folder to start
    from.
    """
    folder = tmp_path_factory.mktemp("wheel")
    source, env, elsewhere = folder / "source", folder / "env", folder / "elsewhere"
    source.mkdir()
    elsewhere.mkdir()
    for name in SHIPPED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source / name)
    _run(sys.executable, "-c", BUILD, folder, cwd=source)
    _run(sys.executable, "-m", "venv", "--without-pip", env, cwd=folder)
    python = env / "bin" / "python"
    site = Path(
        _run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip()
    )
    # whose own .pth files, our checkout's among them, aren't read
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    (wheel,) = folder.glob("*.whl")
    _run(
        sys.executable,
        "-m",
        "uv",
        "pip",
        "install",
        "--quiet",
        "--offline",
        "--no-deps",
        "--python",
        python,
        wheel,
        cwd=folder,
    )
    tables = write_tables(folder / "tables")
    keep(tables, STAFF, SCHOOL)
    return SimpleNamespace(
        folder=folder,
        bin=env / "bin",
        site=site,
        elsewhere=elsewhere,
        tables=tables,
        registers=folder / "registers",
    )


def _environment(installed: SimpleNamespace, **more: str) -> dict[str, str]:
    ours = ("STREAMLIT", "HEADWAY", "PYTHON", "MLFLOW", "DO_NOT_TRACK", "GIT")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return clean | {
        "HOME": str(installed.folder),
        "PATH": f"{installed.bin}{os.pathsep}{clean['PATH']}",
        **more,
    }


def _listens(port: int) -> set[str]:
    """The addresses on which somebody listens to a port, as the kernel writes them: 0100007F is 127.0.0.1."""
    rows = [
        line.split()
        for name in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]
    ]
    ends = [row[1].split(":") for row in rows if row[3] == "0A"]
    return {address for address, at in ends if int(at, 16) == port}


@contextlib.contextmanager
def _started(installed: SimpleNamespace, port: int, *words: str | Path, **more: str) -> Iterator[None]:
    with (installed.folder / f"{port}.log").open("w") as log:
        running = subprocess.Popen(
            [str(word) for word in words],
            cwd=installed.elsewhere,
            env=_environment(installed, **more),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        answers(port, running, installed.folder / f"{port}.log")
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, 2)
        running.wait(20)


def _page(port: int, name: str, query: str = "") -> tuple[ForwardMsg, str]:
    """What the server says of itself when a page is opened, and the page."""
    asked = BackMsg()
    asked.rerun_script.query_string, asked.rerun_script.page_name = query, name
    here, said, session = f"127.0.0.1:{port}", [], None
    with connect(
        f"ws://{here}/_stcore/stream", subprotocols=["streamlit"], origin=f"http://{here}", max_size=None
    ) as line:
        line.send(asked.SerializeToString())
        while True:
            told = ForwardMsg.FromString(line.recv(timeout=60))
            said.append(str(told.delta))
            session = told if told.WhichOneof("type") == "new_session" else session
            assert not told.delta.new_element.HasField("exception"), said[-1]
            if told.WhichOneof("type") == "script_finished":
                return session, "\n".join(said)


@pytest.mark.parametrize(
    "how", ["headway of a wheel", "headway of a checkout", "streamlit run app.py in a checkout"]
)
def test_the_explorer_listens_on_this_machine_alone_and_sends_no_statistics_however_it_was_installed(
    installed, how
):
    """Whatever a file where it was started says to Streamlit, and, of `headway explore`, the environment."""
    port = free_port()
    words = ("explore", "--port", str(port), "--tables", installed.tables, "--registers", installed.registers)
    known = {
        "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "true",
        "STREAMLIT_SERVER_ADDRESS": "0.0.0.0",
        "PYTHONPATH": str(ROOT),
    }
    if how == "headway of a wheel":
        words = (installed.bin / "headway", *words)
        del known["PYTHONPATH"]
    elif how == "headway of a checkout":
        words = (sys.executable, "-m", "headway", *words)
    else:
        words = (sys.executable, "-m", "streamlit", "run", ROOT / "app.py", "--server.port", str(port))
        known = {"HEADWAY_TABLES": str(installed.tables), "HEADWAY_REGISTERS": str(installed.registers)}
    (installed.elsewhere / ".streamlit").mkdir()
    (installed.elsewhere / ".streamlit" / "config.toml").write_text(
        '[server]\naddress = "0.0.0.0"\n[browser]\ngatherUsageStats = true\n'
    )
    try:
        with _started(installed, port, *words, **known):
            assert _listens(port) == {"0100007F"}
            session, text = _page(port, "school", f"urn={GOOD}")
    finally:
        shutil.rmtree(installed.elsewhere / ".streamlit")
    assert session.new_session.config.gather_usage_stats is False
    assert session.new_session.custom_theme.light.primary_color == "#1D5FA8"
    assert "From its own registers" in text  # whoever sits here sees the registers kept here


TAKEN = """
import json, sys
from streamlit import config
from streamlit.web import bootstrap, cli
flags = cli.main_run.make_context("run", [*sys.argv[2:], "app.py"]).params
bootstrap.load_config_options({name: value for name, value in flags.items() if name not in ("target", "args")})
print(json.dumps({name: config.get_option(name) for name in json.loads(sys.argv[1])}))
"""


def test_every_setting_of_the_explorer_is_one_that_streamlit_takes_from_headway_explore(installed):
    path = installed.site / "headway" / "explorer" / "settings.toml"
    told = tomllib.loads(path.read_text("utf-8"))
    light, dark = told["theme"].pop("light"), told["theme"].pop("dark")
    told |= {"theme.light": light, "theme.dark": dark}
    asked = {f"{section}.{name}": value for section, held in told.items() for name, value in held.items()}
    words = [installed.bin / "python", "-c", TAKEN, json.dumps([*asked]), *streamlit_flags(path)]
    assert json.loads(_run(*words, cwd=installed.elsewhere, env=_environment(installed))) == asked
    assert asked["server.address"] == "127.0.0.1" and asked["server.maxUploadSize"] == 20
    # where Streamlit looks in a checkout
    assert (ROOT / ".streamlit" / "config.toml").read_bytes() == path.read_bytes()


def test_streamlit_started_on_an_installed_app_without_the_settings_ends_before_it_answers(installed):
    port = free_port()
    words = [
        installed.bin / "python",
        "-m",
        "streamlit",
        "run",
        installed.site / "headway" / "app.py",
        "--server.headless",
        "true",
        "--server.port",
        port,
    ]
    for more in ([], ["--server.address", "127.0.0.1"]):
        ended = subprocess.run(
            [*map(str, words), *more],
            cwd=installed.elsewhere,
            env=_environment(installed),
            timeout=60,
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 1 and "headway explore" in ended.stderr and "Traceback" not in ended.stderr
        assert _listens(port) == set()


def test_from_a_wheel_served_to_others_without_a_sign_in_no_register_is_shown(installed):
    port = free_port()
    words = (
        installed.bin / "python",
        "-m",
        "streamlit",
        "run",
        installed.site / "headway" / "app.py",
        "--server.headless",
        "true",
        "--server.port",
        str(port),
        "--server.address",
        "0.0.0.0",
        "--browser.gatherUsageStats",
        "false",
    )
    where = {"HEADWAY_TABLES": str(installed.tables), "HEADWAY_REGISTERS": str(installed.registers)}
    with _started(installed, port, *words, **where):
        assert _listens(port) == {"00000000"}
        _, school = _page(port, "school", f"urn={GOOD}")
        _, kept = _page(port, "your_data")
    assert "Ash Primary School" in school and "From its own registers" not in school
    assert "isn’t open on the machine that keeps them" in kept


def test_from_a_wheel_the_code_is_named_by_version_and_content(installed):
    said = _run(
        installed.bin / "python",
        "-c",
        (
            "from headway.pipelines import provenance; print(provenance.__file__, provenance.commit(), "
            "provenance.code())"
        ),
        cwd=ROOT / "tests",
        env=_environment(installed),
    )
    file, rest = said.split(" ", 1)
    assert Path(file).is_relative_to(installed.site) and f"headway 0.1.0+{rest.split()[-1][:12]}" in rest


def test_from_a_wheel_a_champion_changed_by_hand_is_refused(installed, tmp_path):
    import made

    made.champion(600).save(tmp_path / "mlruns" / "champion")
    (tmp_path / "mlruns" / "champion" / "about.json").open("a").write(" ")
    ended = subprocess.run(
        [installed.bin / "headway", "score"],
        cwd=tmp_path,
        env=_environment(installed),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 2 and "changed: about.json" in ended.stderr


def test_from_a_wheel_mlflow_tells_nobody_that_it_is_used(installed):
    asked = (
        "import os; from headway.models import registry; from mlflow.telemetry.utils import "
        "is_telemetry_disabled\n"
        "print(registry.__file__, is_telemetry_disabled(), os.environ['MLFLOW_ALLOW_PICKLE_DESERIALIZATION'])"
    )
    file, *said = _run(
        installed.bin / "python", "-c", asked, cwd=installed.elsewhere, env=_environment(installed)
    ).split()
    assert Path(file).is_relative_to(installed.site) and said == ["True", "false"]


def test_a_wheel_has_every_file_of_ours_that_is_read_and_none_that_is_not_ours(installed):
    """Settings, pages, cards and pictures: what is kept beside our code in a checkout lies there in an
    installed package.
    """
    kinds = (".py", ".typed", ".toml", ".html", ".css", ".js", ".json", ".png", ".md", ".typ")
    tracked = {
        path.relative_to(ROOT).as_posix().removeprefix("headway/")
        for room in ("headway", "pipelines", "models", "explorer")
        for path in (ROOT / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    there = {
        path.relative_to(installed.site).as_posix().removeprefix("headway/")
        for path in installed.site.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and "dist-info" not in str(path)
    }
    assert there - {"app.py", "borrowed.pth"} == tracked
    assert {Path(name).suffix for name in tracked} <= set(kinds)
