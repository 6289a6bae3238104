"""What a school or trust could add of its own; in this version, an honest word about what is not there."""

import importlib.util

import streamlit as st

ADDS = (
    "who is being developed as a middle leader, and on what programme",
    "who has improved a school elsewhere, or taken part in a peer review",
    "how many of the staff are advanced improvers and improvement practitioners, against 0.5% and 5%",
    "who stayed and who left this year, long before the census says so",
)


def page() -> None:
    st.title("Your own data", anchor=False)
    if importlib.util.find_spec("pipelines.registers") is None:
        st.info(
            "Registers are not part of this version: nothing can be uploaded here, and no figure on any page uses one."
        )
    else:
        st.markdown(
            "Make an empty register with `headway register template KIND`, fill it in, and check it with `headway "
            "register check KIND`. "
            "Both run on your own machine and send nothing anywhere. This page doesn’t take files."
        )
    st.header("What a register would add", anchor=False)
    st.markdown(
        "Public files say nothing about some of what leaders work on most. A register kept by a school or trust "
        "could say:"
    )
    st.markdown("\n".join(f"- {line}" for line in ADDS))
    st.header("Who would see it", anchor=False)
    st.markdown(
        "Nobody but its owner, on their own machine. There is no sign-in here, and the explorer answers this machine "
        "only. It keeps nothing."
    )


page()
