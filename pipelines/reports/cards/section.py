"""How good the model is, written from the training report: no figure is typed."""

from pathlib import Path
from typing import Any

from headway.pipelines import tables
from headway.pipelines.tables import DataError

BEGIN, END = "<!-- how good: begin -->", "<!-- how good: end -->"


def how_good(report: dict[str, Any]) -> str:
    """The backtest in Markdown: each fold against both plain rates, the means, the grade sets, what families
    add.
    """
    mine = [row for row in report["scores"] if row["model"] == "champion"]
    mean = next(row for row in report["means"] if row["model"] == "champion")
    everyone = report["coverage"][0]
    lines = [
        f"Written by `headway how-good` from the run of {report['as_of']} on {report['data_source']} files "
        f"(model `{report['model_version']}`). Schools that could improve; 95% intervals.",
        "",
        "| fold | schools | improved | mean chance | skill over grade and phase | skill over their last two "
        "years | AUC "
        "within Good | AUC within Requires improvement | slope |",
        "|---|---|---|---|---|---|---|---|---|",
        *(
            f"| {row['fold']} | {row['n']:,} | {row['rate']:.1%} | {row['mean_p']:.1%} | "
            f"{_span(row, 'skill')} | "
            f"{_span(row, 'skill_two_years')} | {_span(row, 'auc_2')} | {_span(row, 'auc_3')} | "
            f"{row['slope']:.2f} |"
            for row in mine
        ),
        f"| mean | | | off by {mean['mean_gap']:.1%} | {mean['skill']:.3f} | {mean['skill_two_years']:.3f} | "
        f"{mean['auc_2']:.3f} | {mean['auc_3']:.3f} | {mean['slope']:.2f} |",
        "",
        f"Grade sets promised at 90% held the next grade in {everyone['coverage']:.1%} of {everyone['n']:,} "
        "cases, with "
        f"{everyone['mean_size']:.1f} grades in a set on average.",
    ]
    level = [row["fold"] for row in mine if row["skill_two_years_low"] <= 0]
    lines.append(
        "No better, as far as the interval can tell, than the last two years' rates by grade and phase in: "
        f"{', '.join(level) or 'no fold'}."
    )
    if "ablation" in report:
        lines += [
            "",
            "| family | what it adds to all the others, share of the Brier error | says |",
            "|---|---|---|",
        ]
        lines += [
            f"| {row['family']} | {row['gain']:+.2%} ({row['gain_low']:+.2%} to {row['gain_high']:+.2%}) | "
            f"{row['verdict']} |"
            for row in report["ablation"]
            if row["within"] is None
        ]
    off, blank = report["families_off"], report["signals_blank"]
    lines += [
        "",
        f"Off by default: {', '.join(off) or 'nothing'}. Made without, because the files don't hold them: "
        f"{', '.join(blank) or 'nothing'}.",
    ]
    return "\n".join(lines)


def _span(row: dict[str, Any], name: str) -> str:
    if row[name] is None:
        return "too few"
    return f"{row[name]:.3f} ({row[f'{name}_low']:.2f} to {row[f'{name}_high']:.2f})"


def into(page: Path, text: str) -> None:
    """Put the text between the page's two marks. Raises `DataError` where the page has none."""
    before, mark, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not mark or not end:
        raise DataError(f"{page} has no place for it: two lines, {BEGIN} and {END}.")
    tables.write_text(page, f"{before}{BEGIN}\n{text}\n{END}{after}")
