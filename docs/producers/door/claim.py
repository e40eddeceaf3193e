"""The call is about to begin: may it still?   TUTTI_DOOR=http://127.0.0.1:9110 TUTTI_DOOR_TOKEN=... python3 claim.py REQUEST_ID"""

import json
import os
import sys
import urllib.request


def may_still(request_id):
    """The answer to the claim; an exception means no. Ask again: while the claim holds the answer is the same."""
    headers = {"Authorization": f"Bearer {os.environ['TUTTI_DOOR_TOKEN']}"}
    call = urllib.request.Request(os.environ["TUTTI_DOOR"] + "/v1/contact-claims", json.dumps({"request_id": request_id}).encode(), headers)
    with urllib.request.urlopen(call, timeout=3) as answer:
        return json.load(answer)


answer = may_still(sys.argv[1])
print(json.dumps(answer))
sys.exit(answer["claim"] != "ok")
