"""Registers in the explorer: who sees them, what a wrong one is told, how one is kept, shown and removed."""

import pandas as pd
import pytest
from six_schools import (
    ABOUT,
    CAPACITY,
    GOOD,
    NEVER,
    NOWHERE,
    SCHOOL,
    STAFF,
    TOP,
    TRUST,
    keep,
    listed,
    register,
    said,
    shown,
    sits_at,
    write_tables,
)
from streamlit.testing.v1 import AppTest

from headway.explorer import access, capacity, own
from headway.pipelines import tables


@pytest.mark.parametrize(
    ("sign_in", "user", "local", "sees"),
    [
        (False, None, True, {TRUST, SCHOOL}),  # this machine's own user, where there is no sign-in
        (False, None, False, set()),
        (True, None, True, set()),  # with a sign-in, sitting at the machine opens nothing
        (True, None, False, set()),
        (True, "Head@Ash.example", False, {SCHOOL}),  # capital letters don't matter in an address
        (True, "stranger@ash.example", True, set()),
        (True, "", True, set()),  # signed in, with no address told or none verified
    ],
)
def test_who_sees_which_register(sign_in, user, local, sees):
    allowed = {"head@ash.example": (frozenset({SCHOOL}), frozenset())}
    mine = access.rights(sign_in, user, local, allowed)
    assert {owner for owner in (TRUST, SCHOOL) if mine.may_see(owner)} == sees
    assert {owner for owner in (TRUST, SCHOOL) if mine.may_write(owner)} == (sees if not sign_in else set())


@pytest.mark.parametrize(
    ("bound", "peer", "host", "passed_on", "local"),
    [
        ("127.0.0.1", None, "127.0.0.1:8501", False, True),
        ("localhost", None, "localhost:8501", False, True),
        ("::1", None, "[::1]:8501", False, True),
        (None, None, "localhost:8501", False, False),  # served to every address
        ("0.0.0.0", None, "localhost:8501", False, False),
        ("127.0.0.1", "10.0.0.7", "127.0.0.1:8501", False, False),
        # a name elsewhere that was made to point here
        ("127.0.0.1", None, "evil.example:8501", False, False),
        ("127.0.0.1", None, "127.0.0.1:8501", True, False),  # handed on by another program
    ],
)
def test_only_who_sits_at_this_machine_is_local(bound, peer, host, passed_on, local):
    assert access.here(bound, peer, host, passed_on) is local


def test_the_access_file_names_who_may_see_and_write(tmp_path):
    path = tmp_path / "access.toml"
    assert access.read_allowed(path) == {}
    path.write_text('["Head@ash.example"]\nsee = ["trust-77"]\nwrite = ["school-100001"]\n')
    assert access.read_allowed(path) == {
        "head@ash.example": (frozenset({TRUST, SCHOOL}), frozenset({SCHOOL}))
    }


def test_an_access_file_tells_everything_wrong_with_it_and_opens_nothing(folder):
    write_tables(folder)
    keep(folder, STAFF, SCHOOL)
    path = folder.parent / "access.toml"
    path.write_text(
        '["a@x.example"]\nsee = ["the trust"]\n["b@x.example"]\nread = ["trust-77"]\n["A@x.example"]\nsee = '
        "[]\n"
    )
    with pytest.raises(
        tables.DataError, match=r"(?s)the trust.*b@x.example: expected lists.*A@x.example: stands there twice"
    ):
        access.read_allowed(path)
    assert "The access file can’t be read" in said(shown("your_data", user="a@x.example"))
    path.write_text("not TOML")
    with pytest.raises(tables.DataError, match="as TOML"):
        access.read_allowed(path)


def test_a_register_is_on_its_schools_page_for_who_may_see_it_alone(folder):
    write_tables(folder)
    keep(folder, STAFF, SCHOOL)
    (folder.parent / "access.toml").write_text(
        '["head@ash.example"]\nsee = ["school-100001"]\n["ceo@x.example"]\nsee = ["trust-77"]\n'
    )
    for user, seen in (
        (None, True),
        ("", False),
        ("head@ash.example", True),
        ("ceo@x.example", False),
        ("a@b.example", False),
    ):
        page = shown("school", user=user, urn=GOOD)
        assert ("From its own registers" in said(page)) is seen, user
        assert any("by register" in one for box in page.selectbox for one in box.options) is seen, user
        assert ("school-100001" in said(page)) is False, user
        assert ("Ash" in said(shown("your_data", user=user))) is False
        assert (
            bool([box for box in shown("your_data", user=user).selectbox if "Ash" in str(box.options)])
            is seen
        ), user


def test_from_another_machine_no_register_is_seen_where_there_is_no_sign_in(folder, monkeypatch):
    write_tables(folder)
    keep(folder, STAFF, SCHOOL)
    assert "From its own registers" in said(shown("school", urn=GOOD))
    sits_at(monkeypatch, "10.0.0.7")
    assert "From its own registers" not in said(shown("school", urn=GOOD))
    text = said(shown("your_data"))
    assert (
        "isn’t open on the machine that keeps them" in text
        and "No register that you may see is kept." in text
    )


def test_one_or_two_people_are_never_told_apart_on_a_page(folder):
    write_tables(folder)
    for left in (1, 2):
        stayed = {"teachers_a_year_before": 20, "stayed": 20 - left, "moved_school": 0, "left_system": left}
        keep(folder, register("staff", stayed), SCHOOL)
        told = [
            rows.to_csv() for rows in listed(shown("school", urn=GOOD)) if "fewer than 3" in rows.to_csv()
        ]
        assert len(told) == 1
        if left == 1:
            first = told
    assert told == first


def test_where_there_is_a_sign_in_a_button_leads_to_it(folder):
    write_tables(folder)
    assert "Sign in" in [button.label for button in shown("about", user="").sidebar.button]
    assert "Sign out" in [button.label for button in shown("about", user="head@ash.example").sidebar.button]
    assert not shown("about").sidebar.button
    app = shown("about", user="")
    app.sidebar.button[0].click().run()  # the section drawn here names no provider
    assert not app.exception and "Signing in doesn’t work yet" in app.sidebar.warning[0].value


def test_signals_made_from_a_register_are_hidden_unless_every_register_behind_them_may_be_seen(folder):
    write_tables(folder)
    keep(folder, STAFF, SCHOOL)
    entries, known = own.kept().entries, pd.Series({"stayed_by_register": 0.9})

    def hides(*see: str, values: pd.Series | None = known, kept: tuple = entries) -> bool:
        return "stayed_by_register" in own.hidden(
            own.Kept(access.Rights("", frozenset(see)), kept), GOOD, values
        )

    assert hides() and hides(TRUST)  # the school's own register made it
    assert not hides(SCHOOL)
    assert hides(TRUST, kept=())  # whoever made it has taken it away since
    # a blank is there to try, for who could fill it
    assert hides(values=None) and not hides(TRUST, values=None)
    everything = own.Kept(access.Rights("", everything=True), entries)
    assert own.hidden(everything, GOOD, known) == set()


def uploaded(content: bytes, **more: str) -> AppTest:
    app = shown("your_data", **more)
    app.file_uploader(key="register").set_value(("mine.csv", content, "text/csv")).run()
    assert [error.message for error in app.exception] == []
    return app


def test_a_wrong_register_is_told_by_row_and_column_and_nothing_is_stored(folder):
    write_tables(folder)
    app = uploaded(
        register(
            "staff", {"teachers_a_year_before": 20, "stayed": 21}, {"urn": NOWHERE, "stayed": "Ms Jones"}
        )
    )
    text = said(app)
    assert (
        "4 problems" in text and "is more than 20" in text and "is no school in the table of schools" in text
    )
    assert "Jones" not in text
    assert not (folder.parent / "registers").exists()


def test_a_right_register_is_kept_only_when_asked_shown_and_removed_again(folder):
    write_tables(folder)
    app = uploaded(CAPACITY)
    assert "Nothing wrong: 2 rows for 2 schools" in said(app)
    assert "It would fill 2 of 5 signals" in "\n".join(part.value for part in app.subheader)
    assert not (folder.parent / "registers").exists()
    assert app.selectbox(key="owner").options == [
        "Oak, Ash & Thorn Trust (trust 77)",
        "Barnet (authority 302)",
    ]
    next(button for button in app.button if button.label == "Keep this register").click().run()
    assert "Kept: the register of improvement capacity" in said(app)
    path = folder.parent / "registers" / TRUST / "improvement-capacity.csv"
    assert path.read_bytes() == CAPACITY
    assert "From its own registers" in said(shown("school", urn=TOP))
    next(button for button in app.button if button.label == "Yes, remove it").click().run()
    assert "Removed: the register" in said(app) and not path.exists()


def test_a_register_is_kept_only_for_an_owner_the_user_may_write_for(folder):
    write_tables(folder)
    access_file = folder.parent / "access.toml"
    access_file.write_text('["a@x.example"]\nsee = ["trust-77"]\n["b@x.example"]\nwrite = ["trust-77"]\n')
    for user, may in (("a@x.example", False), ("b@x.example", True), ("", False)):
        labels = [button.label for button in uploaded(CAPACITY, user=user).button]
        assert ("Keep this register" in labels) is may, user


def test_something_odd_among_the_registers_is_a_sentence_that_names_it_only_to_who_may_see_all(folder):
    write_tables(folder)
    keep(folder, STAFF, SCHOOL)
    (folder.parent / "registers" / SCHOOL / "notes.txt").write_text("x")
    (folder.parent / "access.toml").write_text('["a@x.example"]\nsee = ["trust-77"]\n')
    for name in ("your_data", "school", "trust"):
        query = {} if name == "your_data" else {"urn": GOOD} if name == "school" else {"trust": 77}
        assert "notes.txt" in said(shown(name, **query)), name
        stranger = said(shown(name, user="a@x.example", **query))
        assert "The folder of registers can’t be used" in stranger and "notes.txt" not in stranger, name


def test_made_up_registers_say_nothing_beside_official_tables(folder):
    write_tables(folder)
    keep(folder, STAFF, SCHOOL)
    frames = {name: tables.read(folder, name) for name in ("schools", "predictions", "inspections")}
    tables.write(folder, frames, about={**ABOUT, "data_source": "official"})
    text = said(shown("school", urn=GOOD))
    assert "made up, and the tables come from official files" in text and "From its own registers" not in text


def test_a_trusts_capacity_is_held_against_what_is_suggested_for_who_may_see_it(folder):
    write_tables(folder)
    keep(folder, CAPACITY, TRUST)
    app = shown("trust", trust=77)
    text = "\n".join([said(app), *(part.value for part in app.markdown)])
    assert "about 1.0% of staff, at least the 0.5% suggested" in text  # 3 of 300
    assert "about 5.0% of staff, at least the 5.0% suggested" in text  # 15 of 300
    assert "No register that you may see says who is being developed in 5 of the 5 schools." in text
    assert "Nothing is known of who is being developed in these schools" in text and "may be thin" not in text
    text = said(shown("trust", trust=77, user=""))
    assert (
        "No register of these schools is kept here that you may see" in text
        and "of staff, at least" not in text
    )


def test_development_is_thin_by_the_alphabet_and_in_words(folder):
    made = pd.DataFrame(
        {"urn": range(6), "name": list("FEDCBA"), "share_in_programme": [0.1, 0.2, 0.3, 0.4, 0.5, None]}
    )
    told = capacity.thin_in(made, None)
    assert told["school"].tolist() == ["E", "F"]  # the middle of five is 30%, and of A nothing is known
    assert told["what the registers say"].iloc[1] == (
        "10% of its middle leaders are in a programme, against 30% in the middle school of these schools."
    )
    assert capacity.thin_in(made.tail(4), None).empty  # three are too few for a middle


def test_the_export_of_a_trust_has_a_registers_figures_only_where_they_may_be_seen(folder):
    write_tables(folder)
    keep(folder, CAPACITY, TRUST)
    listed = pd.DataFrame({"URN": [GOOD, NEVER], "school": ["Ash", "Cedar"]})
    entries = own.kept().entries
    for mine, columns in ((access.Rights("", frozenset({TRUST})), 4), (access.Rights(""), 2)):
        made, _ = capacity.figures(own.Kept(mine, entries), [GOOD, TOP, NEVER])
        assert len(capacity.exported(listed, made).columns) == columns
