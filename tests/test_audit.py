import runpy
from pathlib import Path

AUDIT = runpy.run_path(str(Path(__file__).parents[1] / ".ci" / "audit.py"))
SOUND = {"name": "pandas", "version": "3.1.0", "vulns": []}
WEAK = {"name": "requests", "version": "2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"]}]}
UNKNOWN = {"name": "polars", "skip_reason": "not found"}


def test_a_dependency_with_a_published_weakness_fails_the_build_unless_it_is_allowed_with_a_reason():
    lines, code = AUDIT["verdict"]([[SOUND], [WEAK]], 2)
    assert code == 1 and lines[0] == "requests 2.0: PYSEC-1, mended in 2.1"
    AUDIT["ALLOWED"]["PYSEC-1"] = "we never call it"
    lines, code = AUDIT["verdict"]([[SOUND], [WEAK]], 2)
    assert code == 0 and lines[0].endswith("allowed: we never call it")


def test_an_index_that_cannot_be_asked_is_told_of_and_fails_nothing():
    lines, code = AUDIT["verdict"]([None, [SOUND, UNKNOWN]], 5)
    assert (
        code == 0
        and lines[0].startswith("not audited: 4 of 5 packages")
        and lines[-1] == "1 packages audited, 0 known weaknesses"
    )
