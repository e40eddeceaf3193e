"""Where a visitor came from: channel and network by channels.json and referrers.json."""

import functools
import re

from letters import ASCII_LOWER, host_name

REGISTRIES = {"ac", "co", "com", "edu", "go", "gob", "gov", "gouv", "ne", "net", "or", "org"}
LONGEST = 253


def host_of(url):
    """The host of a referrer, without user and port; None if it has none."""
    match = re.match(r".*?://([^/?#\\]*)", url or "", re.DOTALL)
    return host_name(match.group(1).rpartition("@")[2].partition(":")[0]) or None if match else None


@functools.lru_cache
def glob_pattern(pattern):
    return re.compile(re.escape(pattern).replace(r"\*", ".*"), re.DOTALL)


def glob(pattern, value):
    """`*` stands for any text, nothing else is special; an absent value matches nothing."""
    return bool(value) and glob_pattern(pattern).fullmatch(value) is not None


def host_glob(pattern, host):
    pattern = host_name(pattern)
    return glob(pattern, host) or glob(pattern, (host or "").removeprefix("www."))


def is_registry(domain):
    """A top-level domain, or one such as co.uk, whose domains belong to different people."""
    name, dot, top = domain.rpartition(".")
    return not dot or (len(top) == 2 and name in REGISTRIES)


def with_parents(host):
    """The host, then its parent domains, the nearest first, up to below a registry's domain."""
    if len(host) > LONGEST:
        return
    labels = host.split(".")
    yield host
    for start in range(1, len(labels)):
        parent = ".".join(labels[start:])
        if not parent or is_registry(parent):
            return
        yield parent


class Origins:
    def __init__(self, channels, referrers):
        self.rules, self.own_hosts = channels["rules"], channels.get("own_hosts", [])
        self.networks = {name.translate(ASCII_LOWER): name for name in channels.get("networks", [])}
        self.sites = {host_name(host): entry for host, entry in referrers.items() if host != "$schema"}

    def of(self, url, campaign):
        """(channel, network) of the first rule that matches, else of the list; None if neither knows."""
        host = host_of(url)
        if any(host_glob(pattern, host) for pattern in self.own_hosts):
            host = None
        facts = {
            "utm_medium": campaign.get("medium"),
            "utm_source": campaign.get("source"),
            "click_network": campaign.get("click_network"),
        }
        for rule in self.rules:
            network = self.network(rule, host, facts)
            if network:
                return rule["channel"], network
        listed = next((self.sites[name] for name in with_parents(host) if name in self.sites), None) if host else None
        return listed and tuple(listed)

    def network(self, rule, host, facts):
        """The network that a rule gives, or None where it does not match."""
        if "referrer_host" in rule and not host_glob(rule["referrer_host"], host):
            return None
        if not all(glob(rule[name], value) for name, value in facts.items() if name in rule):
            return None
        if rule["network"] == "(utm_source)":
            source = facts["utm_source"]
            return self.networks.get(source.translate(ASCII_LOWER), "(other)") if source else None
        return facts["click_network"] or None if rule["network"] == "(click_network)" else rule["network"]
