# shellcheck shell=bash
# The steps of ./demo, which sources this file: real customers in, one scoreboard out, then everything is killed and re-read.
# shellcheck disable=SC2153,SC2154  # BIN, RUN and SERVICES come from ./demo

PYTHON="$PWD/.venv/bin/python"
BANK_PEOPLE=1500
BANK_EVENTS=15000
BANK_DAYS=90
TODAY="$(date -u +%F)"

prepare_pipeline() {
    if [[ ! -f $RUN/identity.key ]]; then
        (umask 077 && head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$RUN/identity.key")
    fi
    export_settings
    [[ $(query "SELECT 1" 2>/dev/null) == 1 ]] || psql -Xq "${TUTTI_DATABASE_URL%_bank}" -c "CREATE DATABASE \"${TUTTI_DATABASE_URL##*/}\""
    stop_services
    "$BIN/tutti" migrate up
    "$BIN/tutti" topics apply 2>&1 | tail -n 1 >&2
    "$BIN/tutti" policy apply
}

query() { psql -XAtq "$TUTTI_DATABASE_URL" -c "$1"; }

# Sum of a metric over its series, of one service.
metric() { curl -fs "http://127.0.0.1:$(service_port "$1")/metrics" | awk -v name="tutti_$2" 'index($1, name) == 1 { sum += $2 } END { printf "%d\n", sum }'; }

total_lag() {
    local name lag sum=0
    for name in "${SERVICES[@]}"; do
        lag="$(metric "$name" kafka_consumer_lag)"
        sum=$((sum + lag))
    done
    printf '%d\n' "$sum"
}

# Diffs numbered but not applied yet, and messages not yet acknowledged.
unfinished() {
    query "SELECT coalesce((SELECT sum(l.seq - coalesce(p.next_seq - 1, 0)) FROM journey.lanes l LEFT JOIN metrics.progress p USING (lane)), 0)
           + (SELECT count(*) FROM identity.outbox) + (SELECT count(*) FROM journey.message_outbox) + (SELECT count(*) FROM suppression.outbox)"
}

consumed() {
    local name
    for name in "${SERVICES[@]}"; do metric "$name" records_consumed_total; done | paste -sd' '
}

# Idle: no lag, nothing unfinished, and nothing consumed for a second.
is_idle() {
    local before
    before="$(consumed)"
    [[ $(total_lag) -eq 0 && $(unfinished) -eq 0 ]] || return 1
    sleep 1
    [[ $(consumed) == "$before" && $(total_lag) -eq 0 && $(unfinished) -eq 0 ]]
}

wait_until_idle() { wait_for 600 is_idle || die "the pipeline did not come to rest: lag $(total_lag), unfinished $(unfinished)"; }

checksums() { "$PYTHON" tests/oracle/checksums.py --database "$TUTTI_DATABASE_URL" --as-of "${TODAY}T00:00:00Z"; }

topic_count() { "$BIN/tutti" cat --topic "$1" --exit 2>/dev/null | wc -l; }

feed() {
    headline "Real data: The Complete Journey (CC0), 165,340 touchpoints of a grocer's stores, mailings and coupons"
    "$BIN/tutti" import completejourney --python "$PYTHON"
    headline "Waiting until every figure of the grocer has arrived"
    wait_until_idle
}

# Its last day is yesterday. It asks before each contact, and makes the contact only if it was granted; a few do not obey.
feed_bank() {
    headline "Made-up data: $BANK_DAYS days of a bank that asks before each contact"
    "$BIN/tutti" generate --profile bank --people "$BANK_PEOPLE" --events "$BANK_EVENTS" --days "$BANK_DAYS" --seed 11 \
        --epoch "$(date -u -d "$TODAY - $BANK_DAYS days" +%F)T00:00:00Z" --truth "$RUN/truth.jsonl" \
        --produce --topic "$TUTTI_TOPICS_INPUT" --obey --group-prefix "$GROUP_PREFIX"
    wait_until_idle
    headline "Departments accept or decline what they may offer"
    answers | "$BIN/tutti" produce --topic "$TUTTI_TOPICS_INPUT"
    wait_until_idle
}

# Of five opportunities three are accepted and one is declined, a day after their triggers. Made-up customers are numbered by their messages.
answers() {
    psql -XAtq "$TUTTI_DATABASE_URL" -c "
        SELECT json_build_object(
            'message_id', 'answer-' || o.opportunity_id, 'source', 'urn:bank:desk', 'type', 'track', 'channel', 'crm',
            'occurred_at', to_char((o.opened_at + interval '1 day') AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),
            'event_name', CASE WHEN get_byte(uuid_send(o.opportunity_id), 15) < 154 THEN 'Opportunity Accepted' ELSE 'Opportunity Declined' END,
            'user_id', 'u' || substr(t.message_id, 2, 8), 'opportunity_id', o.opportunity_id)
        FROM tutti.fct_opportunities AS o
        JOIN tutti.fct_touchpoints AS t ON t.touchpoint_id = o.trigger_touchpoint_id AND t.profile_id = o.profile_id
        JOIN tutti.dim_profiles AS p ON p.profile_id = o.profile_id AND p.is_identified
        WHERE o.opened_at < now() - interval '1 day' AND get_byte(uuid_send(o.opportunity_id), 15) < 205
        ORDER BY o.opportunity_id"
}

show() {
    local household
    headline "The scoreboard that all departments share"
    "$BIN/tutti" scoreboard
    household="$(query "SELECT profile_id FROM tutti.fct_touchpoints WHERE source = 'urn:completejourney' AND event_name = 'Coupon Redeemed'
                        ORDER BY occurred_at DESC, touchpoint_id LIMIT 1")"
    headline "One household, explained (tutti explain $household)"
    "$BIN/tutti" explain "$household"
}

report_memory() {
    local name
    for name in "${SERVICES[@]}"; do
        printf '%-20s lag %s, memory %d MB\n' "$name" "$(metric "$name" kafka_consumer_lag)" \
            $(($(awk '/^VmRSS/ { print $2 }' "/proc/$(service_pid "$name")/status") / 1024))
    done
}

break_everything() {
    local name before after decisions stages decisions_after stages_after
    before="$(checksums)"
    decisions="$(topic_count "${TUTTI_TOPIC_DECISIONS:-tutti.contact-decisions.v1}")"
    stages="$(topic_count "${TUTTI_TOPIC_STAGES:-tutti.journey-stages.v1}")"
    headline "Killing each service once (kill -9), then re-reading everything from the beginning"
    for name in "${SERVICES[@]}"; do
        stop_service "$name" KILL
        start_service "$name"
    done
    stop_services
    "$PYTHON" dev/reset-groups "${SERVICES[@]/#/$GROUP_PREFIX}"
    start_services
    wait_until_idle
    after="$(checksums)"
    decisions_after="$(topic_count "${TUTTI_TOPIC_DECISIONS:-tutti.contact-decisions.v1}")"
    stages_after="$(topic_count "${TUTTI_TOPIC_STAGES:-tutti.journey-stages.v1}")"
    printf 'checksum, rows and name of each convergent view:\n%s\n' "$after"
    report_memory
    printf 'decisions published again: %d of %d, stage changes published again: %d of %d\n' \
        $((decisions_after - decisions)) "$decisions" $((stages_after - stages)) "$stages"
    [[ $before == "$after" ]] || die "the figures changed: $(diff <(printf '%s\n' "$before") <(printf '%s\n' "$after"))"
    [[ $decisions == "$decisions_after" && $stages == "$stages_after" ]] || die "something was published again"
    printf 'checksums of all convergent views before = after\n'
}

show_bank() {
    headline "The bank's own scoreboard"
    "$BIN/tutti" scoreboard
    headline "What the bank's departments asked for, and what became of it"
    psql -Xq "$TUTTI_DATABASE_URL" -c "
        SELECT channel, count(*) AS requests, count(*) FILTER (WHERE verdict = 'grant') AS granted,
               count(*) FILTER (WHERE outcome IN ('sent', 'delivered')) AS sent,
               count(*) FILTER (WHERE is_sent_anyway) AS sent_anyway
        FROM tutti.fct_contact_decisions GROUP BY channel ORDER BY channel"
    headline "One application for a mortgage, and what other departments may offer because of it"
    psql -Xq "$TUTTI_DATABASE_URL" -c "
        SELECT product, owner_department, opened_at::date AS opened, due_at::date AS due, expires_at::date AS expires, state
        FROM tutti.fct_opportunities
        WHERE trigger_touchpoint_id = (SELECT trigger_touchpoint_id FROM tutti.fct_opportunities WHERE rule_id = 'mortgage' GROUP BY 1
                                       ORDER BY count(*) FILTER (WHERE state = 'won') DESC, max(opened_at) DESC, 1 LIMIT 1)
        ORDER BY due_at"
}

where_next() {
    cat <<TEXT

The stack is running: Kafka $TUTTI_KAFKA_BOOTSTRAP_SERVERS, PostgreSQL $TUTTI_DATABASE_URL
  psql $TUTTI_DATABASE_URL -c 'SELECT * FROM tutti.rpt_shared_goals_daily LIMIT 20'
  eval "\$(./demo env)"; tutti help              (the grocer; for the bank: ./demo env bank)
  curl http://127.0.0.1:$FIRST_HTTP_PORT/metrics          (identity-resolver; the others follow on the next ports)
  logs in $RUN; ./demo stop, ./demo reset; README.md says more
TEXT
}

demo_play() {
    at_both prepare_pipeline
    at_both start_services
    feed
    at_bank feed_bank
    show
    at_bank show_bank
    at_both break_everything
    where_next
}

# judge_figure <what> <expected> <found> <command>: right if the command succeeds.
judge_figure() {
    local what="$1" expected="$2" found="$3"
    shift 3
    if "$@"; then
        printf 'ok    %-52s %s\n' "$what" "$found"
    else
        printf 'WRONG %-52s %s instead of %s\n' "$what" "${found:-nothing}" "$expected"
        wrong=$((wrong + 1))
    fi
}

within_a_cent() { awk -v a="$1" -v b="$2" 'BEGIN { d = a - b; exit !(b != "" && d <= 0.0101 && d >= -0.0101) }'; }

# verify_figure <what> <expected> <SELECT>: money may differ by a cent, which is how the known figures are rounded.
verify_figure() {
    local found
    found="$(query "$3")"
    judge_figure "$1" "$2" "$found" within_a_cent "$2" "$found"
}

# verify_exactly <what> <expected> <SELECT>: the very same text.
verify_exactly() {
    local found
    found="$(query "$3")"
    judge_figure "$1" "$2" "$found" test "$found" = "$2"
}

credit_sql() {
    printf "SELECT round(sum(attributed_revenue), 2) FROM tutti.rpt_attributions_daily WHERE segment_id = '(all)' AND model = '%s' AND campaign_id = '%s'" "$1" "$2"
}

verify_credit() { verify_figure "$1 credit of campaign $2" "$3" "$(credit_sql "$1" "$2")"; }

verify_customers() {
    verify_figure "customers who bought, $1 from $2" "$3" "SELECT customers FROM tutti.rpt_shared_goals WHERE goal_id = 'sale' \
        AND segment_id = '(all)' AND department = '(all)' AND currency = 'USD' AND period_kind = '$1' AND period_start_date = '$2'"
}

# The same from the rows: reports have only the models that journey.json lists.
verify_row_credit() {
    verify_figure "$1 credit of campaign 18, by its rows" "$2" "SELECT sum(attributed_revenue) FROM tutti.fct_attributions WHERE model = '$1' AND campaign_id = '18'"
}

# verify_influence <goal> <conversions on paths> <unprompted> <p> <campaign> <removal effect> [<campaign> <removal effect>]...
verify_influence() {
    local goal="$1" of="tutti.influence('$1')"
    verify_figure "conversions on paths to $goal" "$2" "SELECT max(path_conversions) FROM $of"
    verify_figure "unprompted conversions of $goal" "$3" "SELECT max(unprompted_conversions) FROM $of"
    verify_exactly "paths to $goal that convert" "$4" "SELECT max(p) FROM $of"
    shift 4
    while [[ $# -gt 0 ]]; do
        verify_exactly "removal effect on $goal of campaign $1" "$2" "SELECT removal_effect FROM $of WHERE node = '$1'"
        shift 2
    done
}

# verify_stops <goal> <sends> <sends saved> <conversions lost at most>: a fifth of the sends.
verify_stops() {
    local of="tutti.influence_stops('$1', 0.2)"
    verify_figure "sends on paths to $1" "$2" "SELECT sum(sends) FROM tutti.influence('$1')"
    verify_figure "sends of the fifth to stop for $1" "$3" "SELECT max(sends_saved) FROM $of"
    verify_figure "$1 lost without it, at most" "$4" "SELECT max(expected_loss) FROM $of"
}

# verify_plan <letters in 30 days> <refused> <customers> <later> <their customers> <answers in 7 days> <orders in 7 days> <credited>
verify_plan() {
    local found limit="$1" policy="$RUN/candidate.json"
    shift
    printf '{"classes": {"marketing": {}}, "rules": [{"id": "mail", "kind": "cap", "channels": ["direct_mail"], "per": "P30D", "limit": %d}]}' "$limit" >"$policy"
    found="$("$BIN/tutti" contact plan --policy "$policy" --sends --json 2>/dev/null | "$PYTHON" -c '
import json, sys
found = json.load(sys.stdin)
names = ("refused", "customers", "later", "later_customers", "responses_7d", "conversions_7d")
print(*(found["all"][0][name] for name in names), *(row["credited"] for row in found["credited"] if row["by"] == "all"))')"
    judge_figure "contacts that $limit letters in 30 days refuse" "$*" "$found" test "$found" = "$*"
}

demo_verify() {
    local wrong=0 touches="tutti.fct_touchpoints WHERE source = 'urn:completejourney'"
    local attributed="tutti.fct_attributions WHERE model = 'linear'"
    verify_figure "touchpoints" 165340 "SELECT count(*) FROM $touches"
    verify_figure "orders" 155848 "SELECT count(*) FROM $touches AND event_name = 'Order Completed'"
    verify_figure "households with orders" 2469 "SELECT count(DISTINCT profile_id) FROM $touches AND event_name = 'Order Completed'"
    verify_figure "value of the orders" 4596039.58 "SELECT sum(revenue) FROM $touches AND event_name = 'Order Completed'"
    verify_figure "sends" 6589 "SELECT count(*) FROM $touches AND event_name = 'Campaign Sent'"
    verify_figure "campaigns" 27 "SELECT count(DISTINCT campaign_id) FROM $touches AND event_name = 'Campaign Sent'"
    verify_figure "households with sends" 1559 "SELECT count(DISTINCT profile_id) FROM $touches AND event_name = 'Campaign Sent'"
    verify_figure "redemptions" 2102 "SELECT count(*) FROM $touches AND event_name = 'Coupon Redeemed'"
    verify_figure "households with redemptions" 410 "SELECT count(DISTINCT profile_id) FROM $touches AND event_name = 'Coupon Redeemed'"
    verify_figure "redeeming household-campaign pairs" 792 "SELECT count(DISTINCT (profile_id, campaign_id)) FROM $touches AND event_name = 'Coupon Redeemed'"
    verify_figure "identifies" 801 "SELECT count(*) FROM $touches AND event_name = 'identify'"
    verify_figure "orders attributed" 48883 "SELECT count(DISTINCT conversion_id) FROM $attributed AND touch_channel <> '(unattributed)'"
    verify_figure "credit rows" 55318 "SELECT count(*) FROM $attributed AND touch_channel <> '(unattributed)'"
    verify_figure "revenue attributed" 1550011.00 "SELECT sum(attributed_revenue) FROM $attributed AND touch_channel <> '(unattributed)'"
    verify_figure "revenue not attributed" 3046028.58 "SELECT sum(attributed_revenue) FROM $attributed AND touch_channel = '(unattributed)'"
    local model
    for model in first_touch last_touch position_based time_decay; do
        verify_figure "revenue that $model attributes" 1550011.00 "SELECT sum(attributed_revenue) FROM tutti.fct_attributions WHERE model = '$model' AND touch_channel <> '(unattributed)'"
    done
    verify_row_credit position_based 242820.047000
    verify_row_credit time_decay 247515.409605
    verify_row_credit linear 242763.438323
    verify_credit last_touch 8 256373.67
    verify_credit last_touch 13 253680.73
    verify_credit last_touch 18 253547.74
    verify_credit first_touch 13 250300.89
    verify_credit first_touch 18 232262.18
    verify_credit first_touch 8 230085.99
    verify_credit linear 13 251990.81
    verify_credit linear 18 242763.44
    verify_credit linear 8 242700.80
    verify_figure "sends that may be answered" 6589 "SELECT sum(sends) FROM tutti.rpt_responses WHERE segment_id = '(all)'"
    verify_figure "sends that were answered" 227 "SELECT sum(responses) FROM tutti.rpt_responses WHERE segment_id = '(all)'"
    verify_figure "answers, by their own hour" 227 "SELECT sum(answers) FROM tutti.rpt_responses WHERE segment_id = '(all)'"
    verify_figure "answers, row by row" 227 "SELECT count(*) FROM tutti.fct_responses"
    verify_customers month 2017-01-01 1982
    verify_customers quarter 2017-01-01 2280
    verify_customers quarter 2017-04-01 2301
    verify_customers quarter 2017-07-01 2320
    verify_customers quarter 2017-10-01 2327
    verify_influence redemptions 734 1368 0.156972 18 0.284826 13 0.276395 8 0.205057
    verify_stops redemptions 6589 1304 101.25
    verify_exactly "campaigns to stop for redemptions" "24 25 23 26 2 5 27 1 22 4 3 15" \
        "SELECT string_agg(node, ' ' ORDER BY step) FROM tutti.influence_stops('redemptions', 0.2)"
    verify_influence first_redemption 357 53 0.094022 8 0.344921 13 0.269703 18 0.169419
    verify_stops first_redemption 5249 1045 45.85
    verify_plan 3 1 1 0 0 0 1 283.30
    verify_plan 2 99 94 23 22 7 89 25604.81
    verify_plan 1 1579 817 230 182 60 1293 384245.65
    "$PWD/.venv/bin/byexample" -l shell -o +norm-ws --timeout 120 docs/tour.md >&2 || wrong=$((wrong + 1))
    [[ $wrong -eq 0 ]] || die "$wrong figures differ"
    printf 'all figures are as known\n'
}
