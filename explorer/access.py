"""Who may see which registers: without a sign-in, this machine's own user; with one, those the access file
names.

Predictions are everybody's. What registers say, and the signals made from them, is their owner's.
"""

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st
from streamlit.errors import Error

from headway.explorer import words
from headway.pipelines.registers.reading import checked_owner
from headway.pipelines.tables import DataError

LOOPBACK = {"127.0.0.1", "::1", "localhost"}
# set by whatever stands in between
PASSED_ON = ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Forwarded", "Via")
Allowed = dict[str, tuple[frozenset[str], frozenset[str]]]


@dataclass(frozen=True)
class Rights:
    """The owners whose registers a visitor may see, and may keep or remove; and a sentence that says why."""

    why: str
    see: frozenset[str] = frozenset()
    write: frozenset[str] = frozenset()
    everything: bool = False

    def may_see(self, owner: str) -> bool:
        return self.everything or owner in self.see

    def may_write(self, owner: str) -> bool:
        return self.everything or owner in self.write


def rights(sign_in: bool, user: str | None, local: bool, allowed: Allowed) -> Rights:
    """What a visitor may see: `user` is the e-mail address signed in with, `local` whether they sit at this
    machine.

    With a sign-in, sitting at the machine opens nothing: the access file alone does.
    """
    if sign_in and user is None:
        return Rights("Nobody is signed in, so no register is shown. Sign in to see those you may see.")
    if sign_in:
        see, write = allowed.get(user.casefold(), (frozenset(), frozenset()))
        if see:
            return Rights(
                "You see the registers that the access file names for you, and nobody else’s.", see, write
            )
        return Rights(
            "You are signed in, and the access file names no register for you. Ask whoever runs this "
            "explorer to add "
            "you to it."
        )
    if local:
        return Rights(
            "There is no sign-in: whoever uses this machine sees the registers kept on it, and nobody else.",
            everything=True,
        )
    return Rights(
        "No register is shown here: this page isn’t open on the machine that keeps them, and there is no "
        "sign-in."
    )


def here(bound: str | None, peer: str | None, host: str | None, passed_on: bool) -> bool:
    """Whether a visitor sits at this machine: nobody else could be served, and they asked for this machine by
    its name.

    `peer` is nothing for this machine. The host's name keeps out a page elsewhere whose name was made to
    point here, and a request passed on by another program is somebody else's.
    """
    asked = urlsplit(f"//{host}").hostname if host else None
    return bound in LOOPBACK and peer is None and not passed_on and (host is None or asked in LOOPBACK)


def read_allowed(path: Path) -> Allowed:
    """The access file: by e-mail address, the owners whose registers that user may see, and may keep and
    remove.

    Nobody, where there is no such file. Raises `DataError` with everything that is wrong, and then nobody
    may.
    """
    if not path.is_file():
        return {}
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise DataError(f"{path} can’t be read as TOML ({error}).\n{HOW}") from error
    result: Allowed = {}
    wrong = []
    for email, lists in told.items():
        if not isinstance(lists, dict) or not all(
            name in ("see", "write") and isinstance(owners, list) for name, owners in lists.items()
        ):
            wrong.append(f"{email}: expected lists called see and write")
            continue
        if email.casefold() in result:
            wrong.append(f"{email}: stands there twice, but for capital letters")
        for owner in [owner for owners in lists.values() for owner in owners]:
            try:
                checked_owner(str(owner))
            except DataError as error:
                wrong.append(f"{email}: {str(error).splitlines()[0]}")
        write = frozenset(map(str, lists.get("write", [])))
        result[email.casefold()] = (frozenset(map(str, lists.get("see", []))) | write, write)
    if wrong:
        raise DataError("\n".join([f"{path} isn’t an access file we can use.", *wrong, HOW]))
    return result


HOW = (
    'Write each user as ["head@school.example"], and below it see = ["trust-1234"] and write = '
    '["trust-1234"].'
)


# --- the visitor --------------------------------------------------------------------------------------------


def sign_in() -> bool:
    """Whether this explorer has a sign-in (Streamlit's own, an [auth] section in its secrets)."""
    return bool(st.secrets.load_if_toml_exists() and st.secrets.get("auth"))


def user() -> str | None:
    """The e-mail address signed in with, empty where the provider tells none or never verified it; nothing
    for nobody.
    """
    told = st.user.to_dict()
    if not told.get("is_logged_in"):
        return None
    return str(told.get("email") or "") if told.get("email_verified") is not False else ""


def viewer() -> Rights:
    """What the visitor of this page may see. An access file that can't be read opens nothing."""
    asked = st.context.headers
    local = here(
        st.get_option("server.address"),
        st.context.ip_address,
        asked.get("Host"),
        any(name in asked for name in PASSED_ON),
    )
    if not sign_in():
        return rights(False, None, local, {})
    path = Path(os.environ.get("HEADWAY_ACCESS") or Path(__file__).parents[1] / ".streamlit" / "access.toml")
    try:
        return rights(True, user(), local, read_allowed(path))
    except DataError:
        return Rights(
            "The access file can’t be read, so no register is shown. Whoever runs this explorer can put it "
            "right."
        )


def door() -> None:
    """In the menu, where there is a sign-in: the way in and the way out."""
    if not sign_in():
        return
    with st.sidebar:
        if st.user.to_dict().get("is_logged_in"):
            st.button("Sign out", on_click=st.logout)
        else:
            st.button("Sign in", on_click=_enter)
            if "no_sign_in" in st.session_state:
                st.warning(words.plain(st.session_state.pop("no_sign_in")))


def _enter() -> None:
    try:
        st.login()
    except Error as error:  # no Authlib, or an [auth] section that lacks something
        st.session_state["no_sign_in"] = (
            f"Signing in doesn’t work yet: {' '.join(str(error).split())} Whoever runs this explorer can "
            "put it right."
        )
