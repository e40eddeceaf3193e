"""docker-compose.yml: each service has the least it needs."""

import pathlib
import re

ROLES = {
    "identity-resolver": "tutti_identity",
    "journey-tracker": "tutti_journey",
    "suppression": "tutti_suppression",
    "metrics-aggregator": "tutti_metrics",
}
TEXT = (pathlib.Path(__file__).parents[2] / "docker-compose.yml").read_text(encoding="utf-8")
HEAD, BODY = TEXT.split("\nservices:\n")
PARTS = re.split(r"^  ([a-z-]+):\n", BODY.split("\nvolumes:\n")[0], flags=re.M)
SERVICES = dict(zip(PARTS[1::2], PARTS[2::2]))


def test_one_build():
    assert "build:" not in HEAD
    assert [name for name, text in SERVICES.items() if "build:" in text] == ["prepare"]


def test_each_service_has_its_role():
    assert "TUTTI_DATABASE_URL" not in HEAD
    for name, role in ROLES.items():
        assert "TUTTI_DATABASE_URL: " in SERVICES[name] and f"postgresql://{role}:" in SERVICES[name], name
        assert role.removeprefix("tutti_") in SERVICES["passwords"], name


def test_the_key_is_only_where_it_is_needed():
    assert "identity-key" not in HEAD and "identity.key" not in HEAD
    with_key = [name for name, text in SERVICES.items() if "identity.key" in text or "*key" in text]
    assert sorted(with_key) == ["identity-resolver", "prepare"]
