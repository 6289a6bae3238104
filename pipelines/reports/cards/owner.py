"""What only the body that uses the tool can answer: the questions, its answers in a TOML file, and an empty
one.
"""

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from headway.pipelines.tables import DataError


@dataclass(frozen=True)
class Question:
    """A field only the owner can answer: its number and name in the record or the checklist, and what to
    write.
    """

    key: str
    number: str
    name: str
    write: str

    @property
    def code(self) -> Markup:
        return Markup(f"`{self.key}`")


RECORD = tuple(
    Question(*row)
    for row in (
        (
            "phase",
            "0.3",
            "Phase",
            "Idea, design, development, private or public beta, production, or retired.",
        ),
        ("website", "1.3", "Website URL", "The address of a public page about the tool and how you use it."),
        ("contact", "1.4", "Contact email", "An address that anyone may write to about it."),
        (
            "organisation",
            "2.1.1",
            "Organisation or department",
            "The full name of the body that uses the tool.",
        ),
        ("team", "2.1.2", "Team", "The team that is responsible for it."),
        (
            "senior_responsible_owner",
            "2.1.3",
            "Senior responsible owner",
            "The role, not the name, of who is accountable.",
        ),
        (
            "third_party",
            "2.1.4",
            "Third party involvement",
            "Yes or no: whether anyone outside runs or builds it for you.",
        ),
        ("third_party_name", "2.1.4.1", "Third party", "Who; “none” where nobody does."),
        (
            "companies_house_number",
            "2.1.4.2",
            "Companies House number",
            "Theirs; “none” where it does not apply.",
        ),
        ("third_party_role", "2.1.4.3", "Third party role", "What they do."),
        ("procurement", "2.1.4.4", "Procurement procedure type", "How they were engaged."),
        (
            "third_party_access",
            "2.1.4.5",
            "Third party data access terms",
            "What of yours they may see, and on what terms.",
        ),
        ("benefits", "2.2.2", "Benefits", "What you expect to gain, and how you will tell whether you did."),
        ("previous_process", "2.2.3", "Previous process", "How the same thing was judged before."),
        (
            "integration",
            "2.3.1",
            "Integration into broader operational process",
            "Which of your meetings or decisions it informs.",
        ),
        (
            "human_review",
            "2.3.2",
            "Human review",
            "Who looks at a figure before anything is done, and may set it aside.",
        ),
        (
            "frequency",
            "2.3.3",
            "Frequency and scale of usage",
            "How often you run it, for how many schools, read by whom.",
        ),
        ("training", "2.3.4", "Required training", "What your readers are taught first, and by whom."),
        ("appeals", "2.3.5", "Appeals and review", "How a school can question a figure about it."),
        ("maintenance", "2.4.1.4", "Maintenance", "Who trains it again, when, and who decides to stop."),
        (
            "storage",
            "2.4.3.8",
            "Data access and storage",
            "Where you keep the files, who may open them and for how long.",
        ),
        (
            "sharing",
            "2.4.3.9",
            "Data sharing agreements",
            "Agreements under which schools or trusts give you registers; or none.",
        ),
        (
            "operational_storage",
            "2.4.4.4",
            "Data access and storage",
            "Where you keep the predictions, for whom and how long.",
        ),
        (
            "operational_sharing",
            "2.4.4.5",
            "Data sharing agreements",
            "With whom you share predictions, on what terms; or nobody.",
        ),
        (
            "impact_assessments",
            "2.5.1",
            "Impact assessments",
            "Which were done (data protection, equality), when, and where.",
        ),
        (
            "risks",
            "2.5.2",
            "Risks and mitigations",
            "Risks of your own use beyond those named, and what you do about them.",
        ),
    )
)
CHECKLIST = tuple(
    Question(*row)
    for row in (
        ("ethics", "17", "Ethical approval", "The committee that approved your use, or why none was asked."),
        ("funding", "18a", "Funding", "Who pays for this use, and what say they have."),
        ("interests", "18b", "Conflicts of interest", "Of those who run it and those who read it."),
        (
            "public_involvement",
            "19",
            "Public involvement",
            "How heads, staff, parents or pupils were involved; or that none were.",
        ),
    )
)
QUESTIONS = {question.key: question for question in (*RECORD, *CHECKLIST)}


def answers(path: Path | None) -> dict[str, str]:
    """The owner's answers by key, blank ones left out; none where there is no file. Raises `DataError`, all
    at once.
    """
    if path is None:
        return {}
    try:
        held = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DataError(
            f'{path} can\'t be read as TOML ({error}).\nEach line is a key and a text: contact = "..."'
        ) from error
    problems = [f"  {key}: not a question we ask" for key in held if key not in QUESTIONS]
    problems += [
        f"  {key}: {value!r} is not a text; write it in quotes"
        for key, value in held.items()
        if key in QUESTIONS and not isinstance(value, str)
    ]
    if problems:
        known = ", ".join(QUESTIONS)
        raise DataError(
            f"{path} has answers we can't use:\n" + "\n".join(problems) + f"\nThe questions are: {known}."
        )
    return {key: value for key, value in held.items() if value.strip()}


def form(given: dict[str, str]) -> str:
    """A TOML file of every question, with the answers given so far: nothing is lost by filling it in
    again.
    """
    lines = [
        "# What only you can answer. Write between the quotes, keep this file as data/owner.toml and run",
        "# `headway cards` again.",
        "",
    ]
    for question in QUESTIONS.values():
        said = json.dumps(given.get(question.key, ""), ensure_ascii=False).replace("\x7f", "\\u007f")
        lines += [f"# {question.number} {question.name}. {question.write}", f"{question.key} = {said}", ""]
    return "\n".join(lines)
