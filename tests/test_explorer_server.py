"""The explorer's server as it is started: every page clicked, by the browser's own protocol, and what it then
has loaded.
"""

import json

import made
import pytest
from browsing import serving
from six_schools import GOOD, PAGES, TOP, write_champion, write_tables
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

# Starts Streamlit, and writes at the end what was imported, and every class that was taken from a pickle.
WATCHED = """
import atexit, json, runpy, sys
told, unpickled = sys.argv.pop(1), []
sys.addaudithook(lambda event, of: unpickled.append(".".join(of)) if event == "pickle.find_class" else None)
atexit.register(lambda: open(told, "w").write(json.dumps({"loaded": [*sys.modules], "unpickled": unpickled})))
runpy.run_module("streamlit", run_name="__main__", alter_sys=True)
"""
# What trains, registers, tests and fetches: ours, and others'.
OURS = (
    "headway.models.registry",
    "headway.models.served",
    "headway.models.tracking",
    *(
        f"headway.pipelines.{name}"
        for name in (
            "__main__",
            "compare",
            "evidence",
            "experiments",
            "fetch",
            "ingest",
            "monitor",
            "promotion",
            "similar",
            "synthesise",
            "train",
            "tune",
        )
    ),
)  # of what scores and judges, the what-if and earlier forecasts use the sums, which load nothing of OTHERS
OTHERS = ("mlflow", "sklearn", "lightgbm", "optuna", "statsmodels", "pandera")


def clicked(line, name: str, query: str = "") -> str:
    """What a page sends when it is clicked on, as one text; fails where it is an exception."""
    asked = BackMsg()
    asked.rerun_script.query_string = query
    asked.rerun_script.page_name = "" if name == "find" else name
    line.send(asked.SerializeToString())
    said = []
    while True:
        told = ForwardMsg.FromString(line.recv(timeout=60))
        said.append(str(told.delta))
        assert not told.delta.new_element.HasField("exception"), said[-1]
        if told.WhichOneof("type") == "script_finished":
            return "\n".join(said)


@pytest.mark.slow
def test_no_page_loads_what_trains_or_takes_anything_from_a_pickle(tmp_path):
    tables, runs = write_tables(tmp_path / "tables"), tmp_path / "mlruns"
    write_champion(tables, runs, made.champion(600))
    queries = {
        "find": "q=ash",
        "school": f"urn={GOOD}",
        "governors": f"urn={GOOD}",
        "what_if": f"urn={GOOD}&share_stayed=90",
        "trust": "trust=77",
        "compare": f"urns={GOOD},{TOP}",
    }
    told = tmp_path / "told.json"
    with serving(tables, runs, tmp_path / "log.txt", program=("-c", WATCHED, str(told))) as address:
        here = address.removeprefix("http://")
        with connect(
            f"ws://{here}/_stcore/stream", subprotocols=["streamlit"], origin=address, max_size=None
        ) as line:
            said = {name: clicked(line, name, queries.get(name, "")) for name in PAGES}
    for name, title in PAGES.items():
        of_school = name in ("school", "governors")
        assert ("Ash Primary School" if of_school else title) in said[name], name
    assert "Schools like this one with those figures" in said["what_if"]  # the stored model was asked
    found = json.loads(told.read_text())
    loaded = {name for name in found["loaded"] if name.startswith(OURS) or name.split(".")[0] in OTHERS}
    assert "headway.models.champion" in found["loaded"]
    assert sorted(loaded) == []
    assert found["unpickled"] == []
