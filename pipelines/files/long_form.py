"""A file of a row for each school, year and group of teachers, to one row a school and year."""

import pandas as pd

from headway.pipelines import sources
from headway.pipelines.files.cells import SHOWN, first_known, read_cells, unread
from headway.pipelines.sources import Column, LongForm, evened, normalised

MOST_ROUNDED = 1.02  # shares of one whole, each rounded to a per cent, may add up to a little more


def mended(
    texts: dict[str, pd.Series], columns: tuple[Column, ...], form: LongForm
) -> tuple[dict[str, pd.Series], int, pd.Series]:
    """A long file's cells as they were meant, how many rows were moved to get there, and which we can't be
    sure of.

    In some years the figures stand one column to the left: a number where a group's name belongs, and nothing
    in the last column. One of the groupings before it is lost, so such a row is what its own name for its
    group says it is. The same holds for a row that leaves the other groupings blank.
    """
    by = [name for name in form.by if name in texts]
    nothing = pd.Series("", index=texts[form.slipping[-1]].index, dtype="str")
    cell = texts.get(form.slipping[0], nothing)
    figure = cell.str.fullmatch(r"[\d.,]+%?") | (cell.str.lower().isin(sources.BLANKS) & cell.ne(""))
    slipped = figure & texts[form.slipping[-1]].eq("")
    unnamed = slipped | pd.concat([texts[name].eq("") for name in by], axis=1).any(axis=1)
    if not (figure | unnamed).any():
        return texts, 0, figure
    groupings = {
        normalised(header): column.name
        for column in columns
        for header in column.headers
        if column.name in by
    }
    grouping, group = (_evened(texts.get(name, nothing)) for name in form.named_by)
    named = grouping.map({**groupings, form.total: form.total})
    told = pd.concat([_evened(texts[name]) for name in by if name != form.slipping[0]], axis=1)
    crossed = (~told.isin(["", form.total]) & told.ne(group, axis=0)).any(axis=1)
    lost = slipped & (not set(form.slipping) <= set(texts))
    doubt = (figure & ~slipped) | (unnamed & (named.isna() | group.eq("") | crossed)) | lost
    meant = dict(texts)
    for left, right in zip(form.slipping, form.slipping[1:], strict=False):
        if left in texts and right in texts:
            meant[right] = texts[right].mask(slipped, texts[left])
    for name in by:
        meant[name] = texts[name].mask(unnamed, group.where(named.eq(name), form.total))
    return meant, int((slipped & ~doubt).sum()), doubt


def _evened(texts: pd.Series) -> pd.Series:
    return texts.map({text: evened(text) for text in texts.unique()})


def doubtful(doubt: pd.Series, header_row: int) -> list[str]:
    if not doubt.any():
        return []
    rows = ", ".join(str(at + header_row + 2) for at in doubt.index[doubt][:SHOWN])
    return [
        f"  {doubt.sum()} rows have their figures in the wrong columns, or don't say which group they are "
        f"of: row {rows}.\n"
        "    Download the file again. If that is how it was published, leave it out."
    ]


def used(
    texts: dict[str, pd.Series], columns: tuple[Column, ...], form: LongForm, header_row: int
) -> tuple[pd.Series, list[str]]:
    """Which rows of a long file any measure is made from, and the words for groups that we don't know."""
    words, problems = {}, []
    for column in columns:
        if column.name in form.by and column.name in texts:
            words[column.name], _, bad = read_cells(texts[column.name], column.kind, column.words)
            if bad.any():
                problems.append(unread(column, texts[column.name][bad], header_row))
    apart = pd.concat([word.ne(form.total) for word in words.values()], axis=1).sum(axis=1)
    wanted = apart.eq(0)
    if len(wanted) and not wanted.any():
        problems.append(
            f"  No row is of all teachers, with “{form.total}” in every column that tells them apart."
        )
    for _, grouping, groups in form.measures.values():
        if grouping:
            wanted |= apart.eq(1) & words[grouping].isin(groups)
    return wanted, problems


def widened(rows: pd.DataFrame, form: LongForm) -> tuple[pd.DataFrame, list[str]]:
    """One row a school and year from its rows of everybody and of one group each, and what is wrong with
    them.

    A sum over groups is blank where one of them is: no part is worked out from a total, and a group without a
    row is not nought, only not given.
    """
    key = ["urn", "period"]
    schools = rows.drop_duplicates(key)[key]
    at = pd.MultiIndex.from_frame(schools)
    everybody = rows[[name for name in form.by if name in rows]].eq(form.total).all(axis=1)
    wide, problems = {}, []
    for measure, (figure, grouping, groups) in form.measures.items():
        values, why = 0.0, pd.Series(None, index=schools.index, dtype="str")
        for group in groups or (form.total,):
            part = rows[rows[grouping].eq(group) if grouping else everybody].set_index(key)
            if part.index.has_duplicates:
                urn, year = part.index[part.index.duplicated()][0]
                problems.append(
                    f"  Two rows of URN {urn} in {year:.0f} both give “{grouping or 'everybody'}: {group}”."
                )
                continue
            values = values + part[figure].reindex(at).to_numpy()
            given = part[f"{figure}_why_blank"].astype("str").reindex(at).set_axis(schools.index)
            why = first_known(why, given.mask(~at.isin(part.index), "no row"))
        values = pd.Series(values, index=schools.index)
        if figure.startswith("share_"):
            over = schools["urn"][values.gt(MOST_ROUNDED)]
            if len(over):
                problems.append(
                    f"  {measure} adds up to more than all teachers in {len(over)} schools: URN "
                    f"{over.iloc[0]}."
                )
            values = values.clip(upper=1.0)
        wide |= {measure: values, f"{measure}_why_blank": why}
    return schools.assign(**wide), problems
