"""Schools by what a visitor types: a name, a URN, a postcode, a trust or a local authority, also typed with a
slip.

Whole words come before parts of words, and the school's name before its trust and authority. A postcode or
its first half finds the schools nearest to it.
"""

import difflib
import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from headway.explorer import store

NEAREST = 25  # schools listed around a postcode
POSTCODE = re.compile(r"([a-z]{1,2}\d[a-z\d]?)\s*(\d[a-z]{2})?")
MILES = 69.0  # a degree of latitude
LONG = 5  # letters from which a word may be typed with a slip
ALIKE = 0.8  # how alike a slip and the word meant have to be (difflib's ratio)
# Of one thing, several ways to write it.
SAME = (
    (r"&", " and "),
    (r"[’'`.]", ""),
    (r"[^a-z0-9]+", " "),
    (r"\bsaints?\b", "st"),
    (r"\bsts\b", "st"),
    (r"\b(?:c of e|church of england|ce|cofe)\b", "cofe"),
    (r"\b(?:roman catholic|rc)\b", "catholic"),
    (r"\burn (?=\d)", ""),
)


def plain(text: str) -> str:
    """A text as it is compared: small letters and figures, one way to write “&”, “Saint” and “Church of
    England”.
    """
    text = text.lower()
    for pattern, instead in SAME:
        text = re.sub(pattern, instead, text)
    return " ".join(text.split())


@dataclass(frozen=True)
class _Texts:
    """Of each school: its name and everything that can be searched, a space on each side; and the words there
    are.
    """

    name: pd.Series
    whole: pd.Series
    joined: pd.Series
    vocabulary: list[str]


def _plain(column: pd.Series) -> pd.Series:
    text = column.fillna("").astype("str").str.lower()
    for pattern, instead in SAME:
        text = text.str.replace(pattern, instead, regex=True)
    return " " + text.str.strip() + " "


@st.cache_resource(show_spinner=False, max_entries=2)
def _texts(where: str, version: tuple[int, int]) -> _Texts:
    rows = store.schools()
    # Mary beside Mary's
    possessive = rows["name"].fillna("").astype("str").str.replace("[’']s\\b", "", regex=True)
    name = _plain(rows["name"])
    own = possessive.ne(rows["name"].fillna("").astype("str"))
    name = name.where(~own, name + _plain(possessive))
    postcode = rows["postcode"].fillna("").astype("str").str.lower()
    whole = name + _plain(rows["trust_name"]) + _plain(rows["local_authority"])
    whole = (
        whole + " " + rows["urn"].astype("str") + " " + postcode + " " + postcode.str.replace(" ", "") + " "
    )
    words = sorted(
        {word for text in (name, whole) for word in set(" ".join(text.unique()).split()) if word.isalpha()}
    )
    return _Texts(name, whole, name.str.replace(" ", ""), words)


def found(
    asked: str,
    phase: str | None = None,
    region: str | None = None,
    closed: bool = False,
    trust: str | None = None,
    authority: str | None = None,
) -> pd.DataFrame:
    """The schools found, the likeliest first; around a postcode the nearest, with their distance in
    `miles`.
    """
    rows = store.schools()
    mask = np.ones(len(rows), dtype=bool) if closed else rows["open"].to_numpy(dtype=bool)
    for column, value in (("phase", phase), ("region", region), ("local_authority", authority)):
        if value:
            mask &= rows[column].eq(value).fillna(False).to_numpy(dtype=bool)
    if trust:
        mask &= rows["trust_uid"].astype("str").eq(trust).fillna(False).to_numpy(dtype=bool)
    typed = plain(asked)
    if not typed:
        return rows[mask]
    place = POSTCODE.fullmatch(typed)
    around = _around(rows, mask, *place.groups()) if place else None
    return around if around is not None else _by_words(rows, mask, typed)


def _around(rows: pd.DataFrame, mask: np.ndarray, outward: str, inward: str | None) -> pd.DataFrame | None:
    """The schools nearest to where a postcode's schools are, `around` which they were looked for.

    Where no school has its first half, around the next district of the same letters: a town's centre may have
    none. Nothing where no school has the letters.
    """
    codes = rows["postcode"].fillna("").astype("str").str.lower()
    placed = rows["latitude"].notna() & rows["longitude"].notna()
    starts = [f"{outward} {inward}", f"{outward} {inward[0]}", f"{outward} "] if inward else [f"{outward} "]
    for start in starts:
        here = rows[codes.str.startswith(start) & placed]
        if len(here):
            break
    else:
        start = _next_district(codes[placed], outward)
        here = rows[codes.str.match(rf"{start}\D") & placed] if start else rows.head(0)
        if here.empty:
            return None
    latitude, longitude = here["latitude"].mean(), here["longitude"].mean()
    near = rows[mask & placed.to_numpy()]
    across = (near["longitude"] - longitude) * np.cos(np.radians(latitude))
    miles = MILES * np.hypot(near["latitude"] - latitude, across)
    exact = codes[near.index].str.replace(" ", "").eq(outward + (inward or ""))
    near = near.assign(miles=miles, exact=~exact, around=start.strip().upper()).sort_values(
        ["exact", "miles", "urn"]
    )
    return near.head(NEAREST).drop(columns="exact")


def _next_district(codes: pd.Series, outward: str) -> str | None:
    """Of the districts that schools are in, of the same letters, the nearest in number to one none is in."""
    letters, number = re.fullmatch(r"([a-z]+)(\d+).*", outward).groups()
    there = codes.str.extract(rf"^{letters}(\d+)[a-z]? ")[0].dropna().astype("int64").unique()
    if not len(there):
        return None
    return f"{letters}{min(sorted(there), key=lambda other: abs(other - int(number)))}"


def _by_words(rows: pd.DataFrame, mask: np.ndarray, typed: str) -> pd.DataFrame:
    """Every word as typed; else the words run together, else the words they may be slips for, else most of
    the words.
    """
    texts = _texts(str(store.folder()), store.stamp(store.path("schools")))
    ways = [[word] for word in typed.split()]
    part = np.array([_any(texts.whole, way, "{}") for way in ways]) & mask
    hits = part.all(axis=0)
    if not hits.any():
        hits = texts.joined.str.contains(typed.replace(" ", ""), regex=False).to_numpy() & mask
    if not hits.any():
        ways = [_ways(word, texts) for [word] in ways]
        part = np.array([_any(texts.whole, way, "{}") for way in ways]) & mask
        hits = part.all(axis=0)
    if not hits.any():
        count = part.sum(axis=0)
        hits = (count == count.max()) & (count.max() * 2 > len(ways))
    return rows.loc[_order(rows[hits], texts, typed, ways)]


def _order(rows: pd.DataFrame, texts: _Texts, typed: str, ways: list[list[str]]) -> pd.Index:
    """The likeliest first: that URN, a name that starts so, whole words before parts, words of the name
    before others.
    """
    name, whole = texts.name[rows.index], texts.whole[rows.index]
    order = pd.DataFrame(
        {
            "urn_typed": rows["urn"].astype("str").ne(typed),
            "starts": ~name.str.startswith(f" {typed} "),
            "whole": -sum(_any(whole, way, " {} ").astype(int) for way in ways),
            "in_name": -sum(_any(name, way, " {} ").astype(int) for way in ways),
            "begins": ~name.str.startswith(f" {typed}"),
            "name": rows["name"],
            "urn": rows["urn"],
        },
        index=rows.index,
    )
    return order.sort_values(list(order)).index


def _ways(word: str, texts: _Texts) -> list[str]:
    """A word as typed where some school has it, else the words it may be a slip for."""
    if texts.whole.str.contains(word, regex=False).any() or len(word) < LONG or not word.isalpha():
        return [word]
    near = [other for other in texts.vocabulary if abs(len(other) - len(word)) <= 2]
    return difflib.get_close_matches(word, near, n=4, cutoff=ALIKE) or [word]


def _any(text: pd.Series, words: list[str], form: str) -> np.ndarray:
    every = [text.str.contains(form.format(word), regex=False).to_numpy() for word in words]
    return np.logical_or.reduce(every)
