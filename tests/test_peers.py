import numpy as np
import pandas as pd
import pytest

from benchmarks import peers
from headway.pipelines import intervals


def _table(better: str) -> pd.DataFrame:
    """The answers of four models on 600 schools, of whom the one called `better` knows what comes."""
    rng = np.random.default_rng(3)
    following = rng.integers(1, 4, 600)
    parts = []
    for model in ("champion", "peer", "base_rate_grade_phase", "base_rate_two_years"):
        sure = 0.8 if model == better else 0.4
        chances = np.full((600, 4), (1 - sure) / 3)
        chances[np.arange(600), following - 1] = sure
        rows = pd.DataFrame(chances, columns=[f"p_grade_{grade}" for grade in (1, 2, 3, 4)])
        parts.append(
            rows.assign(
                model=model, fold=pd.Timestamp("2023-09-01"), urn=range(600), lineage=range(600), overall=2,
                next_rank=following, label=np.where(following < 2, "improved", "same"), label_source="published",
                p_improve=chances[:, 0],
            )
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def test_where_a_peer_wins_it_says_so():
    rows = peers.beside_champion(_table("peer"))
    assert rows[0]["model"] == "peer" and rows[0]["verdict"] == "wins" and rows[0]["rps_more_high"] < 0
    assert peers.verdict(rows).endswith("it wins.")


def test_where_the_champion_is_first_every_peer_loses():
    rows = peers.beside_champion(_table("champion"))
    assert rows[0]["model"] == "champion" and rows[1]["verdict"] == "loses" and rows[1]["rps_more_low"] > 0
    assert peers.verdict(rows).startswith("The champion is first")


def test_equal_models_can_not_be_told_apart():
    rows = {row["model"]: row for row in peers.beside_champion(_table("nobody"))}
    assert rows["peer"]["rps_more"] == 0 and rows["peer"]["verdict"] == "can’t be told from the champion"


def test_a_peer_draws_whole_lineages_and_the_same_ones_again():
    rows = pd.DataFrame({"lineage": np.repeat(range(50), 4)})
    some = peers.drawn(rows, 60)
    assert len(some) == 60 and some.groupby("lineage").size().eq(4).all()
    assert peers.drawn(rows, 60).equals(some) and peers.drawn(rows, None) is rows


def test_a_grade_never_met_gets_no_chance():
    whole = peers.four(np.array([[0.2, 0.3, 0.5]]), np.array([0, 1, 3]))
    assert whole.tolist() == [[0.2, 0.3, 0.0, 0.5]]


def test_a_mean_over_groups_counts_each_group_the_same():
    values, group = np.array([1.0, 1.0, 1.0, 3.0]), np.array([1, 1, 1, 2])
    assert intervals.mean_of_groups(values, group, np.arange(4))[0] == 2.0


def test_a_mean_area_of_one_group_is_its_area_and_beside_itself_nothing():
    p, happened = np.array([0.1, 0.4, 0.35, 0.8]), np.array([0.0, 0.0, 1.0, 1.0])
    alone, group = intervals.auc(p, happened), np.zeros(4)
    assert intervals.mean_auc(p, happened, group, np.arange(4))[0] == pytest.approx(alone[0])
    assert intervals.mean_auc(p, happened, group, np.arange(4), p) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("name", ["logistic regression", "LightGBM on the grade", "ordinal model"])
def test_a_peer_answers_with_the_chance_of_each_class(name):
    rng = np.random.default_rng(1)
    given = pd.DataFrame({"a": rng.normal(size=300), "grade_3": rng.integers(0, 2, 300).astype(float)})
    classes = np.digitize(given["a"] + rng.normal(size=300), [-1, 0, 1])
    peer = next(peer for peer in peers.PEERS if peer.name == name)
    chances = peer.fit(
        given, classes, np.ones(300), peer.settings[0] | ({"rows": 200} if name[0] == "o" else {})
    )(given)
    assert chances.shape == (300, 4) and np.allclose(chances.sum(axis=1), 1)
    assert np.corrcoef(chances[:, 3], given["a"])[0, 1] > 0.5
