#!/bin/sh
# May we call this person now?   TUTTI_DOOR=http://127.0.0.1:9110 TUTTI_DOOR_TOKEN=... ask.sh +491701234567
# The exit status is 0 only for a grant. Whatever goes wrong means no.
set -eu
answer=$(curl --silent --show-error --fail --max-time 3 "$TUTTI_DOOR/v1/contact-decisions" \
    --header "Authorization: Bearer $TUTTI_DOOR_TOKEN" \
    --data "{
        \"message_id\": \"${MESSAGE_ID:-$(date +%s%N)}\", \"source\": \"urn:call-centre\", \"type\": \"track\",
        \"event_name\": \"Contact Requested\", \"channel\": \"call_center\", \"department\": \"sales\", \"direction\": \"outbound\",
        \"occurred_at\": \"$(date -u +%Y-%m-%dT%H:%M:%SZ)\",
        \"identifiers\": [{\"type\": \"phone\", \"value\": \"$1\"}], \"contact\": {\"class\": \"marketing\"}
    }")
echo "$answer"
case $answer in
*'"verdict":"grant"'*'"outcome":"open"'*) ;;
*) exit 1 ;;
esac
