"""Charts, each with what they find: a title that says it, a sentence, the table behind it and a download.

Nothing rests on colour: direction has a sign, kinds have shapes, bars have their figures. No red and green,
which would read as a verdict on a school. Charts are Vega-Lite, written out as it is sent to the browser:
altair, which writes and checks the same, takes half a second to import and a tenth of a second for each chart
of each page.
"""

import html
import json
import re
import textwrap
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from headway.explorer import glossary, words
from headway.pipelines.frameworks import FRAMEWORKS, GRADES, PAUSES

# At least 3 to 1 against the light and the dark background alike.
MAIN, OTHER, QUIET = "#3576BD", "#BA6A12", "#7A8696"
# rows above which a table scrolls, in full when printed; and above which it is a grid of its own
LONG, LONGEST = 60, 1000
NAMED = 12  # schools marked on a map, up to which their names are written beside them
Spec = dict[str, Any]


def ink() -> str:
    """The colour of text, for marks that a theme leaves black."""
    return "#E8EDF3" if getattr(st.context.theme, "type", None) == "dark" else "#1A2330"


def paper() -> str:
    return "#10151D" if getattr(st.context.theme, "type", None) == "dark" else "#FFFFFF"


def show(
    chart: Spec | str,
    title: str,
    sentence: str,
    rows: pd.DataFrame,
    key: str,
    level: int = 2,
    explain: Iterable[str] = (),
) -> None:
    """A chart (or SVG) under its finding, with a sentence, and its table and download in an expander. Texts
    must be safe.

    `explain` are words of the glossary: what they mean, and how the figures are made, is shown on hover.
    """
    st.markdown(
        f"{'#' * level} {title}", anchors=False, help=glossary.explained(*explain) if explain else None
    )
    st.markdown(sentence)
    # The sentence stands above it; the names of its buttons begin with this.
    alt = _unmarked(title)
    if isinstance(chart, str):
        st.image(chart, alt=alt)
    else:
        st.vega_lite_chart(spec={**chart, "config": _legible()}, key=f"chart_{key}", width="stretch", alt=alt)
    if len(rows):
        with st.expander(f"The table behind it: {title}", key=f"table_{key}"):
            table(rows)
            download(rows, key)


def table(rows: pd.DataFrame, urns: Iterable[int] = ()) -> None:
    """A table as text that a screen reader, a keyboard and a printer can follow; a long one scrolls.

    Its first cells link to the pages of the schools `urns`, where these are given.
    """
    if len(rows) > LONGEST:
        st.dataframe(rows, hide_index=True, alt=f"{len(rows)} rows: {', '.join(map(str, rows.columns))}")
    else:
        st.html(written(rows, urns))


def written(rows: pd.DataFrame, urns: Iterable[int] = ()) -> str:
    """A table in HTML, every text escaped. Streamlit's own takes a cell for Markdown, at a thousandth of a
    second each.
    """

    def line(cells: Iterable[Any], tag: str) -> str:
        texts = ["" if words.blank(cell) else str(cell) for cell in cells]
        # a phone would stack it a word a line
        wide = [' class="long"' if len(text) > 60 else "" for text in texts]
        made = (
            f"<{tag}{how}>{html.escape(text)}</{tag.split()[0]}>"
            for text, how in zip(texts, wide, strict=True)
        )
        return f"<tr>{''.join(made)}</tr>"

    # A blank in a column of whole numbers must not make them 3.0.
    lines = [line(cells, "td") for cells in rows.astype("object").itertuples(index=False)]
    # The first cell says what the row is of.
    lines = [re.sub(r"(?s)^<tr><td(.*?)</td>", r'<tr><th scope="row"\1</th>', made) for made in lines]
    for at, urn in enumerate(urns):
        linked = rf'><a href="school?urn={int(urn)}">\1</a></th>'
        lines[at] = re.sub(r"(?s)>([^<]+)</th>", linked, lines[at], count=1)
    body = "".join(lines)
    head = line(rows.columns, 'th scope="col"')
    tall = " tall" if len(rows) > LONG else ""
    return f'<div class="figures{tall}"><table><thead>{head}</thead><tbody>{body}</tbody></table></div>'


def download(rows: pd.DataFrame, key: str, label: str = "Download as CSV") -> None:
    st.download_button(
        label,
        lambda: words.for_spreadsheet(rows),
        f"headway-{words.file_name(key)}.csv",
        "text/csv",
        key=f"csv_{key}",
        on_click="ignore",
    )


def _legible() -> Spec:
    """Axes and legends in the colour of text, as the theme's grey is too pale; and no symbol read out."""
    text = {"labelColor": ink(), "titleColor": ink(), "labelFontSize": 12}
    # its symbols are silent: a screen reader has the finding, the sentence and the table
    return {
        "mark": {"aria": False},
        "axis": {**text, "titleFontSize": 12, "aria": False},
        "legend": {**text, "aria": False},
        "view": {"strokeWidth": 0},
    }


def wrapped(names: pd.Series, most: int = 27) -> pd.Series:
    """Long names over several lines: a narrow screen would cut them."""
    return names.astype("str").map(lambda name: "\n".join(textwrap.wrap(name, most)) or name)


LINES = "split(datum.label, '\\n')"  # in Vega's words: a new line at each break


def _unmarked(text: str) -> str:
    return text.replace("\\", "").replace("**", "")


# --- the words of Vega-Lite ---------------------------------------------------------------------------------


def _drawn(height: int, *layers: Spec) -> Spec:
    return {"height": height, "layer": list(layers)}


def _of(rows: pd.DataFrame, *marks: Spec, **shared: Spec) -> Spec:
    """Marks over the same rows, with the channels they share; a blank is null."""
    values = json.loads(rows.to_json(orient="records", date_format="iso"))
    return {"data": {"values": values}, "encoding": shared, "layer": list(marks)}


def _mark(kind: str, channels: Spec, only: str | None = None, **settings) -> Spec:
    """A mark and its channels; `only` is a test of the rows it is drawn for."""
    kept = {"transform": [{"filter": only}]} if only else {}
    return {"mark": {"type": kind, **settings}, "encoding": channels, **kept}


def _text(field: str, channels: Spec, only: str | None = None, **settings) -> Spec:
    written = {"field": field, "type": "nominal"} | settings.pop("written", {})
    return _mark("text", {**channels, "text": written}, only, **{"color": ink(), "fontSize": 13, **settings})


def _q(field: str, **more) -> Spec:
    """A quantity. Likewise `_n` a name, `_t` a day."""
    return {"field": field, "type": "quantitative", **more}


def _n(field: str, **more) -> Spec:
    return {"field": field, "type": "nominal", **more}


def _t(field: str, **more) -> Spec:
    return {"field": field, "type": "temporal", **more}


# --- one school ---------------------------------------------------------------------------------------------


def chances(rows: pd.DataFrame) -> Spec:
    """The chance of each next grade (`grade`, `chance`) as bars, schools like it (`usual`) as a diamond."""
    made = rows.assign(label=rows["chance"].map(words.percent), far=rows[["chance", "usual"]].max(axis=1))
    most = float(max(rows["chance"].max(), rows["usual"].fillna(0).max())) * 1.15
    x = _q(
        "chance", title="Chance", axis={"format": "%", "tickCount": 5}, scale={"domain": [0, min(most, 1.1)]}
    )
    tips = [_n("grade"), _q("chance", format=".0%"), _q("usual", format=".0%", title="schools like it")]
    bars = _mark("bar", {"x": x, "tooltip": tips}, color=MAIN, height=22)
    usual = _mark(
        "point",
        {"x": _q("usual")},
        "isValid(datum.usual)",
        shape="diamond",
        size=130,
        filled=True,
        color=OTHER,
        stroke=paper(),
        strokeWidth=1.5,
    )
    figures = _text("label", {"x": _q("far")}, align="left", dx=10)
    layers = [bars, usual, figures] if rows["usual"].notna().any() else [bars, figures]
    y = _n("grade", sort=None, title=None, axis={"labelLimit": 220})
    return _drawn(38 * len(rows) + 40, _of(made, *layers, y=y))


def card(cells: pd.DataFrame, standards: list[str], areas: list[str]) -> Spec:
    """A report card: `area` down, `standard` across, each cell's `chance` shaded and written (`label`),
    `last` with a dot.
    """
    plain = {"domain": False, "ticks": False}
    x = _n(
        "standard",
        sort=standards,
        title=None,
        axis={
            **plain,
            "orient": "top",
            "labelAngle": 0,
            "labelOverlap": False,
            "labelFontSize": 9,
            "labelExpr": "split(datum.label, ' ')",
        },
    )
    y = _n("area", sort=areas, title=None, axis={**plain, "labelExpr": LINES})
    shade = _q("chance", scale={"domain": [0, 1], "range": [0.0, 0.6]}, legend=None)
    tips = [_n("area"), _n("standard"), _q("chance", format=".0%")]
    cell = _mark("rect", {"opacity": shade, "tooltip": tips}, color=MAIN)
    edge = _mark("rect", {}, fill=None, stroke=ink(), strokeWidth=0.4)
    figure = _text("label", {}, fontSize=12)
    dot = _mark(
        "point",
        {},
        "datum.last",
        filled=True,
        size=60,
        yOffset=13,
        color=OTHER,
        stroke=paper(),
        strokeWidth=1,
    )
    return _drawn(44 * len(areas) + 50, _of(cells, cell, edge, figure, dot, x=x, y=y))


def waterfall(parts: pd.DataFrame, start: float, end: float, start_words: str, end_words: str) -> Spec:
    """From the usual rate to the school's chance, a step a row (`what`, `step`), each starting where the last
    ended.
    """
    after = start + parts["step"].cumsum()
    before = after - parts["step"]
    steps = pd.DataFrame(
        {
            "what": parts["what"],
            "low": after.where(after < before, before),
            "high": after.where(after > before, before),
            "label": parts["step"].map(words.points),
            "kind": parts["step"]
            .gt(0)
            .map({True: "raises", False: "lowers"})
            .where(parts["reason"].astype("bool"), "whole"),
        }
    )
    whole = {"low": 0.0, "kind": "whole"}
    first = pd.DataFrame([{"what": start_words, "high": start, "label": words.percent(start), **whole}])
    last = pd.DataFrame([{"what": end_words, "high": end, "label": words.percent(end), **whole}])
    made = pd.concat([first, steps, last], ignore_index=True).assign(what=lambda rows: wrapped(rows["what"]))
    most = max(made["high"].max() * 1.25, 0.05)
    x = _q("low", title="Chance", axis={"format": "%", "tickCount": 5}, scale={"domain": [0, most]})
    colour = _n(
        "kind", legend=None, scale={"domain": ["whole", "raises", "lowers"], "range": [QUIET, MAIN, OTHER]}
    )
    bars = _mark(
        "bar",
        {"x": x, "x2": {"field": "high"}, "color": colour, "tooltip": [_n("what"), _n("label")]},
        height=18,
    )
    figures = _text("label", {"x": _q("high")}, align="left", dx=6)
    y = _n("what", sort=None, title=None, axis={"labelLimit": 200, "labelExpr": LINES})
    return _drawn(34 * len(made) + 40, _of(made, bars, figures, y=y))


def together(parts: pd.DataFrame, least: float = 0.002) -> pd.DataFrame:
    """The steps, those under `least` each put together in one, so that a chart stays readable and still adds
    up.
    """
    small = parts["step"].abs().lt(least) & parts["reason"].astype("bool")
    if small.sum() < 2:
        return parts
    rest = {
        "what": f"{small.sum()} smaller steps together",
        "step": parts.loc[small, "step"].sum(),
        "reason": True,
    }
    kept = parts[~small]
    return pd.concat([kept[kept["reason"]], pd.DataFrame([rest]), kept[~kept["reason"]]], ignore_index=True)


def history(graded: pd.DataFrame) -> Spec:
    """Overall grades over time, the best at the top, with a line where the framework changed and pauses
    shaded.
    """
    rows = pd.DataFrame(
        {
            "inspected_on": graded["inspected_on"],
            "word": graded["overall"].astype("int64").map(GRADES),
            "when": graded["inspected_on"].map(words.day),
            "framework": graded["framework"],
            "source": graded["overall_source"].map(words.source),
        }
    )
    kinds = [words.SOURCES[one] for one in words.SOURCES if graded["overall_source"].eq(one).any()] or [
        "source not known"
    ]
    shapes = dict(zip(words.SOURCES.values(), ("circle", "square", "triangle-up"), strict=True))
    edge = pd.Timedelta(days=240)
    first, last = rows["inspected_on"].min() - edge, rows["inspected_on"].max() + edge
    x = _t(
        "inspected_on",
        title=None,
        scale={"domain": [first.isoformat(), last.isoformat()]},
        axis={"format": "%Y", "tickCount": "year", "labelOverlap": True},
    )
    grades = list(GRADES.values())
    y = _n("word", sort=grades, title=None, scale={"domain": grades}, axis={"labelLimit": 200})
    shape = _n(
        "source",
        title=None,
        scale={"domain": kinds, "range": [shapes.get(one, "circle") for one in kinds]},
        legend={"orient": "bottom", "columns": 1, "labelLimit": 420},
    )
    line = _mark(
        "line", {"order": _t("inspected_on")}, interpolate="step-after", color=QUIET, strokeDash=[4, 3]
    )
    tips = [_n("word"), _n("when"), _n("framework"), _n("source")]
    dots = _mark("point", {"shape": shape, "tooltip": tips}, size=130, filled=True, color=MAIN, opacity=1)
    layers = [_of(rows, line, dots, x=x, y=y)]
    books = FRAMEWORKS.loc[FRAMEWORKS["from_on"].between(first, last), ["framework", "from_on"]]
    if len(books):
        rule = _mark("rule", {"tooltip": [_n("framework")]}, color=OTHER, strokeWidth=1.5, strokeDash=[5, 3])
        layers = [_of(books, rule, x=_t("from_on")), *layers]
    pauses = [
        {"from_on": max(since, first), "to_on": min(until, last)}
        for since, until in PAUSES
        if first < until and since < last
    ]
    if pauses:
        shade = _mark("rect", {"x2": {"field": "to_on"}}, color=QUIET, opacity=0.2)
        layers = [_of(pd.DataFrame(pauses), shade, x=_t("from_on")), *layers]
    return _drawn(260, *layers)


def trend(rows: pd.DataFrame, form: str) -> Spec:
    """A measure over the years (`year`, `value`), years without a figure left as gaps."""
    y = _q("value", title=None, axis={"format": form, "tickCount": 5}, scale={"zero": False, "padding": 12})
    point = {"size": 60, "color": MAIN, "filled": True}
    line = _mark("line", {"tooltip": [_n("year"), _q("value", format=form)]}, color=MAIN, point=point)
    figures = _text(
        "value", {}, "isValid(datum.value)", dy=-12, fontSize=11, written=_q("value", format=form)
    )
    x = _n("year", sort=None, title="Academic year", axis={"labelAngle": -45})
    return _drawn(230, _of(rows[["year", "value"]], line, figures, x=x, y=y))


# --- many schools -------------------------------------------------------------------------------------------


def england(places: pd.DataFrame, marked: pd.DataFrame) -> str:
    """Where schools are (`longitude`, `latitude`: `store.places`), and those marked, as SVG: nothing is
    fetched.

    A picture, since it stands on the first page: it is there before Vega would be loaded.
    """
    west, north = places["longitude"].min(), _mercator(places["latitude"]).max()
    east, south = places["longitude"].max(), _mercator(places["latitude"]).min()
    tall, edge = 430, 8
    scale = (tall - 2 * edge) / (north - south or 1)

    def drawn(rows: pd.DataFrame, shape: str) -> str:
        across = edge + scale * (rows["longitude"] - west)
        down = edge + scale * (north - _mercator(rows["latitude"]))
        return "".join(f"M{x:.1f} {y:.1f}{shape}" for x, y in zip(across, down, strict=True))

    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * edge + scale * (east - west):.0f}" '
        f'height="{tall}">'
        f'<path d="{drawn(places, "h0")}" stroke="{QUIET}" stroke-width="2.5" stroke-linecap="round"/>'
        f'<path d="{drawn(marked, "m-5-4h10l-5 9z")}" fill="{OTHER}" stroke="{paper()}" stroke-width="1.4" '
        'paint-order="stroke"/></svg>'  # edges beneath: those of many schools in a city would hide them all
    )


def map_of(places: pd.DataFrame, marked: pd.DataFrame) -> Spec:
    """Schools `marked` (`name`, `urn`, `longitude`, `latitude`) among `places`, near enough to tell apart.

    The map is moved by dragging and zoomed by the wheel with Ctrl; a mark says its school's name and leads to
    its page. Nothing is drawn beneath: tiles would be fetched from elsewhere.
    """
    tall, wide, least = 430, 700, 0.06  # pixels, on a broad screen; degrees to either side of a single school
    north = _mercator(marked["latitude"])
    x, y = ((values.max() + values.min()) / 2 for values in (marked["longitude"], north))
    half = max(
        least, 0.6 * (north.max() - north.min()), 0.6 * tall / wide * np.ptp(marked["longitude"].to_numpy())
    )
    rows = marked[["name", "urn", "longitude"]].assign(
        north=north, href=marked["urn"].map("school?urn={}".format)
    )
    hidden = {"title": None, "axis": None}
    across = _q("longitude", **hidden, scale={"domain": [x - half * wide / tall, x + half * wide / tall]})
    down = _q("north", **hidden, scale={"domain": [y - half, y + half]})
    dots = _mark("point", {}, size=14, filled=True, color=QUIET, clip=True)
    moved = {
        "name": "moved",
        "select": {"type": "interval", "zoom": "wheel![event.ctrlKey || event.metaKey]"},
        "bind": "scales",
    }
    told = {"tooltip": [_n("name", title="school"), _q("urn", title="URN", format="d")], "href": _n("href")}
    marks = _mark(
        "point",
        told,
        shape="triangle-down",
        size=110,
        filled=True,
        color=OTHER,
        opacity=1,
        stroke=paper(),
        clip=True,
        cursor="pointer",
    )
    layers = [marks]
    if len(rows) <= NAMED:  # a name is written towards the middle, so that the edge cuts none
        left, right = (
            {"align": side, "dx": dx, "fontSize": 11} for side, dx in (("left", 10), ("right", -10))
        )
        layers += [
            _text("name", {}, f"datum.longitude <= {x}", **left),
            _text("name", {}, f"datum.longitude > {x}", **right),
        ]
    every = pd.DataFrame({"longitude": places["longitude"], "north": _mercator(places["latitude"])})
    return _drawn(
        tall,
        _of(every, {**dots, "params": [moved]}, x=across, y=down),
        _of(rows, *layers, x=across, y=down),
    )


def _mercator(latitude: pd.Series) -> pd.Series:
    """How far north, in degrees of longitude, on a map that keeps angles."""
    return np.degrees(np.log(np.tan(np.radians(45 + latitude / 2))))


def spread(rows: pd.DataFrame, title: str) -> Spec:
    """How many schools fall in each band (`band`, `schools`), counts written on the bars."""
    bars = _mark("bar", {"tooltip": [_n("band"), _q("schools")]}, color=MAIN)
    figures = _text("schools", {}, "datum.schools > 0", dy=-8)
    x = _n("band", sort=None, title=title, axis={"labelAngle": 0})
    y = _q("schools", title="Schools", axis={"tickMinStep": 1})
    return _drawn(240, _of(rows, bars, figures, x=x, y=y))


def beside(rows: pd.DataFrame, title: str) -> Spec:
    """Schools (`school`) in the order given: a dot at `chance`, a line from `low` to `high`, a diamond at
    `usual`.
    """
    made = rows[["school", "chance", "low", "high", "usual"]].assign(school=wrapped(rows["school"], 30))
    axis = {"format": "%", "tickCount": 5, "orient": "top"}
    x = _q("chance", title=title, axis=axis, scale={"domain": [0, 1]})
    tips = [
        _n("school"),
        *(_q(name, format=".0%") for name in ("chance", "low", "high")),
        _q("usual", format=".0%", title="schools like it"),
    ]
    lines = _mark("rule", {"x": _q("low"), "x2": {"field": "high"}}, color=MAIN, strokeWidth=2)
    usual = _mark(
        "point",
        {"x": _q("usual"), "tooltip": tips},
        shape="diamond",
        size=90,
        filled=True,
        color=OTHER,
        opacity=1,
        stroke=paper(),
    )
    dots = _mark(
        "point", {"x": x, "tooltip": tips}, size=70, filled=True, color=MAIN, opacity=1, stroke=paper()
    )
    each = {"labelLimit": 220, "labelExpr": LINES, "labelOverlap": False, "grid": True}
    y = _n("school", sort=None, title=None, axis=each)
    tall = 9 + 15 * (1 + int(made["school"].str.count("\n").max()))
    return _drawn(tall * len(made) + 40, _of(made, lines, usual, dots, y=y))


def against(dots: pd.DataFrame, marks: pd.DataFrame) -> Spec:
    """Schools' shares (`what`, `share`, `school`) as circles, all together (`whole`) a diamond, what is
    suggested a line.
    """
    most = max(dots["share"].max(), marks[["whole", "suggested"]].max().max()) * 1.15
    x = {
        "title": "Share of staff",
        "axis": {"format": "%", "tickCount": 5},
        "scale": {"domain": [0, float(most)]},
    }
    tips = [_n("school"), _q("share", format=".1%")]
    circles = _mark(
        "point", {"x": _q("share", **x), "tooltip": tips}, shape="circle", size=70, color=MAIN, strokeWidth=2
    )
    whole = _mark(
        "point",
        {"x": _q("whole"), "tooltip": [_q("whole", format=".1%", title="together")]},
        shape="diamond",
        size=190,
        filled=True,
        color=OTHER,
        stroke=paper(),
        strokeWidth=1.5,
        opacity=1,
    )
    line = _mark("tick", {"x": _q("suggested")}, color=ink(), thickness=2.5, size=46)
    named = _text("label", {"x": _q("suggested")}, dy=-32, align="left", dx=-3, fontSize=12)
    labelled = marks.assign(label=marks["suggested"].map("{:.1%} suggested".format))
    y = _n("what", sort=None, title=None, axis={"labelExpr": LINES, "labelLimit": 160})
    dots, labelled = (rows.assign(what=wrapped(rows["what"], 14)) for rows in (dots, labelled))
    return _drawn(
        90 * len(marks) + 40,
        _of(labelled, line, named, y=y),
        _of(dots, circles, y=y),
        _of(labelled, whole, y=y),
    )


# --- figures with intervals ---------------------------------------------------------------------------------


def intervals(
    rows: pd.DataFrame,
    at: float,
    x_title: str,
    *,
    log: bool = False,
    form: str = ".2f",
    mark: float | None = None,
    mark_words: str = "",
) -> Spec:
    """A figure a row (`what`, `estimate`, `low`, `high`) with its interval, against a line at `at` (nothing
    to see).

    Rows may have `kind`, which then gives the shape. `mark` draws another line, such as a figure that was
    claimed.
    """
    rows = rows.assign(what=wrapped(rows["what"]))
    names = rows["what"].drop_duplicates().tolist()
    if log:
        low, high = min(rows["low"].min(), at) / 1.1, max(rows["high"].max(), at, mark or at) * 1.15
        scale = {"type": "log", "domain": [low, high], "nice": False}
        wide = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
        ticks = wide if high / low > 4 else (0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.2, 1.4, 1.6, 2, 2.5)
        axis = {"values": [tick for tick in ticks if low <= tick <= high], "format": "~g"}
    else:
        scale, axis = {"zero": False, "padding": 10}, {"format": form, "tickCount": 6}
    along = {"title": textwrap.wrap(x_title, 40), "scale": scale, "axis": axis}
    kinds = rows["kind"].drop_duplicates().tolist() if "kind" in rows else []
    several = len(kinds) > 1
    shared = {
        "y": _n(
            "what",
            sort=names,
            title=None,
            axis={"labelLimit": 220, "labelExpr": LINES, "labelOverlap": False},
        )
    }
    colour, shape = {"value": MAIN}, {"value": "circle"}
    if several:
        shared["yOffset"] = _n("kind", sort=kinds)
        legend = {"orient": "bottom", "title": None, "columns": 1, "labelLimit": 300}
        colours, shapes = (
            [MAIN, OTHER, QUIET][: len(kinds)],
            ["circle", "square", "triangle-up"][: len(kinds)],
        )
        colour = _n("kind", sort=kinds, scale={"domain": kinds, "range": colours}, legend=legend)
        shape = _n("kind", sort=kinds, scale={"domain": kinds, "range": shapes}, legend=legend)
    tips = [
        *([_n("kind")] if several else []),
        _n("what"),
        *(_q(one, format=form) for one in ("estimate", "low", "high")),
    ]
    bars = _mark(
        "rule",
        {"x": _q("low", **along), "x2": {"field": "high"}, "color": colour, "tooltip": tips},
        strokeWidth=2.5,
    )
    dots = _mark(
        "point",
        {"x": _q("estimate", **along), "color": colour, "shape": shape, "tooltip": tips},
        size=90,
        filled=True,
        opacity=1,
    )
    line = _mark("rule", {}, color=ink(), strokeDash=[4, 3])
    shown = rows[["what", "estimate", "low", "high", *(["kind"] if several else [])]]
    layers = [
        _of(pd.DataFrame({"at": [at]}), line, x=_q("at", scale=scale)),
        _of(shown, bars, dots, **shared),
    ]
    if mark is not None:
        claimed = pd.DataFrame({"at": [mark], "label": [mark_words]})
        upright = _mark("rule", {}, color=OTHER, strokeWidth=2)
        named = _text("label", {"y": {"value": 8}}, align="right", dx=-6)
        layers.append(_of(claimed, upright, named, x=_q("at", scale=scale)))
    lines = int(rows["what"].str.count("\n").max()) + 1
    each = max(24 * max(len(kinds), 1) + 8, 15 * lines + 8)
    # axis, its title, the legend
    around = 45 + 15 * len(along["title"]) + (20 * len(kinds) + 15 if several else 0)
    return _drawn(each * len(names) + around, *layers)


def calibration(rows: pd.DataFrame) -> Spec:
    """What was said (`said`) against what came (`came`, with `low` and `high`); on the line, they agree."""
    whole = pd.DataFrame({"said": [0.0, 1.0], "came": [0.0, 1.0]})
    x = _q("said", title="The model said, on average", axis={"format": "%"}, scale={"domain": [0, 1]})
    y = {"title": "Improved", "axis": {"format": "%"}, "scale": {"domain": [0, 1]}}
    line = _mark("line", {"y": _q("came", **y)}, color=QUIET, strokeDash=[4, 3])
    bars = _mark(
        "rule", {"y": _q("low", title="Improved"), "y2": {"field": "high"}}, color=MAIN, strokeWidth=2
    )
    tips = [_q("said", format=".0%"), _q("came", format=".0%"), _q("schools")]
    dots = _mark(
        "point", {"y": _q("came", **y), "tooltip": tips}, color=MAIN, filled=True, size=80, opacity=1
    )
    return _drawn(360, _of(whole, line, x=x), _of(rows, bars, dots, x=x))
