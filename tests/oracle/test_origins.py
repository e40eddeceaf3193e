"""Where a visitor came from: rules, own hosts, the list of known sites, and networks taken from a source."""

import pathlib

import pytest

from origins import Origins
from policy import Policies

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHANNELS = {
    "own_hosts": ["bücher.example", "*.Shop.example"],
    "networks": ["check24", "Idealo"],
    "rules": [
        {"referrer_host": "google.*", "channel": "search", "network": "google"},
        {"referrer_host": "both.example", "channel": "search", "network": "rule"},
        {"utm_medium": "comparison", "channel": "comparison_site", "network": "(utm_source)"},
    ],
}
LIST = {
    "bing.com": ["search", "bing"],
    "Mail.Bing.com": ["email", "bing_mail"],
    "xn--mller-kva.example": ["forum", "mueller"],
    "both.example": ["social", "list"],
    "news.shop.example": ["social", "own"],
    "co.uk": ["social", "registry"],
    "amazon.co.uk": ["comparison_site", "amazon"],
    "de": ["social", "registry"],
    "t.co": ["social", "x"],
}


@pytest.mark.parametrize(
    "url, origin",
    [
        ("https://bing.com/", "search:bing"),
        ("https://user@WWW.BING.COM.:443/search?q=a@b", "search:bing"),
        ("https://a.b.bing.com/", "search:bing"),
        ("https://x.mail.bing.com/", "email:bing_mail"),
        ("https://notbing.com/", None),
        ("https://bing.com.evil.example/", None),
        ("https://www.google.de./", "search:google"),
        ("https://forum.müller.example/", "forum:mueller"),
        ("https://MÜLLER.example", "forum:mueller"),
        ("https://xn--mller-kva.example/", "forum:mueller"),
        ("https://both.example/", "search:rule"),
        ("https://a.both.example/", "social:list"),
        ("https://news.shop.example/", None),
        ("https://www.xn--bcher-kva.example/", None),
        ("https://co.uk/", "social:registry"),
        ("https://cheap.co.uk/", None),
        ("https://www.amazon.co.uk/", "comparison_site:amazon"),
        ("https://shop.de/", None),
        ("https://t.co/x", "social:x"),
        ("https://" + "a." * 124 + "bing.com/", None),  # 256 bytes
        ("https://" + "a." * 122 + "bing.com/", "search:bing"),  # 252 bytes
        ("android-app", None),
        ("https://./", None),
        (None, None),
    ],
)
def test_sites(url, origin):
    found = Origins(CHANNELS, LIST).of(url, {})
    assert (found and ":".join(found)) == origin


@pytest.mark.parametrize("source, network", [("check24", "check24"), ("IDEALO", "Idealo"), ("user-4711", "(other)"), ("", None), (None, None)])
def test_a_source_makes_a_node_only_if_it_is_listed(source, network):
    found = Origins(CHANNELS, LIST).of(None, {"medium": "comparison", "source": source})
    assert found == (network and ("comparison_site", network))


@pytest.mark.parametrize("folder", ["policies", "policies/bank"])
def test_what_is_shipped(folder):
    shipped = Policies.load(ROOT / folder).origins
    assert shipped.of("https://www.google.de/", {}) == ("search", "google")
    assert shipped.of("https://www.google.de/", {"click_network": "google"}) == ("ads", "google")
    assert shipped.of("https://mail.google.com/", {}) == ("email", "gmail")
    assert shipped.of("https://chatgpt.com/", {}) == ("assistant", "chatgpt")
    assert shipped.of("https://old.reddit.com/", {}) == ("social", "reddit")
    assert shipped.of("https://www.idealo.de/", {}) == ("comparison_site", "idealo")
