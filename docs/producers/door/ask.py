"""May we call this person now?   TUTTI_DOOR=http://127.0.0.1:9110 TUTTI_DOOR_TOKEN=... python3 ask.py +491701234567"""

import datetime
import json
import os
import sys
import urllib.request
import uuid


def may_we(phone, message_id):
    """The decision; an exception means no. Ask again with the same message_id: the verdict is the same."""
    now = datetime.datetime.now(datetime.timezone.utc).isoformat()
    request = {"message_id": message_id, "source": "urn:call-centre", "type": "track", "event_name": "Contact Requested"}
    request |= {"channel": "call_center", "department": "sales", "direction": "outbound", "occurred_at": now}
    request |= {"identifiers": [{"type": "phone", "value": phone}], "contact": {"class": "marketing"}}
    headers = {"Authorization": f"Bearer {os.environ['TUTTI_DOOR_TOKEN']}"}
    url = os.environ["TUTTI_DOOR"] + "/v1/contact-decisions"
    call = urllib.request.Request(url, json.dumps(request).encode(), headers)
    with urllib.request.urlopen(call, timeout=3) as answer:
        return json.load(answer)


decision = may_we(sys.argv[1], os.environ.get("MESSAGE_ID") or str(uuid.uuid4()))
print(json.dumps(decision))
sys.exit(not (decision["verdict"] == "grant" and decision["outcome"] == "open"))
