"""A made-up bank that asks before each contact: it makes those that were granted, and its verdicts depend on no speed."""

from cluster import BANK

OURS = ("resolved", "identity.changes", "diffs", "stages", "opportunities", "decisions")
VERDICTS = "SELECT request_id, verdict, reason, rule_id, planned_at FROM tutti.fct_contact_decisions ORDER BY 1"
SENT = """SELECT count(*) FILTER (WHERE d.verdict = 'grant'), count(*) FILTER (WHERE d.verdict IS DISTINCT FROM 'grant')
          FROM journey.facts f JOIN journey.shapes s USING (shape) LEFT JOIN tutti.fct_contact_decisions d ON d.request_id::text = f.decision_id
          WHERE s.event = 'Contact Sent'"""


def play(world):
    """The counts that the command tells."""
    world.start()
    topics = [f"--topic.{short}={world.topic(short)}" for short in OURS]
    what = ("--profile", "bank", "--people", 120, "--events", 1500, "--seed", 7, "--epoch", "2026-01-01T00:00:00Z")
    loop = ("--produce", "--topic", world.topic("touchpoints"), "--obey", "--group-prefix", world.group(""))
    told = world.tool("generate", *what, *loop, *topics).stderr
    world.settle()
    return [int(word) for word in told.replace(";", "").replace(",", "").split() if word.isdigit()]


def test_it_sends_what_was_granted(make_world, stack):
    first, second = (make_world(stack, name, policies=BANK) for name in ("loop-a", "loop-b"))
    sent, requests, granted, obeyed, withheld, sins = play(first)[-6:]
    assert requests > 50 and granted > 10 and obeyed > 5 and withheld > 5, (requests, granted, obeyed, withheld)
    made, made_anyway = first.query(SENT)[0]
    assert made <= obeyed and made_anyway <= sins, "repeats of a touchpoint are in the counts, and not in the table"
    assert play(second)[-6:] == [sent, requests, granted, obeyed, withheld, sins]
    assert first.query(VERDICTS) == second.query(VERDICTS)
    first.stop()
    second.stop()
