#!/bin/sh
# The call is about to begin: may it still?   TUTTI_DOOR=http://127.0.0.1:9110 TUTTI_DOOR_TOKEN=... claim.sh REQUEST_ID
# The exit status is 0 only for ok. Whatever goes wrong means no.
set -eu
answer=$(curl --silent --show-error --fail --max-time 3 "$TUTTI_DOOR/v1/contact-claims" \
    --header "Authorization: Bearer $TUTTI_DOOR_TOKEN" --data "{\"request_id\": \"$1\"}")
echo "$answer"
case $answer in
*'"claim":"ok"'*) ;;
*) exit 1 ;;
esac
