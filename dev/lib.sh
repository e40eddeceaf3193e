# shellcheck shell=bash
# What the scripts of this project share: where things lie, and how they speak. Sourced, never run.

TUTTI_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
export TUTTI_ROOT

say() { printf '%s\n' "$*" >&2; }

die() {
    say "error: $*"
    exit 1
}

hash_of() { sha256sum | cut -c1-12; }

# Downloads that every checkout of this user shares: Kafka's jars, the Python environment.
cache_dir() { printf '%s\n' "${TUTTI_CACHE_DIR:-${XDG_CACHE_HOME:-${HOME:-/var/tmp/tutti-home-$(id -u)}/.cache}/tutti}"; }

# A checkout may lie where the postgres user cannot go, so the run folder lies outside it by default.
default_run_dir() { printf '/var/tmp/tutti-%s\n' "$(printf '%s:%s' "$(id -u)" "$TUTTI_ROOT" | hash_of)"; }

run_dir() { printf '%s\n' "${TUTTI_RUN_DIR:-$(default_run_dir)}"; }

# Makes the run folder; the default one is reachable as .run in the checkout.
make_run_dir() {
    local run
    run="$(run_dir)"
    mkdir -p "$run"
    [[ -O $run ]] || die "$run belongs to another user; set TUTTI_RUN_DIR"
    chmod 755 "$run"
    [[ -n ${TUTTI_RUN_DIR:-} ]] || ln -sfn "$run" "$TUTTI_ROOT/.run"
}

kafka_jars_dir() { printf '%s/kafka-%s\n' "$(cache_dir)" "$(hash_of <"$TUTTI_ROOT/dev/pom.xml")"; }

as_root() {
    if [[ $(id -u) -eq 0 ]]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo env DEBIAN_FRONTEND=noninteractive "$@"
    else
        die "neither root nor sudo: cannot run: $*"
    fi
}

# alive <pid> <text>: the process lives and its command line holds the text, so the id was not reused.
alive() {
    [[ -n $1 && -r /proc/$1/cmdline ]] || return 1
    tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline" | grep -qF -- "$2"
}

# wait_for <seconds> <command...>: polls the command until it succeeds or the deadline has passed.
wait_for() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < deadline)) || return 1
        sleep 0.05
    done
}
