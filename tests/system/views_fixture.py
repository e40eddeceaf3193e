"""Fills the services' tables as the services would, but from the oracle's objects: so the views can be tested without services."""

import datetime
import hashlib
import json
import struct
from collections import Counter, defaultdict

import contact
from attribution import conversions, reversals_of, unidentified_conversions
from filters import matches as matches_filter
from funnel import Funnel
from goals import Counting, Goals, matches, measure, money_without_order, order_event, reaches
from influence import Influence
from journey import Journey
from journey_map import JourneyMap
from opportunities import opportunities, opportunity_id
from orders import taking_without_order, tell_orders
from policy import YEAR, duration
from responses import Responses
from rows import cost_of, main_currency, margins, newest_with_zone, taken_back
from targets import KINDS, first_day
from traits import chosen, observation, shown, trend

ABSENT = -(2**63)
STAGES = ["inquiry", "consideration", "purchase", "onboarding", "retention", "loyalty", "advocacy"]
STATUSES = ["active", "at_risk", "lapsed", "won_back"]
MODELS = ["first_touch", "last_touch", "linear"]
REASONS = ["rule", "inactivity", "exit"]
NODES = {"(start)": 0, "(exit)": 0}


def code(names, name):
    return 0 if name is None else names.index(name) + 1


def short(identifier):
    return int.from_bytes(identifier[:8], "big", signed=True)


def uuid(identifier):
    return identifier.hex()


def micros(value):
    return ABSENT if value is None else value


def stored_consent(raw):
    """A consent map as suppression stores it."""
    def escaped(word):
        return "".join(f"%{ord(c):02X}" if c <= " " or c in "%\x7f" else c for c in word)

    return " ".join(("+" if value else "-") + escaped(word) for word, value in contact.consent_map(raw))


def halves(total):
    """A sum of 128 bits: a multiple of 2**64, and a signed rest."""
    high = (total + 2**63) >> 64
    return high, total - (high << 64)


def changes_of(zone):
    """(seconds east of UTC before the first change, times of changes, seconds from each on), of the years of the tests."""
    def offset(hour):
        return int((START + datetime.timedelta(hours=hour)).astimezone(zone).utcoffset().total_seconds())

    hours, found, before = range(0, 20 * 8766, 24), [], offset(0)
    for day in hours:
        if offset(day + 24) != offset(day):
            hour = next(hour for hour in range(day, day + 25) if offset(hour) != offset(day))
            found.append((START + datetime.timedelta(hours=hour), offset(hour)))
    return before, [time for time, _ in found], [seconds for _, seconds in found]


START = datetime.datetime(2014, 1, 1, tzinfo=datetime.timezone.utc)


class Fixture:
    """Collects the rows of all tables from an oracle; `write` puts them into a database."""

    def __init__(self, oracle, random):
        self.oracle, self.policies, self.random = oracle, oracle.policies, random
        self.codes, self.shapes, self.zones = {}, {}, {}
        self.tables = defaultdict(list)
        self.cells = defaultdict(lambda: [0] * 8)
        self.map, self.responses, self.funnel = JourneyMap(self.policies), Responses(self.policies), Funnel(self.policies)
        self.paths = Influence(self.policies)
        self.profiles = list(oracle.profiles())
        self.identity()
        for profile, timeline, *_ in self.profiles:
            self.profile(profile, timeline)
        self.unidentified()
        self.ledger()
        self.steps()
        self.response_cells()
        self.funnel_cells()
        self.path_cells()

    def intern(self, text):
        return 0 if text is None else self.codes.setdefault(text, len(self.codes) + 1)

    def zone(self, zone):
        return None if zone is None else self.zones.setdefault(zone, len(self.zones) + 1)

    def identity(self):
        identity, types = self.oracle.identity, self.policies.identity["types"]
        ranks = {entry["type"]: entry["rank"] for entry in types}
        self.tables["identity.types"] = [(entry["rank"], entry["type"], bool(entry.get("unique"))) for entry in types]
        for identifier, profile in identity.profile.items():
            kind, first = identity.kinds[identifier], identity.first_seen[identifier]
            is_shared = identity.is_shared(profile)
            self.tables["identity.identifiers"].append((uuid(identifier), uuid(profile), first, int(is_shared), ranks[kind], is_shared))
            self.tables["journey.anchors"].append((short(identifier), short(profile), int(is_shared), uuid(identifier), uuid(profile)))
        for (one, two), (is_indirect, time, evidence) in identity.links.items():
            code = RULES.index(identity.refused_by[one, two])
            self.tables["identity.links"].append((uuid(one), uuid(two), time, uuid(evidence), is_indirect, code))

    def fact(self, t):
        self.tables["journey.facts"].append(
            (t.short_anchor, t.occurred_at, uuid(t.event_id), self.shape(t), t.received_at, t.value, t.margin, t.cost, t.score, self.zone(t.zone),
             t.message_id, t.order_id, t.content_id, t.product_id, t.location_id, t.agent_id, None, t.case_id, t.opportunity_id and t.opportunity_id.hex()))
        if t.is_elsewhere:
            self.tables["journey.sale_copies"].append((t.short_anchor, t.occurred_at, uuid(t.event_id), t.rank))

    def ledger(self):
        """What touchpoints say, under every identifier: copies, where the identifier is not the anchor. And the contacts."""
        self.tables["suppression.anchors"] = self.tables["journey.anchors"]
        found = {}
        for (at, event_id, anchor), (identifiers, raw, received_at) in self.oracle.consents.heard.items():
            for identifier in identifiers:
                is_copy = identifier != anchor
                flags = 4 if is_copy else 0 if contact.is_said(raw) else 8
                found[short(identifier), at, uuid(event_id)] = [
                    6, flags, contact.event_of(raw), raw["channel"], None if is_copy else raw["source"], received_at if received_at < at else None,
                    stored_consent(raw), None, None, None]
        for anchor, facts in self.oracle.pressure.facts.items():
            for fact in facts.values():
                row = found.setdefault((short(anchor), fact.at, uuid(fact.event_id)), [6, 0, "", fact.channel, None, None, None, None, None, None])
                row[0], row[-3:] = fact.kind, [fact.department or None, fact.contact_class or None, fact.priority]
        self.tables["suppression.facts"] = [(*key, *row) for key, row in found.items()]

    def unidentified(self):
        for touchpoint in self.oracle.unidentified.values():
            self.fact(touchpoint)
        for touch in self.oracle.unidentified_sales():
            day = self.policies.day(touch.occurred_at)
            if touch.is_return:
                self.unidentified_return(touch, day)
                continue
            if touch.goal_id is not None:
                self.conversion(unidentified_conversions(touch, self.policies)[0], is_counted=False)
            for goal in Goals(self.policies).touch_goals:
                if "nth" not in goal and matches(goal, touch):
                    currency, value = measure(goal, touch)
                    key = [self.intern(text) for text in (goal["id"], "(unidentified)", "(unidentified)", currency)]
                    self.add(1, day, key, [1, 0 if goal["measure"] == "count" else value])

    def unidentified_return(self, touch, day):
        touch.taking = taking_without_order(touch)
        self.reversal(touch.taking, {})
        for goal in Goals(self.policies).touch_goals:
            value = 0 if "nth" in goal else money_without_order(goal, touch.taking, self.policies)
            if value:
                key = [self.intern(text) for text in (goal["id"], "(unidentified)", "(unidentified)", touch.currency)]
                self.add(1, day, key, [0, value])

    def shape(self, touchpoint):
        """The shape's number."""
        t = touchpoint
        key = (t.source, t.type, t.event, t.channel, t.direction, t.department, t.purpose, t.contact_class, t.campaign_id,
               t.campaign_name, t.score_kind, t.currency, t.product_category, t.device_type, t.country, t.network, t.touch_kind,
               t.is_bot, t.direction, t.is_touch)
        if key not in self.shapes:
            is_return = t.event in self.policies.returns["events"]
            rules = [rule for rule in self.policies.conversions
                     if rule["event"] == t.event and t.direction == "inbound" and not is_return]
            needs_value = all(rule["value"] != "any" for rule in rules)
            self.shapes[key] = len(self.shapes) + 1
            gestures = self.policies.orchestration["gestures"]
            digest = hashlib.md5(repr(key).encode()).hexdigest()
            self.tables["journey.shapes"].append((self.shapes[key], digest, *key[:15], t.is_bot, False))
            self.tables["journey.shape_meanings"].append((
                self.shapes[key], t.network, t.touch_kind, t.direction, t.is_touch, bool(rules), needs_value, False, False, is_return,
                *(matches_filter(gestures[key], t) for key in ("case_on", "case_until"))))
        return self.shapes[key]

    def profile(self, profile, timeline):
        for t in timeline:
            self.fact(t)
        self.traits(timeline)
        if self.oracle.identity.is_shared(profile):
            return
        touches = [touchpoint for touchpoint in timeline if touchpoint.is_touch]
        tell_orders(timeline, self.policies)
        converted = conversions(timeline, self.policies)
        takings = [touch.taking for touch in timeline if touch.taking]
        journey, exit_stages = Journey(self.policies), []
        for touch in touches:
            journey.touch(touch)
            exit_stages.append(journey.stage_at(touch.occurred_at + YEAR))
        self.state(profile, timeline, touches, journey, converted, takings)
        entries = {goal["id"]: list(Counting(goal, self.policies).entries(timeline)) for goal in Goals(self.policies).touch_goals}
        counts = {goal: {entry.touch for entry in found} for goal, found in entries.items()}
        positions = Counter()
        for change in journey.changes:
            positions[change.changed_at] += 1
            self.stage_change(change, positions[change.changed_at])
        for conversion in converted:
            self.conversion(conversion, conversion.touch in counts.get(conversion.of.touch.goal_id, ()))
        for touch in timeline:
            if touch.telling and touch.goal_id is not None and touch.conversion is None:
                self.order_change(touch, touch.telling.order, 0, 0, None, (0, 0))
        for taking in takings:
            self.reversal(taking, counts)
        self.map.profile(touches, exit_stages)
        self.answers(timeline, touches)
        self.offers(timeline)
        self.funnel.profile(journey.changes)
        self.paths.profile(touches, converted, entries)
        self.goal_cells(timeline, journey.finish(), self.is_identified(profile))

    def state(self, profile, timeline, touches, journey, converted, takings):
        if not timeline:
            return
        moves = [change.changed_at for change in journey.changes if change.from_stage != change.to_stage]
        last, orders = journey.last, [touch for touch in touches if touch.is_order and not touch.is_again]
        scores = [(touchpoint.occurred_at, touchpoint.score) for touchpoint in timeline if touchpoint.score is not None]
        currency = main_currency([conversion.touch for conversion in converted if conversion.is_counted])
        told = [taking for taking in takings if not taking.is_nothing]
        if not converted and told:
            currency = told[-1].currency
        paid = [(conversion.margin, conversion.value) for conversion in converted if conversion.currency == currency]
        for taking in told:
            paid += taken_back(taking) if taking.currency == currency else []
        sums, change, cost = margins(paid), trend(scores), cost_of(touches, currency)
        zoned = newest_with_zone(timeline)
        has_facets = bool(scores) or cost is not None or zoned is not None
        header = struct.pack(
            ">BBBBBBIqqq16sqqqIIqqqqqqBqh", 6, code(STAGES, journey.stage), code(STATUSES, journey.status), bool(converted) + 2 * has_facets, 0,
            last.rank if last else 0, journey.number,
            timeline[0].occurred_at, timeline[-1].occurred_at, micros(last and last.occurred_at), last.event_id if last else bytes(16),
            short(last.anchor) if last else 0, micros(moves[-1] if moves else None),
            micros(touches[-1].occurred_at if touches else None), sum(not touch.telling.order.is_returned for touch in orders), self.intern(currency),
            *halves(sum(value or 0 for _, value in paid)), *halves(sums["margin"] or 0), *halves(sums["revenue_with_margin"] or 0),
            sums["margin"] is not None,
            micros(orders[-1].occurred_at if orders else None), scores[-1][1] if scores else -32768)
        facets = struct.pack(
            ">qhqqBhq", micros(scores[-1][0] if scores else None), -32768 if change is None else change, *halves(cost or 0), cost is not None,
            self.zone(zoned.zone) if zoned else 0, micros(zoned and zoned.occurred_at))
        assert len(header) == 141
        self.tables["journey.states"].append((short(profile), 1, 1, header + b"variable part" + facets * has_facets))

    def traits(self, timeline):
        """Of each anchor what counts; the places of a trait are numbers here."""
        for trait in self.policies.traits:
            rest, anchors = [one for one in (observation(trait, touch) for touch in timeline) if one], set()
            for place in range(len(rest), 0, -1):
                best = chosen(trait, rest)
                rest.remove(best)
                if best.touch.anchor not in anchors:
                    anchors.add(best.touch.anchor)
                    value = None if best.value is None else shown(best.value)
                    self.tables["journey.traits"].append((best.touch.short_anchor, trait["name"], place.to_bytes(4, "big"), best.touch.occurred_at, value, best.touch.source))

    def stage_change(self, change, position):
        self.tables["journey.stage_changes"].append(
            (uuid(change.id), uuid(change.touch.event_id), short(change.touch.anchor), change.journey_number, change.changed_at,
             code(STAGES, change.from_stage), code(STAGES, change.to_stage), code(STATUSES, change.from_status),
             code(STATUSES, change.to_status), code(REASONS, change.reason), change.seconds_in_stage, position))

    def packed(self, eligible):
        return b"".join(one.event_id + struct.pack(">qI", one.occurred_at, self.shape(one)) for one in eligible)

    def order_change(self, touch, order, share, value, margin, before, taking=None, excess=0, goal=None):
        """A return, or another telling of an order; order: None where no order is known."""
        of = order.conversions[0] if order and order.conversions else None
        seller, eligible = of.touch if of else touch, of.eligible if of else []
        same = [one for one in (touch, seller, order.first if order else touch) if one.currency == (taking or touch).currency]
        where = (seller.short_anchor, seller.occurred_at, uuid(seller.event_id)) if of else (None, None, None)
        self.tables["journey.order_changes"].append(
            (touch.short_anchor, touch.occurred_at, uuid(touch.event_id), self.shape(touch), taking is not None, bool(taking and taking.is_full),
             bool(taking and taking.is_repeat), *where, self.intern(goal or seller.goal_id), self.shape(seller),
             self.shape((same or [seller])[0]), share, value, margin, before[0] or 0, before[1] or 0, excess, len(eligible),
             self.packed(eligible)))

    def reversal(self, taking, counts):
        of = taking.order.conversions[0] if taking.order and taking.order.conversions else None
        event = order_event(taking.touch, self.policies)
        goal = of.touch.goal_id if of else next((rule["goal"] for rule in self.policies.conversions if rule["event"] == event), None)
        margin = None if taking.margin is None else -taking.margin
        value, excess = (-taking.taken, -taking.excess) if taking.order else (-taking.excess, 0)
        share = -1_000_000 if taking.is_full and of else 0
        self.order_change(taking.touch, taking.order, share, value, margin, taking.before, taking, excess, goal)
        is_counted = of is None or taking.touch in counts.get(goal, ())
        self.credits(reversals_of(taking, self.policies, event)[0], goal, (of.touch if of else taking.touch).department, is_counted, bool(of))

    def credits(self, conversion, goal_id, department, is_counted, asks=True):
        """is_counted: the goal counts the touch; asks: only then the credit is that of the goal."""
        touch, is_lone = conversion.touch, self.oracle.obscurity(conversion.touch) > 0
        goal = next((goal for goal in self.policies.goals if goal["id"] == goal_id and goal.get("credited")), None)
        if is_lone and goal:
            is_counted = "nth" not in goal and matches(goal, touch)
        is_left_out = 2 * (asks and goal is not None and not is_counted)
        nobody = [self.intern("(unidentified)")] * 3 + [0] if is_lone else [0] * 4
        for credit in conversion.credits:
            if credit.model not in self.policies.models:
                continue
            one = credit.touch
            where = [self.intern(text) for text in (one.channel, one.department, one.purpose, one.campaign_id)] if one else nobody
            bits = (credit.margin is not None) + is_left_out
            key = [self.intern(goal_id), code(MODELS, credit.model), *where, self.intern(department), self.intern(conversion.currency), bits]
            values = [credit.share, credit.revenue or 0, credit.margin or 0, int(one is not None), 1]
            self.add(3, self.policies.day(touch.occurred_at), key, values)

    def conversion(self, conversion, is_counted):
        """is_counted: the goal of the conversion counts its touch."""
        touch, of = conversion.touch, conversion.of.touch
        self.credits(conversion, of.goal_id, of.department, is_counted)
        if not conversion.is_counted:
            telling = touch.telling
            self.order_change(touch, telling.order, 0, telling.value or 0, telling.margin, telling.before)
            return
        self.tables["journey.conversions"].append(
            (touch.short_anchor, touch.occurred_at, uuid(touch.event_id), self.shape(touch), self.intern(touch.goal_id),
             conversion.is_first, code(STAGES, touch.stage_before), touch.value, touch.margin, len(conversion.eligible), self.packed(conversion.eligible)))

    def add(self, family, period, dims, values):
        cell = self.cells[(family, period, *dims, *[0] * (10 - len(dims)))]
        for i, value in enumerate(values):
            cell[i] += value

    def is_identified(self, profile):
        identity = self.oracle.identity
        return any(identity.is_unique(one) for one, its in identity.profile.items() if its == profile)

    def goal_cells(self, touches, changes, is_identified):
        for goal in Goals(self.policies).touch_goals:
            days = set()
            for entry in Counting(goal, self.policies).entries(touches):
                day, is_count = self.policies.day(entry.touch.occurred_at), goal["measure"] == "count"
                key = [self.intern(text) for text in (goal["id"], entry.where.department, entry.where.channel, entry.currency)]
                self.add(1, day, key, [int(entry.is_one), 0 if is_count else entry.value, int(is_count and entry.value < 0)])
                days |= {day} if entry.is_one else set()
            for number, kind in enumerate(KINDS, 1):
                if kind == "day" or kind in goal.get("windows", ()):
                    firsts = {first_day(kind, day): day for day in sorted(days, reverse=True)}
                    for day in firsts.values():
                        self.add(2, day, [self.intern(goal["id"]), 0, number], [1])
        before = None
        for change in changes:
            self.stage_cells(change)
            if change.to_status != before:
                day = self.policies.day(change.changed_at)
                self.add(5, day, [code(STATUSES, change.to_status)], [1, 1])
                if before:
                    self.add(5, day, [code(STATUSES, before)], [-1])
            before = change.to_status
        for goal in Goals(self.policies).status_goals:
            if "from_stage" in goal or goal.get("identified"):
                self.asking_goal_cells(goal, changes if is_identified or not goal.get("identified") else [])

    def asking_goal_cells(self, goal, changes):
        was_in, key = False, [code(STATUSES, goal["status"]), self.intern(goal["id"])]
        for change in changes:
            is_in = change.to_status == goal["status"] and reaches(change.to_stage, goal.get("from_stage"))
            if is_in != was_in:
                self.add(5, self.policies.day(change.changed_at), key, [1, 1] if is_in else [-1, 0])
            was_in = is_in

    def stage_cells(self, change):
        day = self.policies.day(change.changed_at)
        if change.to_stage == change.from_stage:
            return
        if change.to_stage:
            self.add(6, day, [code(STAGES, change.to_stage)], [1, 1])
        if change.from_stage:
            self.add(6, day, [code(STAGES, change.from_stage)], [-1])

    def steps(self):
        def named(text):
            return 0 if text == "(none)" else self.intern(text)

        for (month, segment, *names), values in self.map.cells.items():
            stage, one, two, from_department, to_department = names
            kinds = [NODES[kind] if kind in NODES else self.intern(kind) for kind in (one, two)]
            stage = code(STAGES, None if stage == "(none)" else stage)
            steps, wait, *buckets = values[:7]
            key = [stage, *kinds, named(from_department), named(to_department)]
            self.add(4, month, key, [steps, wait // 1000, *buckets])
            self.add(21, month, key, values[7:])
            for (*of, currency), money in self.map.money.items():
                if tuple(of) == (month, segment, *names):
                    self.add(22, month, [*key, 0, self.intern(currency)], [0, *money])

    def answers(self, timeline, touches):
        zone = self.policies.person_zone
        for touch in timeline:
            touch.person_zone = zone = touch.zone or zone
        for response in self.responses.profile(touches):
            send, answer = response.send, response.answer
            self.tables["journey.responses"].append(
                (answer.short_anchor, answer.occurred_at, uuid(answer.event_id), answer.rank, uuid(send.event_id), send.occurred_at,
                 self.shape(send), self.shape(answer), self.policies.local(answer.occurred_at, answer.person_zone).hour))

    def offers(self, timeline):
        """Steps of opportunities; no customer here is in a segment that forbids them."""
        for touch in timeline:
            touch.segments = set()
        for rule in self.policies.orchestration.get("rules", []):
            for offer in rule["offers"]:
                for one in opportunities(rule, offer, [], timeline, [set()] * len(timeline)):
                    self.steps_of(one)

    def steps_of(self, one):
        state, _, ended_by = one.end or (None, None, None)
        steps = [(1, one.trigger), *((6, touch) for touch in one.covered)]
        steps += [(STEPS[state], ended_by)] if ended_by else []
        for step, by in steps:
            self.tables["journey.opportunities"].append(
                (uuid(opportunity_id(one.rule, one.offer, one.trigger)), step, one.trigger.short_anchor, self.intern(one.rule["id"]),
                 self.intern(one.offer["id"]), by.short_anchor, by.occurred_at, uuid(by.event_id)))

    def response_cells(self):
        for (month, _, channel, department, hour, weekday, device, network), values in self.responses.cells.items():
            sends, responses, wait, answers = values
            texts = [None if text == "(none)" else text for text in (channel, department, device, network)]
            codes = [self.intern(text) for text in texts]
            self.add(20, month, [*codes[:2], hour, weekday, *codes[2:]], [sends, responses, wait // 1000, answers])

    def funnel_cells(self):
        for (month, _), stages in self.funnel.cells.items():
            for stage, values in stages.items():
                self.add(8, month, [code(STAGES, stage)], values)

    def path_cells(self):
        for (month, goal, _, one, two, currency), (steps, sends, revenue) in self.paths.cells.items():
            key = [self.intern(goal), 0, self.intern(one), self.intern(two), self.intern(currency)]
            self.add(12, month, key, [steps, revenue, sends])

    def lanes(self):
        """Every cell in up to three lanes whose values add up to it."""
        for number, values in enumerate(self.cells.values(), 1):
            rest = list(values)
            for lane in range(self.random.randrange(3)):
                part = [self.random.randint(-1000, 1000) for _ in values]
                rest = [one - two for one, two in zip(rest, part)]
                yield (number, lane, *part)
            yield (number, 9, *rest)

    def write_policies(self, connection, generation):
        """What `tutti policy apply` writes: the policies as they are understood."""
        said, after = self.policies, dict(self.policies.deadlines)
        times = [time and datetime.timedelta(microseconds=time) for time in (said.session, after.get("at_risk"), after["lapsed"], YEAR)]
        insert(connection, "journey.policies", "generation reporting_timezone default_timezone session at_risk_after lapsed_after journey_end stored_model"
               " first_percent last_percent half_life",
               [(generation, str(said.zone), str(said.person_zone), *times, said.stored_model, 40, 40, "P7D")])
        levels = {}
        for goal in said.goals:
            levels[goal["id"]] = levels[goal["parent"]] + 1 if "parent" in goal else 0
            insert(connection, "journey.goals", "generation goal_id parent_goal_id ladder_level unit metric is_credited status from_stage asks_identified segment_id windows",
                   [(generation, goal["id"], goal.get("parent"), levels[goal["id"]], goal.get("unit"), goal["measure"],
                     goal.get("credited", False), goal.get("status"), goal.get("from_stage"), goal.get("identified", False),
                     goal.get("segment"), " ".join(kind for kind in KINDS if kind in goal.get("windows", ())) or None)])
        for rule in said.orchestration.get("rules", []):
            insert(connection, "journey.offers", "generation rule_id offer_id product owner priority due_after expires_after cooling",
                   [(generation, rule["id"], offer["id"], offer["product"], offer["owner"], PRIORITIES.index(rule.get("priority", "normal")) + 1,
                     *(datetime.timedelta(microseconds=duration(offer.get(key, "PT0S"))) for key in ("after", "expires", "cooling")))
                    for offer in rule["offers"]])
        insert(connection, "journey.gesture_limits", "generation currency per_case_micros per_agent_month_micros",
               [(generation, limit["currency"], int(limit["per_case"]) * 1_000_000, int(limit["per_agent_month"]) * 1_000_000)
                for limit in said.orchestration["gestures"]["limits"]])
        insert(connection, "tutti_meta.goal_targets", "goal_id department period_kind from_date currency target",
               [(target["goal"], target.get("department", "(all)"), target["period"], target["from"], target.get("currency"), target["value"])
                for target in said.targets])

    def write_zones(self, connection):
        """Every second zone is an alias: its changes stand in the row of another name."""
        (zones,) = connection.execute("INSERT INTO tutti_meta.zone_sets VALUES (gen_random_uuid(), 'test') RETURNING zones").fetchone()
        for zone, code in self.zones.items():
            first, changed_at, offsets = changes_of(zone)
            alias = code + 100 if code % 2 else None
            rows = [(zones, alias or code, f"{zone}-" if alias else str(zone), None, first, changed_at, offsets)]
            rows += [(zones, code, str(zone), alias, None, None, None)] if alias else []
            connection.cursor().executemany("INSERT INTO tutti_meta.zones VALUES (%s, %s, %s, %s, %s, %s::timestamptz[], %s)", rows)
        return zones

    def write(self, connection, policies):
        generation, number = connection.execute(
            "INSERT INTO tutti_meta.generations (generation, policies, zones, is_active) VALUES (gen_random_uuid(), %s, %s, true)"
            " RETURNING generation, number", [json.dumps(policies), self.write_zones(connection)]).fetchone()
        self.write_policies(connection, generation)
        connection.execute("INSERT INTO journey.dictionary (code, value) OVERRIDING SYSTEM VALUE"
                           " SELECT * FROM unnest(%s::integer[], %s::text[])", [list(self.codes.values()), list(self.codes)])
        for table, columns in TABLES.items():
            insert(connection, table, columns, self.tables[table])
        connection.execute("UPDATE journey.states SET generation = %s", [number])
        keys = [(number, *key) for number, key in enumerate(self.cells, 1)]
        insert(connection, "metrics.cell_keys", "cell family period d0 d1 d2 d3 d4 d5 d6 d7 d8 d9", keys)
        insert(connection, "metrics.cells", "cell lane v0 v1 v2 v3 v4 v5 v6 v7", self.lanes())
        connection.execute("ANALYZE")


PRIORITIES = ["low", "normal", "high"]
STEPS = {"won": 3, "cancelled": 4, "declined": 5}
RULES = [None, "pair", "quarantine", "cut", "unique", "limit", "max_identifiers"]

# Column names; those that end in _at are given in microseconds since 1970.
TABLES = {
    "identity.types": "code type is_unique",
    "identity.identifiers": "identifier_id profile_id first_seen_at version type is_quarantined",
    "identity.links": "a b first_seen_at evidence is_indirect refused_by",
    "journey.anchors": "anchor profile version anchor_id profile_id",
    "journey.shapes": "shape hash source type event channel direction department purpose contact_class campaign_id campaign_name"
                      " score_kind currency product_category device_type country is_bot has_click_id",
    "journey.shape_meanings": "shape network touch_kind shown_direction is_touch is_goal_event needs_value is_money is_money_with_value"
                              " is_return_event opens_case ends_case",
    "journey.facts": "anchor occurred_at event_id shape received_at value_micros margin_micros cost_micros score zone message_id order_id"
                     " content_id product_id location_id agent_id decision_id case_id opportunity_id",
    "suppression.anchors": "anchor profile version anchor_id profile_id",
    "suppression.facts": "anchor occurred_at event_id kind flags event channel source received_at consent"
                         " department class priority",
    "journey.traits": "anchor trait place occurred_at value source",
    "journey.sale_copies": "anchor occurred_at event_id rank",
    "journey.states": "profile ver members payload",
    "journey.stage_changes": "stage_change_id touchpoint_id anchor journey_number changed_at from_stage to_stage from_status to_status"
                             " reason seconds_in_stage position",
    "journey.conversions": "anchor occurred_at event_id shape goal is_first stage_before value_micros margin_micros touch_count touches",
    "journey.opportunities": "opportunity_id step anchor rule offer by_anchor by_at by_event_id",
    "journey.responses": "anchor occurred_at event_id rank send_id sent_at send_shape shape local_hour",
    "journey.order_changes": "anchor occurred_at event_id shape is_return is_full is_repeat order_anchor order_at order_event_id goal"
                             " seller_shape money_shape share value_micros margin_micros value_before margin_before over_micros"
                             " touch_count touches",
}


def insert(connection, table, columns, rows):
    """One INSERT ... VALUES per row: slow and plain."""
    names = columns.split()
    more = {"journey.states": ("generation", "0"), "metrics.cells": ("updated_at", "now()")}.get(table)
    values = ", ".join("tutti_meta.from_micros(%s)" if name.endswith("_at") else "%s" for name in names)
    target = ", ".join(names + ([more[0]] if more else []))
    values += f", {more[1]}" if more else ""
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {table} ({target}) OVERRIDING SYSTEM VALUE VALUES ({values})", list(rows))

