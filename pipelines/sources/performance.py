"""The Department's performance tables: results, absence, census, workforce and trusts, by school."""

from headway.pipelines.sources.layout import Layout, column, key_column, needed

_LA = column("la_code", "key", "LA", "LEA", "LA Number")
_ESTAB = column("establishment_number", "key", "ESTAB", "Establishment Number")
_TOTALS = ("NAT", "LA", "ENG")

# Every column of shares in the Department's files is per cent. Seen: in the census a % sign in 2021 and from
# 2023, none in
# 2011-2019 and 2022 (the guide to 2016 says PCT1, to 2019 99.9; 100 times the counts beside them, in every
# year); in absence never a sign (the guide says PCT); in results always one. By public code that reads the
# official files: the supporting workbook, and the percentages of Explore Education Statistics. Of `rate` and
# `temprate` only the publication's own tables, which call a rate of 0.5 half a per cent of posts: small
# figures are the rule there.

_AT_11 = (
    key_column("urn", "URN"),
    column("record_type", "key", "RECTYPE", required=True),
    column("pupils_at_11", "count", "TELIG"),
    column("share_expected_standard", "percent", "PTRWM_EXP"),
    column("share_expected_standard_disadvantaged", "percent", "PTRWM_EXP_FSM6CLA1A"),
    column("share_higher_standard", "percent", "PTRWM_HIGH"),
    column("reading_score", "number", "READ_AVERAGE"),
    column("maths_score", "number", "MAT_AVERAGE"),
    column("grammar_score", "number", "GPS_AVERAGE"),
)
_PROGRESS_TO_11 = (
    column("reading_progress", "number", "READPROG", required=True),
    column("writing_progress", "number", "WRITPROG"),
    column("maths_progress", "number", "MATPROG", required=True),
)
# The two years before stand beside a year's results, under the same headers with the year: `PTRWM_EXP_24` is
# 2023/24's.
_EARLIER_AT_11 = {
    f"results:{year}": tuple(
        column(name, kind, f"{header}_{year % 100}")
        for name, kind, header in (
            ("share_expected_standard", "percent", "PTRWM_EXP"),
            ("share_higher_standard", "percent", "PTRWM_HIGH"),
            ("reading_score", "number", "READ_AVERAGE"),
            ("maths_score", "number", "MAT_AVERAGE"),
            ("grammar_score", "number", "GPS_AVERAGE"),
        )
    )
    for year in range(2023, 2041)
}
_AT_16 = (
    key_column("urn", "URN"),
    column("record_type", "key", "RECTYPE", required=True),
    column("pupils_at_16", "count", "TPUP"),
    column("attainment_8", "number", "ATT8SCR", required=True),
    column("attainment_8_disadvantaged", "number", "ATT8SCR_FSM6CLA1A"),
    column("share_basics_95", "percent", "PTL2BASICS_95"),
    column("share_basics_94", "percent", "PTL2BASICS_94"),
    column("share_ebacc_entered", "percent", "PTEBACC_E_PTQ_EE"),
    column("ebacc_points", "number", "EBACCAPS"),
    column("school_kind", "text", "NFTYPE"),
)

TABLES = (
    Layout(
        "Performance tables: census of pupils",
        {
            "census": (
                key_column("urn", "URN"),
                _LA,
                _ESTAB,
                column("laestab", "key", "LAESTAB"),
                column("school_type", "text", "SCHOOLTYPE"),
                column("pupils", "count", "NOR", "TOTPUPSENDN", required=True),
                column("share_girls", "percent", "PNORG"),
                column("share_ehcp", "percent", "PSENELSE", "PTOTSENST"),
                # To 2014 the same need was split in two steps of action; 2012 gives statements and the second
                # as one.
                column("share_sen_support", "percent", "PSENELK"),
                column("share_school_action", "percent", "PSENA"),
                column("share_school_action_plus", "percent", "PSENSAP"),
                column("share_eal", "percent", "PNUMEAL", required=True),
                column("share_fsm", "percent", "PNUMFSM"),
                column("pupils_fsm", "count", "NUMFSM"),
                column("share_fsm_ever", "percent", "PNUMFSMEVER"),
            )
        },
        dated="tables",
        public=(1, 31, 1),
        summary=_TOTALS,
        # in the census from 2019; one of 2025 has 104.17%
        not_needed={"school_type": ("independent school",)},
    ),
    Layout(
        "Performance tables: absence of pupils",
        {
            "absence": (
                key_column("urn", "URN"),
                _LA,
                _ESTAB,
                column("share_absence", "percent", "PERCTOT", required=True),
                # The line moved: 15% of sessions to 2015, 10% from 2016. Kept apart.
                column("share_persistent_absence_15", "percent", "PPERSABS15"),
                column("share_persistent_absence_10", "percent", "PPERSABS10"),
            )
        },
        dated="tables",
        public=(4, 30, 1),  # a full year's absence comes out in March
        summary=_TOTALS,
    ),
    Layout(
        "Performance tables: school workforce",
        {
            "workforce": (
                key_column("urn", "URN"),
                _LA,
                _ESTAB,
                column("school_phase", "text", "School Phase"),
                column(
                    "teachers_headcount",
                    "count",
                    "Total Number of Teachers (Headcount)",
                    "NTEA",
                    required=True,
                ),
                column(
                    "assistants_headcount",
                    "count",
                    "Total Number of Teaching Assistants (Headcount)",
                    "NTEAAS",
                ),
                column(
                    "support_headcount",
                    "count",
                    (
                        "Total Number of Non Classroom-based School Support Staff, Excluding Auxiliary Staff "
                        "(Headcount)"
                    ),
                    "Total Number of Non Classroom-based School Support Staff, Exclud",
                    "NNONTEA",
                ),
                column(
                    "teachers_fte",
                    "number",
                    "Total Number of Teachers (Full-Time Equivalent)",
                    "NFTETEA",
                    required=True,
                ),
                column(
                    "assistants_fte",
                    "number",
                    "Total Number of Teaching Assistants (Full-Time Equivalent)",
                    "NFTETEAAS",
                ),
                column(
                    "support_fte",
                    "number",
                    "Total Number of Non Classroom-based School Support Staff, Excluding Auxiliary Staff "
                    "(Full-Time Equivalent)",
                    "Total Number of Non Classroom-based School Support Staff, Exclu1",
                    "NFTENONTEA",
                ),
                column("pupils_per_teacher", "number", "Pupil: Teacher Ratio", "RATPUPTEA"),
                column(
                    "mean_salary",
                    "money",
                    "Mean Gross FTE Salary of All Teachers (£s)",
                    "Mean Gross FTE Salary of All Teachers",
                    "SALARY",
                ),
            )
        },
        dated="tables",
        public=(1, 31, 1),
        summary=_TOTALS,
    ),
    Layout(
        "School workforce tables (supporting workbook)",
        {
            "workforce": (
                key_column("urn", "URN"),
                column("laestab", "key", "LAEstab"),
                column("la_code", "key", "LA Number"),
                column("establishment_number", "key", "Establishment Number"),
                column("school_phase", "text", "School Phase"),
                column("teachers_headcount", "count", "Total Number of Teachers (Headcount)", required=True),
                column(
                    "classroom_teachers_headcount", "count", "Total Number of Classroom Teachers (Headcount)"
                ),
                column(
                    "leaders_headcount",
                    "count",
                    "Total Number of Teachers in the Leadership Group (Headcount)",
                    required=True,
                ),
                column(
                    "leaders_fte",
                    "number",
                    "Total Number of Teachers in the Leadership Group (Full-time Equivalent)",
                ),
                # It has the headers that the performance tables took from it, so it must read them to be told
                # from those.
                column("teachers_fte", "number", "Total Number of Teachers (Full-Time Equivalent)"),
                column("assistants_headcount", "count", "Total Number of Teaching Assistants (Headcount)"),
                column(
                    "assistants_fte", "number", "Total Number of Teaching Assistants (Full-Time Equivalent)"
                ),
                column(
                    "support_headcount",
                    "count",
                    (
                        "Total Number of Non Classroom-based School Support Staff, Excluding Auxiliary Staff "
                        "(Headcount)"
                    ),
                ),
                column(
                    "support_fte",
                    "number",
                    "Total Number of Non Classroom-based School Support Staff, Excluding Auxiliary Staff "
                    "(Full-Time Equivalent)",
                ),
                column(
                    "share_part_time", "percent", "Percentage of All Teaching Staff who Work Part-time (%)"
                ),
                column("share_aged_50_or_over", "percent", "Teachers Aged 50 or over (%) (Headcount)"),
                column(
                    "share_qualified", "percent", "Teachers with Qualified Teacher Status (%) (Headcount)"
                ),
                column(
                    "pupils_per_teacher",
                    "number",
                    "Pupil: Teacher Ratio (Full-Time Equivalent of qualified and unqualified teachers)",
                ),
                column("mean_salary", "money", "Mean Gross Salary of All Teachers (£)"),
                column("share_on_leadership_pay", "percent", "All Teachers on the Leadership Pay Range (%)"),
                column("vacant_posts", "number", "Number of Vacant Teacher Posts"),
                column("temporarily_filled_posts", "number", "Number of Temporarily Filled Teacher Posts"),
            )
        },
        dated="tables",
        public=(6, 30, 1),
        summary=_TOTALS,
    ),
    Layout(
        "Performance tables: key stage 2, with progress",
        {"results": (*_AT_11, *_PROGRESS_TO_11), **_EARLIER_AT_11},
        dated="tables",
        public=(1, 31, 1),
        only={"record_type": ("1", "2")},  # mainstream and special schools; the rest are totals
    ),
    Layout(
        # 2023/24 and 2024/25: those pupils had no baseline
        "Performance tables: key stage 2, attainment alone",
        {
            "results": needed(_AT_11, "share_expected_standard", "reading_score", "maths_score"),
            **_EARLIER_AT_11,
        },
        dated="tables",
        public=(1, 31, 1),
        only={"record_type": ("1", "2")},
    ),
    Layout(
        "Performance tables: key stage 4, with Progress 8",
        {"results": (*_AT_16, column("progress_8", "number", "P8MEA", required=True))},
        dated="tables",
        public=(1, 31, 1),
        only={"record_type": ("1", "2")},
    ),
    Layout(
        # 2024/25 and 2025/26: no baseline either. `P8MEA_PREV` repeats 2023/24 and is left to that year's own
        # file.
        "Performance tables: key stage 4, attainment alone",
        {"results": _AT_16},
        dated="tables",
        public=(1, 31, 1),
        only={"record_type": ("1", "2")},
    ),
    Layout(
        "Performance tables: school information",
        {
            "schools": (
                key_column("urn", "URN"),
                column("laestab", "key", "LAESTAB"),
                column("la_code", "key", "LA"),
                column("establishment_number", "key", "ESTAB"),
                column("name", "text", "SCHNAME"),
                column("local_authority", "text", "LANAME"),
                column("postcode", "text", "POSTCODE"),
                column("status", "text", "SCHSTATUS", required=True),
                column("opened_on", "date", "OPENDATE"),
                column("closed_on", "date", "CLOSEDATE"),
                column("type_group", "text", "MINORGROUP", required=True),
                column("type", "text", "SCHOOLTYPE"),
                column("is_primary", "number", "ISPRIMARY"),
                column("is_secondary", "number", "ISSECONDARY"),
                column("low_age", "number", "AGELOW"),
                column("high_age", "number", "AGEHIGH"),
                column("gender", "text", "GENDER"),
                column("religion", "text", "RELCHAR"),
                column("admissions", "text", "ADMPOL"),
            ),
            # The date is of the latest visit of any kind, the grade of the last graded one: see ingest.
            "register": (
                column("overall", "grade", "OFSTEDRATING"),
                column("ended_on", "date", "OFSTEDLASTINSP"),
            ),
        },
        dated="content",
        every_school=True,
    ),
    Layout(
        "Performance tables: Ofsted outcomes by school",
        {
            "schools": (
                key_column("urn", "URN"),
                column("name", "text", "School name", required=True),
                column("phase", "text", "Ofsted phase", required=True),
            ),
            # Here too the date, and its report's, are of the latest visit of any kind.
            "register": (
                column("overall", "grade", "Overall effectiveness", required=True),
                column("ended_on", "date", "Inspection date", required=True),
                column("published_on", "date", "Publication date", required=True),
                column("report_link", "text", "REPORURL", required=True),
            ),
        },
        every_school=True,
    ),
    Layout(
        "Performance tables: multi-academy trusts",
        {
            "trusts": (
                column("trust_uid", "key", "TRUST_UID", "UID", required=True),
                column("trust_name", "text", "TRUST_NAME", "GROUP-NAME", "CHAINNAME", required=True),
                column("member_urns", "text", "INSTITUTIONS_INMAT", "SCHOOL-URNS", required=True),
                column("group_type", "text", "TRUST_GROUP_TYPE", "GROUP-TYPE", required=True),
                # The trust's own measures, against the country: 0 is what pupils like its own make elsewhere.
                column(
                    "reading_progress",
                    "number",
                    "READ_PROGSCORE_EM_ADJ_WGTAVG",
                    "READPROGSCORE_P_ADJUSTED_WGTAVG",
                    "MAT-PROG-READ-SCORE",
                ),
                column(
                    "writing_progress",
                    "number",
                    "WRIT_PROGSCORE_EM_ADJ_WGTAVG",
                    "WRITPROGSCORE_P_ADJUSTED_WGTAVG",
                    "MAT-PROG-WRITE-SCORE",
                ),
                column(
                    "maths_progress",
                    "number",
                    "MAT_PROGSCORE_EM_ADJ_WGTAVG",
                    "MATPROGSCORE_P_ADJUSTED_WGTAVG",
                    "MAT-PROG-MATH-SCORE",
                ),
                column("share_expected_standard", "percent", "PRWM_EXP_WGTAVG"),
                column("progress_8", "number", "P8MEA_WGTAVG", "P8SCORE_ADJ_WGTAVG", "MAT-PROG8-SCORE"),
                column("attainment_8", "number", "ATT8SCR_WGTAVG"),
            )
        },
        dated="tables",
        public=(2, 28, 1),
        repeats=True,
    ),
)
