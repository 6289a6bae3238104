"""Whom to write to, and how accessible these pages are. What only the owner can say is read from its file."""

import streamlit as st

from headway.explorer import owner, words

NOBODY = (
    "Whoever runs this explorer has not said who they are. To do so, fill in `data/owner.toml`: `headway "
    "cards` writes an empty one."
)
TRIED = (
    "Every page is checked by a program (axe) against WCAG 2.2 AA, in the light and the dark theme, 320, 390 "
    "and 1280 pixels wide.",
    "Every journey is walked with the keyboard alone, by a program in a real browser.",
    "PDFs are tagged, with a title and a language, to PDF/UA as far as a program can check it.",
    "Colour alone never says anything; each chart has its finding in words and its table.",
)
KNOWN = (
    "No person who uses a screen reader or other such help has tried the pages yet. A program finds only a "
    "part of all faults.",
    "Charts can’t be read point by point by a screen reader; the table beneath each has its figures.",
    "Wide tables scroll sideways on a narrow screen; the keyboard scrolls them too.",
    "The map is for the eye alone; the list above it has the same schools.",
)


def page() -> None:
    st.title("Contact and accessibility", anchor=False)
    told = owner.answers()
    st.header("Contact", anchor=False)
    if told:
        lines = [
            ("Run by", words.plain(told.get("organisation", ""))),
            ("Team", words.plain(told.get("team", ""))),
            ("Accountable", words.plain(told.get("senior_responsible_owner", ""))),
            ("Questions, mistakes, ideas", owner.contact(told)),
            ("How a school can question a figure about it", words.plain(told.get("appeals", ""))),
            ("More", words.plain(told.get("website", ""))),
        ]
        st.markdown("\n".join(f"- {name}: {text}" for name, text in lines if text))
    if not told.get("contact"):
        st.info(NOBODY if not told else "No address to write to is given in the owner’s file.")
    st.header("Accessibility statement", anchor=False)
    who = words.plain(told.get("organisation", "")) or "Whoever runs this explorer"
    st.markdown(
        f"{who} wants as many people as possible to be able to use these pages. They aim at the Web Content "
        "Accessibility Guidelines, version 2.2, level AA."
    )
    st.markdown(
        "What is tried, each time the program is changed:\n\n" + "\n".join(f"- {one}" for one in TRIED)
    )
    st.markdown("What is known not to be right:\n\n" + "\n".join(f"- {one}" for one in KNOWN))
    st.markdown(
        "If you can’t use something here, "
        + (f"write to {owner.contact(told)}" if told.get("contact") else "tell whoever gave you its address")
        + ". If you are a user of a public body’s service and not content with its answer, the [Equality "
        "Advisory and Support Service](https://www.equalityadvisoryservice.com/) advises; the Equality and "
        "Human Rights Commission enforces the accessibility regulations of 2018."
    )


page()
