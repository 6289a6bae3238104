"""Ofsted Parent View: what parents answered, by school."""

from headway.pipelines.sources.layout import Layout, column, key_column

# Each release is of the answers of a year or so to the day in its name, for schools with ten or more, and
# comes out weeks or months after that day. The questions of 2019 have 14 numbers; those of November 2025 have
# 10 numbers that mean other questions. The 12 of before September 2019, which asked whether a school is well
# led, we have seen in no file.
#
# No release was at hand when this was written. The numbers, questions and headers of 2019 are those that four
# public programs read, which agree: of the CSV of April 2020 with the questions in full, workbooks of 2021 to
# April 2025, and the release of September 2025. Those of November 2025 are from two programs: one gives the
# form of a header, the other, which reads the release of April 2026, takes a question by the words kept here.
# Whether support for special needs is told by school is unverified, so it isn't needed. Any other difference
# stops us.
#
# The unit is in the header: `Q1 Agree %` is per cent, and so is a CSV's 46%. `Q1 Agree`, in workbooks to
# April 2025, is a share of one. The unit of `Response Rate` is known of those with a % only.
_AGREE = {
    "strongly_agree": "Strongly agree",
    "agree": "Agree",
    "disagree": "Disagree",
    "strongly_disagree": "Strongly disagree",
}
_YES_OR_NO = {"yes": "Yes", "no": "No"}
_OF_2019 = {  # what we call it: the number of the question, and the question
    "happy": ("1", "My child is happy at this school."),
    "safe": ("2", "My child feels safe at this school."),
    "behaviour": ("3", "The school makes sure its pupils are well behaved."),
    "bullying": (
        "4",
        "My child has been bullied and the school dealt with the bullying quickly and effectively.",
    ),
    "concerns": ("6", "When I have raised concerns with the school they have been dealt with properly."),
    "special_needs": ("7b", "My child has SEND, and the school gives them the support they need to succeed."),
    "expectations": ("8", "The school has high expectations for my child."),
    "does_well": ("9", "My child does well at this school."),
    "progress_told": ("10", "The school lets me know how my child is doing."),
    "development": ("13", "The school supports my child's wider personal development."),
    "recommend": ("14", "I would recommend this school to another parent."),
}
_OF_2025 = {  # the question as one program has it, and the words by which it is known
    "happy": ("1. My child is happy at this school", "child is happy"),
    "safe": ("2. My child feels safe at this school", "child feels safe"),
    "behaviour": ("3. The school makes sure its pupils are well behaved", "pupils are well behaved"),
    "bullying": (
        "4. My child has been bullied at this school. When the bullying took place, the school dealt with "
        "it quickly "
        "and effectively",
        "bullying … quickly and effectively",
    ),
    "special_needs": (
        "5. My child has Special Educational Needs and/or Disabilities. The school gives them the support "
        "they "
        "need to succeed",
        "support they need to succeed",
    ),
    "communication": (
        "6. The school communicates well with me about the things I need to know",
        "communicates well with me",
    ),
    "concerns": (
        "7. When I have raised concerns with the school they have been dealt with properly",
        "raised concerns … dealt with properly",
    ),
    "best_interests": (
        "8. When the school makes decisions, it has the child's best interests at heart",
        "best interests at heart",
    ),
    "learning": (
        "9. The school gives my child the right support to enable them to learn well",
        "right support … learn well",
    ),
    "recommend": ("10. Would you recommend this school to another parent?", "recommend this school"),
}


def _parent_view(
    name: str,
    unit: str,
    spellings: dict[str, tuple[str, ...]],
    *,
    rate: bool = False,
    unsure: tuple[str, ...] = (),
    years: tuple[str, ...] = (),
) -> Layout:
    """A release of Parent View: `spellings` are each question's headers with {} for the answer, `unit` that
    of all shares.
    """
    columns = [
        key_column("urn", "URN"),
        column("name", "text", "School Name"),
        column("local_authority", "text", "Local Authority"),
        column("phase", "text", "Ofsted Phase or Type of Education"),
        column("submissions", "count", "Submissions", required=True),
        *([column("share_responding", unit, "Response Rate")] if rate else []),
    ]
    sums = {}
    for asked, forms in spellings.items():
        answers = _YES_OR_NO if asked == "recommend" else _AGREE
        columns += [
            column(
                f"{asked}_{answer}",
                unit,
                *(form.format(words) for form in forms),
                required=asked not in unsure,
            )
            for answer, words in answers.items()
        ]
        half = len(answers) // 2
        for way, parts in (("agree", tuple(answers)[:half]), ("disagree", tuple(answers)[half:])):
            sums[f"share_{way}_{asked}"] = tuple(f"{asked}_{answer}" for answer in parts)
    return Layout(name, {"parent_view": tuple(columns)}, dated="published", sums=sums, years=years)


PARENT_VIEW = (
    _parent_view(
        "Ofsted Parent View, questions of 2019 in full",
        "percent",
        # The CSV leaves “quickly and” out, and has no question 7.
        {
            asked: tuple(
                f"Q{number}. {words} {{}}"
                for words in dict.fromkeys((question.replace("quickly and ", ""), question))
            )
            for asked, (number, question) in _OF_2019.items()
            if asked != "special_needs"
        },
        years=("2019-09-03", "2025-11-09"),
    ),
    _parent_view(
        "Ofsted Parent View, questions of 2019 by number, shares of one",
        "share",
        {asked: (f"Q{number} {{}}",) for asked, (number, _) in _OF_2019.items()},
        years=("2019-09-03", "2025-11-09"),
    ),
    _parent_view(
        "Ofsted Parent View, questions of 2019 by number, per cent",
        "percent",
        {asked: (f"Q{number} {{}} %",) for asked, (number, _) in _OF_2019.items()},
        rate=True,
        unsure=("special_needs",),
        years=("2019-09-03", "2025-11-09"),
    ),
    _parent_view(
        "Ofsted Parent View, questions of November 2025",
        "percent",
        {
            asked: (f"Q{question}: {{}} %", f"Q… {words} …: {{}} %")
            for asked, (question, words) in _OF_2025.items()
        },
        rate=True,
        unsure=("special_needs",),
        years=("2025-11-10", "2099-12-31"),
    ),
)
