"""Responses: which send an inbound touch answers, and rpt_responses by the moment of the send and of the answer."""

from collections import defaultdict
from dataclasses import dataclass

import filters
from policy import DAY, month_of
from segments import shown_in

REMEMBERED = 32  # newest sends
SENDS, RESPONSES, SECONDS, ANSWERS = range(4)


@dataclass
class Response:
    """A row of fct_responses."""

    send: object
    answer: object

    @property
    def waited(self):
        """In microseconds."""
        return self.answer.occurred_at - self.send.occurred_at


def answers(touch):
    """Whether a touch can answer a send."""
    return touch.direction == "inbound"


def answered(touch, sends):
    """The send that a touch asks for: of these, in order, the last with its decision, else the last with its campaign."""
    for name in ("decision_id", "campaign_id"):
        found = [send for send in sends if getattr(touch, name) and getattr(send, name) == getattr(touch, name)]
        if found:
            return found[-1]
    return None


def responses(touches, sends_on, within):
    """The responses in a profile's touches (in order)."""
    sends, found, done = [], [], set()
    for touch in touches:
        if answers(touch):
            send = answered(touch, [one for one in sends[-REMEMBERED:] if one.occurred_at >= touch.occurred_at - within])
            if send is not None and id(send) not in done:
                done.add(id(send))
                found.append(Response(send, touch))
        if filters.matches(sends_on, touch):
            sends.append(touch)
    return sends, found


class Responses:
    """Cells {(month, segment, channel, department, hour, weekday, device type, network): [sends, responses, seconds, answers]}."""

    def __init__(self, policies):
        self.policies = policies
        self.cells = defaultdict(lambda: [0] * 4)

    def profile(self, touches):
        """The responses of a profile."""
        if self.policies.responses is None:
            return []
        sends, found = responses(touches, self.policies.responses["sends"], self.policies.responses["within"])
        for send in sends:
            device, network = known_before(touches, send)
            self.add(SENDS, send, send, device, network)
            for response in found:
                if response.send is send:
                    self.add(RESPONSES, send, send, device, network)
                    self.add(SECONDS, send, send, device, network, response.waited // 1000 * 1000)  # whole milliseconds
                    self.add(ANSWERS, response.answer, send, response.answer.device_type, response.answer.network)
        return found

    def add(self, place, moment, send, device, network, amount=1):
        """moment: the touch whose month, hour and weekday are meant."""
        local = self.policies.local(moment.occurred_at, moment.person_zone)
        for segment in shown_in(self.policies, send):
            key = (
                month_of(self.policies.day(moment.occurred_at)),
                segment,
                send.channel,
                send.department or "(none)",
                local.hour,
                local.isoweekday() % 7,
                device or "(none)",
                network or "(none)",
            )
            self.cells[key][place] += amount


PREFERRED = 16  # newest responses that are asked
PREFERRED_WITHIN = 90 * DAY


def preferences(responses, policies):
    """{trait: (value, observed_at)} of what the newest responses (in order) have most often."""
    newest = [one for one in responses[-PREFERRED:] if responses[-1].answer.occurred_at - one.answer.occurred_at <= PREFERRED_WITHIN]
    said = {
        "preferred_channel": [(one, one.send.channel) for one in newest],
        "preferred_device": [(one, one.answer.device_type) for one in newest if one.answer.device_type],
        "preferred_hour": [(one, str(policies.local(one.answer.occurred_at, one.answer.person_zone).hour)) for one in newest],
    }
    return {name: (most(found), found[-1][0].answer.occurred_at) for name, found in said.items() if found}


def most(found):
    """The most frequent value, of several the one said last."""
    values = [value for _, value in found]
    return max(reversed(values), key=values.count)


def known_before(touches, send):
    """Device type and network of the last inbound touch before a send that had one."""
    device = network = None
    for touch in touches:
        if touch is send:
            break
        if touch.direction == "inbound":
            device, network = touch.device_type or device, touch.network or network
    return device, network
