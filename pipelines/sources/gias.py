"""Get Information about Schools, and files derived from it: registers, links, groups, heads, places."""

from headway.pipelines.sources.layout import Layout, column, key_column
from headway.pipelines.sources.ofsted import REGION_WORDS

GIAS = (
    Layout(
        "GIAS all data",
        {
            "schools": (
                key_column("urn", "URN"),
                column("la_code", "key", "LA (code)"),
                column("local_authority", "text", "LA (name)"),
                column("establishment_number", "key", "EstablishmentNumber", required=True),
                column("name", "text", "EstablishmentName", required=True),
                column("type", "text", "TypeOfEstablishment (name)"),
                column("type_group", "text", "EstablishmentTypeGroup (name)"),
                column("phase", "text", "PhaseOfEducation (name)"),
                column("status", "text", "EstablishmentStatus (name)", required=True),
                column("reason_opened", "text", "ReasonEstablishmentOpened (name)"),
                column("opened_on", "date", "OpenDate"),
                column("reason_closed", "text", "ReasonEstablishmentClosed (name)"),
                column("closed_on", "date", "CloseDate"),
                column("low_age", "number", "StatutoryLowAge"),
                column("high_age", "number", "StatutoryHighAge"),
                column("gender", "text", "Gender (name)"),
                column("religion", "text", "ReligiousCharacter (name)"),
                column("admissions", "text", "AdmissionsPolicy (name)"),
                column("has_sixth_form", "text", "OfficialSixthForm (name)"),
                column("capacity", "count", "SchoolCapacity"),
                column("pupils", "count", "NumberOfPupils"),
                column("trust_uid", "key", "Trusts (code)"),
                column("trust_name", "text", "Trusts (name)"),
                column("region", "word", "GOR (name)", words=REGION_WORDS),
                column("urban_rural", "text", "UrbanRural (name)"),
                column("postcode", "text", "Postcode"),
                column("easting", "number", "Easting"),
                column("northing", "number", "Northing"),
            )
        },
        every_school=True,
    ),
    Layout(
        "GIAS links between URNs",
        {
            "links": (
                key_column("urn", "URN"),
                column("linked_urn", "key", "LinkURN", required=True),
                column("linked_name", "text", "LinkName"),
                column("link_type", "text", "LinkType", required=True),
                column("linked_on", "date", "LinkEstablishedDate"),
            )
        },
        dated="content",
        repeats=True,
    ),
    Layout(
        "GIAS links between schools and groups",  # every academy's trust that day: one left out is in none
        {
            "memberships": (
                key_column("urn", "URN"),
                column("trust_uid", "key", "Linked UID", "Group UID", required=True),
                column("trust_name", "text", "Group Name", required=True),
                column("group_type", "text", "Group Type", required=True),
                column("joined_on", "date", "Joined date", required=True),
                column("type", "text", "TypeOfEstablishment (name)"),
            )
        },
        repeats=True,
    ),
    Layout(
        "Head-teacher changes of academies, from dated GIAS extracts (no names)",
        {
            "head_changes": (
                key_column("urn", "URN"),
                column("seen_on", "date", "prev_snapshot", required=True),
                column("changed_by", "date", "snapshot", required=True),
                column("head_changed", "number", "head_changed", required=True),
            )
        },
        dated="content",
        repeats=True,
    ),
    Layout(
        "Coordinates of schools",
        {
            "places": (
                key_column("urn", "URN"),
                column("latitude", "number", "LATITUDE", required=True),
                column("longitude", "number", "LONGITUDE", required=True),
            )
        },
        dated="content",
    ),
)
