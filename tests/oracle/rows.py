"""The rows of every public view, from profiles and their timelines."""

import functools
from collections import Counter, defaultdict

from attribution import conversions, reversals_of, unidentified_conversions
from funnel import Funnel
from gestures import Gestures
from goals import Goals, order_event
from influence import Influence
from journey import Journey
from journey_map import JourneyMap, node
from opportunities import Opportunities
from orders import taking_without_order, tell_orders
from policy import DAY, US, YEAR, month_of
from render import NIL
from responses import Responses, preferences
from segments import Life, Segments, shown_in
from stages import Stages
from targets import Targets
from traits import profile_traits, shown, trend


def main_currency(touches):
    """The one with the most conversions, of several the one with the newest; the touches are in order."""
    counts = Counter(touch.currency for touch in touches)
    newest = {touch.currency: position for position, touch in enumerate(touches)}
    return max(counts, key=lambda currency: (counts[currency], newest[currency]), default=None)


def margins(pairs, name="margin"):
    """Of (margin, revenue) the sum of both where there is a margin; null if there is none."""
    found = [(margin, revenue or 0) for margin, revenue in pairs if margin is not None]
    sums = [sum(amounts) for amounts in zip(*found)] or [None, None]
    return dict(zip((name, "revenue_with_margin"), sums))


def taken_back(taking):
    """(margin, revenue) of what a return takes from its order, and of what it takes from none."""
    margin = None if taking.margin is None else -taking.margin
    return [(margin, -taking.taken), (None, -taking.excess)] if taking.order else [(margin, -taking.excess)]


def cost_of(touches, currency):
    """The sum of the costs in a currency; null if there is none."""
    costs = [touch.cost for touch in touches if touch.cost is not None and touch.currency == currency]
    return sum(costs) if costs else None


def newest_with_zone(timeline):
    return next((touchpoint for touchpoint in reversed(timeline) if touchpoint.zone), None)


class Rows:
    """The rows of all views as dicts of raw values (ids as bytes, instants in microseconds, money in micro-units)."""

    def __init__(self, oracle, as_of):
        self.oracle, self.policies, self.as_of = oracle, oracle.policies, as_of
        self.last_day = self.policies.day(as_of)
        self.rows = defaultdict(list)
        self.map, self.goals, self.stages = JourneyMap(self.policies), Goals(self.policies), Stages(self.policies)
        self.segments, self.responses, self.funnel = Segments(self.policies), Responses(self.policies), Funnel(self.policies)
        self.influence, self.opportunities = Influence(self.policies), Opportunities(self.policies, as_of)
        self.gestures = Gestures(self.policies, as_of)
        self.credit = defaultdict(list)  # rows of fct_attributions, by the key of rpt_attributions_daily
        self.campaign_names = campaign_names(oracle.touchpoints.values())
        self.members = defaultdict(list)

    def all(self):
        timelines = list(self.oracle.profiles())
        self.identifiers()
        self.identity_links()
        for profile, timeline, repeats in timelines:
            if self.oracle.identity.is_shared(profile):
                self.shared_profile(profile, timeline)
            else:
                self.profile(profile, timeline, repeats)
                self.rows["fct_consents"] += self.oracle.consents.rows(profile, self.members[profile])
        for touch in self.oracle.unidentified_sales():
            if touch.is_return:
                touch.taking = taking_without_order(touch)
                for reversal in self.reversals(touch):
                    self.reversal(None, reversal)
            else:
                for conversion in unidentified_conversions(touch, self.policies):
                    self.conversion(None, conversion)
            self.goals.unidentified_sale(touch)
        self.attributions_daily()
        self.shared_goals()
        self.stages_daily()
        self.segments_daily()
        self.ways()
        self.journey_map()
        self.responses_by_moment()
        self.unidentified()
        self.contact_pressure()
        return self.rows

    def contact_pressure(self):
        memberships = defaultdict(list)
        for row in self.rows["fct_segment_memberships"]:
            memberships[row["profile_id"]].append(row)
        customers = {profile: members for profile, members in self.members.items() if not self.oracle.identity.is_shared(profile)}
        self.rows["rpt_contact_pressure"] += self.oracle.pressure.rows(customers, memberships, self.as_of)

    def identifiers(self):
        identity = self.oracle.identity
        for identifier, profile in identity.profile.items():
            self.members[profile].append(identifier)
            self.rows["dim_identifiers"].append(
                {
                    "identifier_id": identifier,
                    "type": identity.kinds[identifier],
                    "profile_id": profile,
                    "first_seen_at": identity.first_seen[identifier],
                    "is_quarantined": identifier in identity.quarantined,
                }
            )
            self.rows["dim_profile_aliases"].append({"profile_id": identifier, "current_profile_id": profile})

    def identity_links(self):
        identity = self.oracle.identity
        for pair in identity.links:
            is_indirect, occurred_at, touchpoint = identity.links[pair]
            self.rows["fct_identity_links"].append(
                {
                    "a": pair[0],
                    "b": pair[1],
                    "type_a": identity.kinds[pair[0]],
                    "type_b": identity.kinds[pair[1]],
                    "first_seen_at": occurred_at,
                    "evidence": touchpoint,
                    "is_indirect": is_indirect,
                    "refused_by": identity.refused_by[pair],
                }
            )

    def person_zones(self, timeline):
        """The zone of each touchpoint: its own, else the newest of the customer before it, else that of journey.json."""
        zone = self.policies.person_zone
        for touchpoint in timeline:
            touchpoint.person_zone = zone = touchpoint.zone or zone

    def shared_profile(self, profile, timeline):
        """Its touchpoints are listed, and count for nothing."""
        self.person_zones(timeline)
        self.gestures.profile(profile, timeline)
        self.rows["dim_profiles"].append({**self.dim_profile(profile, [], [], [], [], 0), "loyalty_tier": None})
        for touchpoint in timeline:
            self.rows["fct_touchpoints"].append({**self.fct_touchpoint(profile, touchpoint), "is_goal": False, "node": None})

    def profile(self, profile, timeline, repeats):
        self.person_zones(timeline)
        touches = [touchpoint for touchpoint in timeline if touchpoint.is_touch]
        tell_orders(timeline, self.policies)
        converted = conversions(timeline, self.policies)
        main = [conversion for conversion in converted if conversion.is_main]
        reversals = [reversal for touch in timeline if touch.taking for reversal in self.reversals(touch)]
        journey, exit_stages, states = Journey(self.policies), [], []
        life = Life(self.policies, timeline, states)
        for i, touch in enumerate(timeline):
            touch.segments = self.segments.before(life, i)
            if touch.is_touch:
                journey.touch(touch)
                exit_stages.append(journey.stage_at(touch.occurred_at + YEAR))
            states.append(journey.now())
        memberships = self.segments.profile(life)
        for membership in memberships:
            self.membership(profile, membership)
        lived = len(journey.changes)
        changes = journey.finish()
        row = self.dim_profile(profile, timeline, touches, main, changes, lived)
        traits = profile_traits(self.policies.traits, timeline, repeats)
        responses = self.responses.profile(touches)
        preferred = preferences(responses, self.policies)
        after = [self.segments.after(life, i) for i in range(len(timeline) if self.opportunities.rules else 0)]
        row["open_opportunity_count"] = self.opportunities.profile(profile, timeline, after)
        self.gestures.profile(profile, timeline)
        row["preferred_channel"] = preferred.get("preferred_channel", [None])[0]
        self.rows["dim_profiles"].append({**row, "loyalty_tier": self.tier(traits, memberships)})
        self.profile_traits(profile, traits, timeline, preferred)
        self.profile_values(profile, touches, main)
        self.profile_channels(profile, touches)
        self.rows["fct_touchpoints"] += [self.fct_touchpoint(profile, touchpoint) for touchpoint in timeline]
        positions = Counter()
        for change in changes:
            positions[change.changed_at] += 1
            if change.changed_at <= self.as_of:
                self.rows["fct_stage_changes"].append(stage_change(profile, change, positions[change.changed_at]))
        for conversion in converted:
            self.conversion(profile, conversion)
        for reversal in reversals:
            self.reversal(profile, reversal)
        self.map.profile(touches, exit_stages)
        for response in responses:
            self.response(profile, response)
        counted = self.goals.profile(timeline, converted + reversals, changes, memberships, self.is_identified(profile))
        self.influence.profile(touches, converted, counted)
        self.funnel.profile(changes)
        self.stages.profile(changes)

    def membership(self, profile, membership):
        if membership.start <= self.as_of:
            is_over = membership.end is not None and membership.end <= self.as_of
            self.rows["fct_segment_memberships"].append(
                {
                    "segment_id": membership.segment,
                    "profile_id": profile,
                    "valid_from_at": membership.start,
                    "valid_to_at": membership.end if is_over else None,
                    "touchpoint_id": membership.touch.event_id,
                }
            )

    def response(self, profile, response):
        send = response.send
        self.rows["fct_responses"].append(
            {
                "send_id": send.event_id,
                "response_id": response.answer.event_id,
                "profile_id": profile,
                "sent_at": send.occurred_at,
                "responded_at": response.answer.occurred_at,
                "channel": send.channel,
                "campaign_id": send.campaign_id,
                "seconds_to_response": response.waited,
            }
        )

    def dim_profile(self, profile, timeline, touches, converted, changes, lived):
        identity = self.oracle.identity
        seen = changes[:lived] + [change for change in changes[lived:] if change.changed_at <= self.as_of]
        now = seen[-1] if seen else None
        moves = [change.changed_at for change in seen if change.from_stage != change.to_stage]
        orders = [touch.telling.order for touch in touches if touch.is_order and not touch.is_again]
        takings = [touch.taking for touch in touches if touch.taking and not touch.taking.is_nothing]
        currency = main_currency([conversion.touch for conversion in converted if conversion.is_counted])
        if not converted and takings:
            currency = takings[-1].currency
        paid = [(conversion.margin, conversion.value) for conversion in converted if conversion.currency == currency]
        for taking in takings:
            if taking.currency == currency:
                paid += taken_back(taking)
        scores = [(touchpoint.occurred_at, touchpoint.score) for touchpoint in timeline if touchpoint.score is not None]
        zoned = newest_with_zone(timeline)
        return {
            "profile_id": profile,
            "first_seen_at": timeline[0].occurred_at if timeline else None,
            "last_seen_at": timeline[-1].occurred_at if timeline else None,
            "stage": now and now.to_stage,
            "status": now and now.to_status,
            "stage_since_at": moves[-1] if moves else None,
            "is_shared": identity.is_shared(profile),
            "is_identified": self.is_identified(profile),
            "identifier_count": len(self.members[profile]),
            "order_count": sum(not order.is_returned for order in orders),
            "last_order_at": orders[-1].first.occurred_at if orders else None,
            "revenue": sum(revenue or 0 for _, revenue in paid),
            **margins(paid),
            "currency": currency,
            "cost_to_serve": cost_of(touches, currency),
            "last_score": scores[-1][1] if scores else None,
            "score_trend_90d": trend(scores),
            "preferred_channel": None,
            "open_opportunity_count": 0,
            "local_timezone": str(zoned.zone) if zoned else None,
        }

    def tier(self, traits, memberships):
        """The first of the tiers whose segment the customer is in, or without tiers the trait."""
        if self.policies.tiers is None:
            return shown(traits["loyalty_tier"].value) if "loyalty_tier" in traits else None
        inside = {one.segment for one in memberships if one.start <= self.as_of and (one.end is None or one.end > self.as_of)}
        return next((entry["tier"] for entry in self.policies.tiers if entry["segment"] in inside), None)

    def profile_traits(self, profile, traits, timeline, preferred):
        for name, one in traits.items():
            self.trait(profile, name, shown(one.value), one.touch.source, one.touch.occurred_at)
        scores = [(touchpoint.occurred_at, touchpoint.score) for touchpoint in timeline if touchpoint.score is not None]
        if scores:
            self.trait(profile, "last_score", str(scores[-1][1]), "(computed)", scores[-1][0])
        if trend(scores) is not None:
            self.trait(profile, "score_trend_90d", str(trend(scores)), "(computed)", scores[-1][0])
        for name, (value, observed_at) in preferred.items():
            self.trait(profile, name, value, "(computed)", observed_at)
        zoned = newest_with_zone(timeline)
        if zoned:
            self.trait(profile, "timezone", str(zoned.zone), "(computed)", zoned.occurred_at)

    def trait(self, profile, name, value, source, observed_at):
        row = {"profile_id": profile, "trait": name, "value": value, "source": source, "observed_at": observed_at}
        self.rows["dim_profile_traits"].append(row)

    def profile_values(self, profile, touches, converted):
        takings = [touch.taking for touch in touches if touch.taking and not touch.taking.is_nothing]
        costly = {touch.currency for touch in touches if touch.cost is not None}
        for currency in costly | {one.currency for one in [*converted, *takings]}:
            found = [conversion for conversion in converted if conversion.currency == currency]
            paid = [(conversion.margin, conversion.value) for conversion in found]
            for taking in takings:
                if taking.currency == currency:
                    paid += taken_back(taking)
            self.rows["dim_profile_values"].append(
                {
                    "profile_id": profile,
                    "currency": currency,
                    "conversions": sum(conversion.is_counted for conversion in found),
                    "revenue": sum(revenue or 0 for _, revenue in paid),
                    "margin": margins(paid)["margin"],
                    "cost_to_serve": cost_of(touches, currency),
                }
            )

    def profile_channels(self, profile, touches):
        places = defaultdict(list)
        for touch in touches:
            places[touch.channel, touch.device_type].append(touch)
        for (channel, device_type), found in places.items():
            inbound = sum(touch.direction == "inbound" for touch in found)
            self.rows["dim_profile_channels"].append(
                {
                    "profile_id": profile,
                    "channel": channel,
                    "device_type": device_type,
                    "inbound_touches": inbound,
                    "outbound_touches": len(found) - inbound,
                    "first_at": found[0].occurred_at,
                    "last_at": found[-1].occurred_at,
                }
            )

    def is_identified(self, profile):
        return any(self.oracle.identity.is_unique(member) for member in self.members[profile])

    def fct_touchpoint(self, profile, touchpoint):
        local = self.policies.local(touchpoint.occurred_at, touchpoint.person_zone)
        same = (
            "occurred_at",
            "received_at",
            "source",
            "message_id",
            "direction",
            "channel",
            "network",
            "department",
            "purpose",
            "contact_class",
            "touch_kind",
            "campaign_id",
            "content_id",
            "product_id",
            "product_category",
            "location_id",
            "agent_id",
            "order_id",
            "case_id",
            "opportunity_id",
            "device_type",
            "country",
            "session_number",
            "score",
            "score_kind",
            "margin",
            "cost",
            "currency",
            "is_goal",
            "is_late",
            "is_bot",
        )
        row = {name: getattr(touchpoint, name) for name in same}
        row.update(
            touchpoint_id=touchpoint.event_id,
            profile_id=profile,
            instant_rank=touchpoint.rank,
            node=node(touchpoint) if touchpoint.is_touch else None,
            is_unasked=touchpoint.event == "Contact Sent" and touchpoint.decision not in self.oracle.requests,
            event_name=touchpoint.event,
            revenue=touchpoint.value,
            campaign_name=self.campaign_names.get(touchpoint.campaign_id),
            occurred_date=self.policies.day(touchpoint.occurred_at),
            local_hour=local.hour,
            local_weekday=local.isoweekday() % 7,
        )
        return row

    def conversion(self, profile, conversion):
        touch, of, eligible = conversion.touch, conversion.of.touch, conversion.eligible
        waited = touch.occurred_at - eligible[0].occurred_at if eligible else None
        self.rows["fct_conversions"].append(
            {
                "conversion_id": conversion.id,
                "goal_id": conversion.goal_id,
                "profile_id": profile,
                "touchpoint_id": touch.event_id,
                "converted_at": touch.occurred_at,
                "conversion_date": self.policies.day(touch.occurred_at),
                "department": of.department,
                "channel": touch.channel,
                "location_id": touch.location_id,
                "product_category": touch.product_category,
                "order_id": touch.order_id,
                "revenue": conversion.value,
                "margin": conversion.margin,
                "currency": touch.currency,
                "is_first": conversion.is_first,
                "is_counted": conversion.is_counted,
                "stage_before": of.stage_before,
                "eligible_touch_count": len(eligible),
                "days_from_first_touch": None if waited is None else (2 * waited * US + DAY) // (2 * DAY),
                "path": " > ".join(one.channel for one in eligible[-20:]) or None,
            }
        )
        if conversion.value == touch.value:  # not those of a copy, which tells them again
            self.rows["fct_conversion_lines"] += [conversion_line(conversion, line) for line in touch.lines]
        for credit in conversion.credits:
            self.attribution(profile, conversion, credit)

    def reversal(self, profile, reversal):
        touch, taking = reversal.touch, reversal.touch.taking
        same = ("department", "channel", "product_category", "order_id")
        row = {name: getattr(touch, name) for name in same}
        row.update(
            return_id=touch.event_id,
            profile_id=profile,
            returned_at=touch.occurred_at,
            return_date=self.policies.day(touch.occurred_at),
            conversion_id=reversal.of and reversal.of.id,
            goal_id=reversal.goal_id,
            returned_revenue=taking.taken,
            returned_margin=taking.margin if taking.order else None,
            unmatched_revenue=taking.excess,
            currency=taking.currency,
            is_full=taking.is_full,
            is_repeat=taking.is_repeat,
        )
        self.rows["fct_returns"].append(row)
        for credit in reversal.credits:
            self.attribution(profile, reversal, credit)

    def reversals(self, touch):
        """event: of the order of a return, or of the one it is taken for."""
        order = touch.taking.order
        event = order.first.event if order else order_event(touch, self.policies)
        return reversals_of(touch.taking, self.policies, event)

    def seller(self, conversion):
        """The touchpoint whose department sold: of the conversion, the order, or a return without one."""
        if conversion.of:
            return conversion.of.touch
        order = conversion.touch.taking.order
        return order.first if order else conversion.touch

    def attribution(self, profile, conversion, credit):
        touch, credited = conversion.touch, credit.touch
        row = {
            "conversion_id": conversion.id,
            "model": credit.model,
            "goal_id": conversion.goal_id,
            "profile_id": profile,
            "converted_at": touch.occurred_at,
            "touch_position": credit.position,
            "path_length": len(conversion.eligible) if credited else 0,
            "conversion_department": self.seller(conversion).department,
            "credit": credit.share,
            "attributed_revenue": credit.revenue,
            "attributed_margin": credit.margin,
            "currency": conversion.currency,
            "touchpoint_id": credited.event_id if credited else NIL,
            "touched_at": credited and credited.occurred_at,
            "seconds_before": credited and (touch.occurred_at - credited.occurred_at) // US,
            "touch_channel": credited.channel if credited else no_channel(profile),
            "touch_department": credited and credited.department,
            "touch_purpose": credited and credited.purpose,
            "campaign_id": credited and credited.campaign_id,
            "campaign_name": credited and self.campaign_names.get(credited.campaign_id),
        }
        self.rows["fct_attributions"].append(row)
        if credit.model in self.policies.models:
            self.add_daily(row, credited, shown_in(self.policies, touch))

    def add_daily(self, row, credited, segments):
        places = (row["touch_channel"], row["touch_channel"], None)
        if credited:
            places = (credited.department or "(none)", credited.purpose or "(none)", credited.campaign_id or "(none)")
        for segment in segments:
            key = (
                self.policies.day(row["converted_at"]),
                row["goal_id"],
                row["model"],
                segment,
                row["touch_channel"],
                *places,
                row["conversion_department"] or "(none)",
                row["currency"],
            )
            self.credit[key].append(row)

    def attributions_daily(self):
        names = (
            "conversion_date",
            "goal_id",
            "model",
            "segment_id",
            "touch_channel",
            "touch_department",
            "touch_purpose",
            "campaign_id",
            "conversion_department",
            "currency",
        )
        for key, rows in self.credit.items():
            if key[0] <= self.last_day:
                row = dict(zip(names, key))
                row["attributed_conversions"] = sum(one["credit"] for one in rows)
                row["attributed_revenue"] = sum(one["attributed_revenue"] or 0 for one in rows)
                row |= margins(((one["attributed_margin"], one["attributed_revenue"]) for one in rows), "attributed_margin")
                row["touches"] = sum(one["touchpoint_id"] != NIL for one in rows)
                row["campaign_name"] = self.campaign_names.get(row["campaign_id"])
                self.rows["rpt_attributions_daily"].append(row)

    def shared_goals(self):
        for row in self.goals.rows(self.last_day):
            goal = row.pop("goal")
            self.rows["rpt_shared_goals_daily"].append(
                {
                    **row,
                    "goal_date": row["day"],
                    "goal_id": goal["id"],
                    "parent_goal_id": goal.get("parent"),
                    "unit": goal.get("unit"),
                }
            )
        targets = Targets(self.policies)
        self.rows["dim_goal_targets"] = [target.row() for target in targets.all]
        customers = functools.partial(self.goals.customers, last_day=self.last_day)
        self.rows["rpt_shared_goals"] = list(targets.periods(self.rows["rpt_shared_goals_daily"], self.policies.goals, customers))

    def stages_daily(self):
        for row in self.stages.rows(self.last_day):
            self.rows["rpt_stages_daily"].append({**row, "stage_date": row["day"], "segment_id": "(all)"})

    def ways(self):
        self.rows["fct_opportunities"], self.rows["rpt_opportunities"] = self.opportunities.rows, list(self.opportunities.monthly())
        self.rows["fct_gestures"], self.rows["rpt_gesture_budgets"] = list(self.gestures.rows()), list(self.gestures.budgets())
        self.rows["rpt_path_steps"] = list(self.influence.steps(self.last_day))
        self.rows["rpt_influence"] = list(self.influence.rows(self.last_day))
        self.rows["rpt_influence_value"] = list(self.influence.value_rows(self.last_day))
        self.rows["rpt_funnel"] = [row for row in self.funnel.rows() if row["period_start_date"] <= month_of(self.last_day)]

    def segments_daily(self):
        for row in self.segments.daily(self.last_day):
            self.rows["rpt_segments_daily"].append({**row, "segment_date": row["day"]})
        for segment in self.policies.segments:
            row = {"segment_id": segment["id"], "title": segment.get("title"), "owner": segment.get("owner")}
            self.rows["dim_segments"].append({**row, "has_figures": segment.get("figures", False)})

    def journey_map(self):
        names = ("period_start_date", "segment_id", "stage", "from_kind", "to_kind", "from_department", "to_department")
        sums = (
            "transitions",
            "wait_seconds_sum",
            "wait_le_1h",
            "wait_le_1d",
            "wait_le_7d",
            "wait_le_30d",
            "wait_over_30d",
            "conversions_after_7d",
            "score_sum",
            "score_count",
        )
        for key, values in self.map.cells.items():
            if key[0] <= month_of(self.last_day):
                self.rows["rpt_journey_map"].append({**dict(zip(names, key)), **dict(zip(sums, values))})
        for key, (revenue, cost) in self.map.money.items():
            if key[0] <= month_of(self.last_day) and (revenue or cost):
                row = dict(zip((*names, "currency"), key))
                self.rows["rpt_journey_map_value"].append({**row, "revenue_after_7d": revenue, "touch_cost": cost})

    def responses_by_moment(self):
        names = ("period_start_date", "segment_id", "channel", "department", "local_hour", "local_weekday", "device_type", "network")
        sums = ("sends", "responses", "response_seconds_sum", "answers")
        for key, values in self.responses.cells.items():
            if key[0] <= month_of(self.last_day) and any(values):
                self.rows["rpt_responses"].append({**dict(zip(names, key)), **dict(zip(sums, values))})

    def unidentified(self):
        for touchpoint in self.oracle.unidentified.values():
            same = ("occurred_at", "source", "message_id", "channel", "currency", "order_id")
            row = {name: getattr(touchpoint, name) for name in same}
            row.update(touchpoint_id=touchpoint.event_id, event_name=touchpoint.event, revenue=touchpoint.value)
            self.rows["fct_unidentified_touchpoints"].append(row)


def conversion_line(conversion, line):
    return {
        "conversion_id": conversion.id,
        "line_number": line.number,
        "product_id": line.product,
        "product_category": line.category,
        "quantity": line.quantity,
        "revenue": line.value,
        "margin": line.margin,
        "currency": conversion.currency,
    }


def no_channel(profile):
    """In place of the channel of a touch where no touch has the credit."""
    return "(unidentified)" if profile is None else "(unattributed)"


def campaign_names(touchpoints):
    names = {}
    for touchpoint in touchpoints:
        if touchpoint.campaign_id and touchpoint.campaign_name:
            names[touchpoint.campaign_id] = max(touchpoint.campaign_name, names.get(touchpoint.campaign_id, ""))
    return names


def stage_change(profile, change, position):
    return {
        "stage_change_id": change.id,
        "profile_id": profile,
        "journey_number": change.journey_number,
        "changed_at": change.changed_at,
        "change_position": position,
        "from_stage": change.from_stage,
        "to_stage": change.to_stage,
        "from_status": change.from_status,
        "to_status": change.to_status,
        "reason": change.reason,
        "touchpoint_id": change.touch.event_id,
        "seconds_in_stage": change.seconds_in_stage,
    }
