"""The oracle of `tutti journey after`, on paths that can be followed by hand."""

import paths
from policy import DAY, instant

AS_OF = instant("2026-03-01T00:00:00Z")
# Ann searches, looks at two pages and orders; the next day she searches and nothing follows. Ben searches and opens a mail two days later.
STORY = [
    ("ann", "2026-01-01T10:00:00", 2, "search:google"),
    ("ann", "2026-01-01T10:01:00", 2, "web:page"),
    ("ann", "2026-01-01T10:05:00", 2, "web:page"),
    ("ann", "2026-01-01T10:05:00", 3, "(conversion)"),
    ("ann", "2026-01-02T10:05:00", 2, "search:google"),
    ("ben", "2026-01-05T09:00:00", 2, "search:google"),
    ("ben", "2026-01-07T09:00:00", 2, "email:Email Opened"),
    ("ben", "2026-01-07T09:00:00", 1, None),
]
TOUCHPOINTS = [
    {"profile_id": who, "occurred_at": instant(time), "occurred_date": instant(time) // DAY, "instant_rank": rank, "touchpoint_id": i, "node": node}
    for i, (who, time, rank, node) in enumerate(STORY)
]
INSIDE = {"valid_from_at": instant("2026-01-01T10:05:00Z"), "valid_to_at": instant("2026-01-02T10:05:00Z")}
MEMBERSHIPS = [{"segment_id": "buyers", "profile_id": "ann", **INSIDE}]


def after(node, steps, **more):
    rows = paths.after(TOUCHPOINTS, MEMBERSHIPS, node, steps, **{"as_of": AS_OF, **more})
    return [(row["step"], row["touch"], row["customers"], row["occurrences"], row["share_percent"], row["median_seconds"]) for row in rows]


def test_within_a_day():
    assert after("search:google", [1, 2], within=DAY) == [
        (0, "search:google", 2, 3, "100.0", None),
        (1, "web:page", 1, 1, "33.3", 60),
        (1, "(end)", 2, 2, "66.7", None),
        (2, "web:page", 1, 1, "33.3", 240),
        (2, "(end)", 2, 2, "66.7", None),
    ]


def test_open_as_long_as_the_time_is_not_over():
    assert after("search:google", [1], first=instant("2026-01-02") // DAY) == [
        (0, "search:google", 2, 2, "100.0", None),
        (1, "email:Email Opened", 1, 1, "50.0", 172800),
        (1, "(open)", 1, 1, "50.0", None),
    ]


def test_the_beginnings_of_journeys_and_the_fourth_touch():
    assert after("(start)", [1]) == [(0, "(start)", 2, 2, "100.0", None), (1, "search:google", 2, 2, "100.0", None)]
    assert after("(start)", [4], within=DAY)[1:] == [(4, "(conversion)", 1, 1, "50.0", 0), (4, "(end)", 1, 1, "50.0", None)]


def test_members_at_the_start_only():
    assert after("(conversion)", [1], segment="buyers")[0] == (0, "(conversion)", 1, 1, "100.0", None)
    assert after("search:google", [1], segment="buyers") == []


def test_others():
    assert after("web:page", [1], kinds=1) == [
        (0, "web:page", 1, 2, "100.0", None),
        (1, "(conversion)", 1, 1, "50.0", 0),
        (1, "(others)", 1, 1, "50.0", 240),
    ]
