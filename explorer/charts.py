"""Charts, each with what they find: a title that says it, a sentence, the table behind it and a download.

Nothing rests on colour: direction has a sign, kinds have shapes, bars have their figures. No red and green, which would
read as a verdict on a school.
"""

import textwrap

import altair as alt
import pandas as pd
import streamlit as st

from explorer import words
from pipelines.frameworks import FRAMEWORKS, GRADES, PAUSE

# At least 3 to 1 against the light and the dark background alike.
MAIN, OTHER, QUIET = "#3576BD", "#BA6A12", "#7A8696"
LONG = 60  # rows above which a table scrolls rather than stands in full


def ink() -> str:
    """The colour of text, for marks that a theme leaves black."""
    return "#E8EDF3" if getattr(st.context.theme, "type", None) == "dark" else "#1A2330"


def paper() -> str:
    return "#10151D" if getattr(st.context.theme, "type", None) == "dark" else "#FFFFFF"


def show(chart: alt.TopLevelMixin, title: str, sentence: str, rows: pd.DataFrame, key: str, level: int = 2) -> None:
    """A chart under its finding, with a sentence, and its table and download in an expander. Texts must be safe."""
    st.markdown(f"{'#' * level} {title}", anchors=False)
    st.markdown(sentence)
    st.altair_chart(
        _legible(chart),
        key=f"chart_{key}",
        width="stretch",
        alt=_unmarked(f"{title}. {sentence} The table below holds the figures."),
    )
    with st.expander(f"The table behind it: {title}", key=f"table_{key}"):
        table(rows)
        download(rows, key)


def table(rows: pd.DataFrame) -> None:
    """A table as text that a screen reader, a keyboard and a printer can follow; a long one scrolls."""
    if len(rows) > LONG:
        st.dataframe(rows, hide_index=True, alt=f"{len(rows)} rows: {', '.join(map(str, rows.columns))}")
        return
    safe = rows.astype("object").map(lambda value: "" if words.blank(value) else words.plain(value))
    st.table(safe.rename(columns=words.plain), hide_index=True, border="horizontal")


def download(rows: pd.DataFrame, key: str, label: str = "Download as CSV") -> None:
    st.download_button(
        label,
        words.for_spreadsheet(rows),
        f"headway-{words.file_name(key)}.csv",
        "text/csv",
        key=f"csv_{key}",
        on_click="ignore",
    )


def _legible(chart: alt.TopLevelMixin) -> alt.TopLevelMixin:
    """Axes and legends in the colour of text: the theme's grey is too pale to read."""
    return (
        chart.configure_axis(labelColor=ink(), titleColor=ink(), labelFontSize=12, titleFontSize=12)
        .configure_legend(labelColor=ink(), titleColor=ink(), labelFontSize=12)
        .configure_view(strokeWidth=0)
    )


def _wrapped(names: pd.Series, most: int = 27) -> pd.Series:
    """Long names over several lines: a narrow screen would cut them."""
    return names.astype("str").map(lambda name: "\n".join(textwrap.wrap(name, most)) or name)


LINES = "split(datum.label, '\\n')"  # in Vega's words: a new line at each break


def _unmarked(text: str) -> str:
    return text.replace("\\", "").replace("**", "")


def _text(**settings) -> dict:
    return {"color": ink(), "fontSize": 13, **settings}


# --- one school -------------------------------------------------------------------------------------------------------


def chances(rows: pd.DataFrame) -> alt.LayerChart:
    """The chance of each next grade (`grade`, `chance`) as bars, schools like it (`usual`) as a diamond."""
    made = rows.assign(label=rows["chance"].map(words.percent), far=rows[["chance", "usual"]].max(axis=1))
    most = float(max(rows["chance"].max(), rows["usual"].fillna(0).max())) * 1.15
    base = alt.Chart(made).encode(y=alt.Y("grade:N", sort=None, title=None, axis=alt.Axis(labelLimit=220)))
    x = alt.X(
        "chance:Q", title="Chance", axis=alt.Axis(format="%", tickCount=5), scale=alt.Scale(domain=[0, min(most, 1.1)])
    )
    bars = base.mark_bar(color=MAIN, height=22).encode(
        x=x,
        tooltip=[
            "grade",
            alt.Tooltip("chance", format=".0%"),
            alt.Tooltip("usual", format=".0%", title="schools like it"),
        ],
    )
    figures = base.mark_text(align="left", dx=10, **_text()).encode(x="far:Q", text="label")
    usual = (
        base.transform_filter("isValid(datum.usual)")
        .mark_point(shape="diamond", size=130, filled=True, color=OTHER, stroke=paper(), strokeWidth=1.5)
        .encode(x="usual:Q")
    )
    layers = [bars, usual, figures] if rows["usual"].notna().any() else [bars, figures]
    return alt.layer(*layers).properties(height=38 * len(rows) + 40)


def waterfall(parts: pd.DataFrame, start: float, end: float, start_words: str, end_words: str) -> alt.LayerChart:
    """From the usual rate to the school's chance, a step a row (`what`, `step`), each starting where the last ended."""
    steps, at = (
        [{"what": start_words, "low": 0.0, "high": start, "label": words.percent(start), "kind": "whole"}],
        start,
    )
    for what, step in parts[["what", "step"]].itertuples(index=False):
        after = at + step
        steps.append(
            {
                "what": what,
                "low": min(at, after),
                "high": max(at, after),
                "label": words.points(step),
                "kind": "raises" if step > 0 else "lowers",
            }
        )
        at = after
    steps.append({"what": end_words, "low": 0.0, "high": end, "label": words.percent(end), "kind": "whole"})
    made = pd.DataFrame(steps)
    made["what"] = _wrapped(made["what"])
    most = max(made["high"].max() * 1.25, 0.05)
    base = alt.Chart(made).encode(
        y=alt.Y("what:N", sort=None, title=None, axis=alt.Axis(labelLimit=200, labelExpr=LINES))
    )
    x = alt.X("low:Q", title="Chance", axis=alt.Axis(format="%", tickCount=5), scale=alt.Scale(domain=[0, most]))
    colour = alt.Color(
        "kind:N", legend=None, scale=alt.Scale(domain=["whole", "raises", "lowers"], range=[QUIET, MAIN, OTHER])
    )
    bars = base.mark_bar(height=18).encode(x=x, x2="high:Q", color=colour, tooltip=["what", "label"])
    figures = base.mark_text(align="left", dx=6, **_text()).encode(x="high:Q", text="label")
    return alt.layer(bars, figures).properties(height=34 * len(made) + 40)


def together(parts: pd.DataFrame, least: float = 0.002) -> pd.DataFrame:
    """The steps, those under `least` each put together in one, so that a chart stays readable and still adds up."""
    small = parts["step"].abs() < least
    if small.sum() < 2:
        return parts
    rest = pd.DataFrame([{"what": f"{small.sum()} smaller steps together", "step": parts.loc[small, "step"].sum()}])
    return pd.concat([parts[~small], rest], ignore_index=True)


def history(graded: pd.DataFrame) -> alt.LayerChart:
    """Overall grades over time, the best at the top, with a line where the rule-book changed and the pause shaded."""
    rows = graded.assign(
        word=graded["overall"].astype("int64").map(GRADES),
        when=graded["inspected_on"].map(words.day),
        source=graded["overall_source"].map(words.source),
    )
    kinds = [words.SOURCES[one] for one in words.SOURCES if graded["overall_source"].eq(one).any()] or [
        "source not known"
    ]
    shapes = dict(zip(words.SOURCES.values(), ("circle", "square", "triangle-up"), strict=True))
    first, last = rows["inspected_on"].min(), rows["inspected_on"].max()
    edge = pd.Timedelta(days=240)
    first, last = first - edge, last + edge
    books = FRAMEWORKS[FRAMEWORKS["from_on"].between(first, last)]
    x = alt.X(
        "inspected_on:T",
        title=None,
        scale=alt.Scale(domain=[first.isoformat(), last.isoformat()]),
        axis=alt.Axis(format="%Y", tickCount="year", labelOverlap=True),
    )
    y = alt.Y(
        "word:N",
        sort=list(GRADES.values()),
        title=None,
        scale=alt.Scale(domain=list(GRADES.values())),
        axis=alt.Axis(labelLimit=200),
    )
    line = (
        alt.Chart(rows)
        .mark_line(interpolate="step-after", color=QUIET, strokeDash=[4, 3])
        .encode(x=x, y=y, order="inspected_on:T")
    )
    dots = (
        alt.Chart(rows)
        .mark_point(size=130, filled=True, color=MAIN, opacity=1)
        .encode(
            x=x,
            y=y,
            shape=alt.Shape(
                "source:N",
                title=None,
                scale=alt.Scale(domain=kinds, range=[shapes.get(one, "circle") for one in kinds]),
                legend=alt.Legend(orient="bottom", columns=1, labelLimit=420),
            ),
            tooltip=["word", "when", "framework", "source"],
        )
    )
    layers = [line, dots]
    if len(books):
        rules = (
            alt.Chart(books)
            .mark_rule(color=OTHER, strokeWidth=1.5, strokeDash=[5, 3])
            .encode(x="from_on:T", tooltip=["framework"])
        )
        layers = [rules, *layers]
    if first < PAUSE[1] and last > PAUSE[0]:
        pause = pd.DataFrame([{"from_on": max(PAUSE[0], first), "to_on": min(PAUSE[1], last)}])
        layers = [alt.Chart(pause).mark_rect(color=QUIET, opacity=0.2).encode(x="from_on:T", x2="to_on:T"), *layers]
    return alt.layer(*layers).properties(height=260)


def trend(rows: pd.DataFrame, form: str) -> alt.LayerChart:
    """A measure over the years (`year`, `value`), years without a figure left as gaps."""
    base = alt.Chart(rows).encode(x=alt.X("year:N", sort=None, title="Academic year", axis=alt.Axis(labelAngle=-45)))
    y = alt.Y("value:Q", title=None, axis=alt.Axis(format=form, tickCount=5), scale=alt.Scale(zero=False, padding=12))
    line = base.mark_line(color=MAIN, point=alt.OverlayMarkDef(size=60, color=MAIN, filled=True)).encode(
        y=y, tooltip=["year", alt.Tooltip("value", format=form)]
    )
    figures = (
        base.transform_filter("isValid(datum.value)")
        .mark_text(dy=-12, **_text(fontSize=11))
        .encode(y=y, text=alt.Text("value:Q", format=form))
    )
    return alt.layer(line, figures).properties(height=230)


# --- many schools -----------------------------------------------------------------------------------------------------


def england(rows: pd.DataFrame, marked: pd.DataFrame) -> alt.LayerChart:
    """Where schools are (`longitude`, `latitude`), thinned to a grid, and those marked; nothing is fetched."""
    grid = rows[["longitude", "latitude"]].div([0.12, 0.075]).round().mul([0.12, 0.075]).drop_duplicates()
    far = (
        alt.Chart(grid)
        .mark_circle(size=7, color=QUIET, opacity=0.6)
        .encode(longitude="longitude:Q", latitude="latitude:Q")
    )
    near = (
        alt.Chart(marked[["longitude", "latitude", "name", "local_authority"]])
        .mark_point(shape="triangle-down", size=70, filled=True, color=OTHER, opacity=0.9)
        .encode(longitude="longitude:Q", latitude="latitude:Q", tooltip=["name", "local_authority"])
    )
    return alt.layer(far, near).project("mercator").properties(height=430)


def spread(rows: pd.DataFrame, x: str, title: str) -> alt.LayerChart:
    """How many schools fall in each band of `x` (a share), counts written on the bars."""
    edges = [edge / 10 for edge in range(11)]
    bands = pd.cut(rows[x], edges, labels=[f"{10 * at}–{10 * at + 10}" for at in range(10)], include_lowest=True)
    made = bands.value_counts(sort=False).rename_axis("band").reset_index(name="schools")
    made["band"] = made["band"].astype("str")
    base = alt.Chart(made).encode(x=alt.X("band:N", sort=None, title=title, axis=alt.Axis(labelAngle=0)))
    bars = base.mark_bar(color=MAIN).encode(
        y=alt.Y("schools:Q", title="Schools", axis=alt.Axis(tickMinStep=1)), tooltip=["band", "schools"]
    )
    figures = (
        base.transform_filter("datum.schools > 0").mark_text(dy=-8, **_text()).encode(y="schools:Q", text="schools")
    )
    return alt.layer(bars, figures).properties(height=240)


# --- figures with intervals -------------------------------------------------------------------------------------------


def intervals(
    rows: pd.DataFrame,
    at: float,
    x_title: str,
    *,
    log: bool = False,
    form: str = ".2f",
    mark: float | None = None,
    mark_words: str = "",
) -> alt.LayerChart:
    """A figure a row (`what`, `estimate`, `low`, `high`) with its interval, against a line at `at` (nothing to see).

    Rows may have `kind`, which then gives the shape. `mark` draws another line, such as a figure that was claimed.
    """
    rows = rows.assign(what=_wrapped(rows["what"]))
    names = rows["what"].drop_duplicates().tolist()
    if log:
        low, high = min(rows["low"].min(), at) / 1.1, max(rows["high"].max(), at, mark or at) * 1.15
        scale = alt.Scale(type="log", domain=[low, high], nice=False)
        ticks = (
            (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
            if high / low > 4
            else (0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.2, 1.4, 1.6, 2, 2.5)
        )
        axis = alt.Axis(values=[tick for tick in ticks if low <= tick <= high], format="~g")
    else:
        scale, axis = alt.Scale(zero=False, padding=10), alt.Axis(format=form, tickCount=6)
    x = alt.X("estimate:Q", title=x_title, scale=scale, axis=axis)
    several = "kind" in rows and rows["kind"].nunique() > 1
    encode = {"y": alt.Y("what:N", sort=names, title=None, axis=alt.Axis(labelLimit=220, labelExpr=LINES))}
    if several:
        kinds = rows["kind"].drop_duplicates().tolist()
        encode["yOffset"] = alt.YOffset("kind:N", sort=kinds)
    base = alt.Chart(rows).encode(**encode)
    tips = [
        *(["kind:N"] if several else []),
        "what:N",
        *(alt.Tooltip(f"{one}:Q", format=form) for one in ("estimate", "low", "high")),
    ]
    colour = alt.value(MAIN)
    shape = alt.value("circle")
    if several:
        legend = alt.Legend(orient="bottom", title=None, columns=2, labelLimit=300)
        colour = alt.Color(
            "kind:N", sort=kinds, scale=alt.Scale(domain=kinds, range=[MAIN, OTHER, QUIET][: len(kinds)]), legend=legend
        )
        shape = alt.Shape(
            "kind:N",
            sort=kinds,
            scale=alt.Scale(domain=kinds, range=["circle", "square", "triangle-up"][: len(kinds)]),
            legend=legend,
        )
    bars = base.mark_rule(strokeWidth=2.5).encode(
        x=alt.X("low:Q", scale=scale, title=x_title, axis=axis), x2="high:Q", color=colour, tooltip=tips
    )
    dots = base.mark_point(size=90, filled=True, opacity=1).encode(x=x, color=colour, shape=shape, tooltip=tips)
    line = (
        alt.Chart(pd.DataFrame({"at": [at]}))
        .mark_rule(color=ink(), strokeDash=[4, 3])
        .encode(x=alt.X("at:Q", scale=scale))
    )
    layers = [line, bars, dots]
    if mark is not None:
        claimed = pd.DataFrame({"at": [mark], "label": [mark_words]})
        layers.append(alt.Chart(claimed).mark_rule(color=OTHER, strokeWidth=2).encode(x=alt.X("at:Q", scale=scale)))
        layers.append(
            alt.Chart(claimed)
            .mark_text(align="right", dx=-6, **_text())
            .encode(x=alt.X("at:Q", scale=scale), y=alt.value(8), text="label")
        )
    lines = int(rows["what"].str.count("\n").max()) + 1
    each = max(24 * (rows["kind"].nunique() if several else 1) + 8, 15 * lines + 8)
    return alt.layer(*layers).properties(height=max(each * len(names), 90) + (70 if several else 40))


def calibration(rows: pd.DataFrame) -> alt.LayerChart:
    """What was said (`said`) against what came (`came`, with `low` and `high`); on the line, they agree."""
    whole = pd.DataFrame({"said": [0.0, 1.0], "came": [0.0, 1.0]})
    x = alt.X("said:Q", title="The model said, on average", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1]))
    y = alt.Y("came:Q", title="Improved", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1]))
    line = alt.Chart(whole).mark_line(color=QUIET, strokeDash=[4, 3]).encode(x=x, y=y)
    bars = (
        alt.Chart(rows)
        .mark_rule(color=MAIN, strokeWidth=2)
        .encode(x=x, y=alt.Y("low:Q", title="Improved"), y2="high:Q")
    )
    dots = (
        alt.Chart(rows)
        .mark_point(color=MAIN, filled=True, size=80, opacity=1)
        .encode(x=x, y=y, tooltip=[alt.Tooltip("said", format=".0%"), alt.Tooltip("came", format=".0%"), "schools"])
    )
    return alt.layer(line, bars, dots).properties(height=360)
