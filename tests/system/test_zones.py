"""Time zones: a generation keeps those of its first apply, --refresh-zones takes others, and PostgreSQL must have the same."""

import json
import shutil

import pytest

from cluster import RETAILER
from test_operations import expect_refusal

ACTIVE = "SELECT number, zones, tzdata FROM tutti_meta.generations JOIN tutti_meta.zone_sets USING (zones) WHERE is_active"
HOST = "/usr/share/zoneinfo"


@pytest.fixture
def world(stack, make_world):
    return make_world(stack, "zones")


def reporting_in(world, zone):
    folder = world.directory / "policies"
    shutil.copytree(RETAILER, folder, dirs_exist_ok=True)
    journey = json.loads((folder / "journey.json").read_text(encoding="utf-8"))
    (folder / "journey.json").write_text(json.dumps({**journey, "reporting_timezone": zone}), encoding="utf-8")
    world.policies = folder


def other_tzdata(world, version, **files):
    """A host's time zone database: UTC, and zones with the bytes of others."""
    folder = world.directory / version
    folder.mkdir()
    (folder / "tzdata.zi").write_text(f"# version {version}\n")
    (folder / "zone.tab").write_text("DE\t+5230+01322\tBerlin\tmost of Germany\n")
    for name, other in {"UTC": "UTC", **files}.items():
        shutil.copy(f"{HOST}/{other}", folder / name)
    return folder


def apply(world, *words, check=True, zones=HOST):
    return world.tool("policy", "apply", *words, check=check, env={"TUTTI_ZONES_DIR": str(zones)})


def test_names_and_aliases_are_stored_with_the_generation(world):
    zones = dict(world.query("SELECT name, coalesce(a.alias_of, a.code) FROM tutti_meta.zones AS a"))
    assert len(zones) > 500 and zones["US/Eastern"] == zones["America/New_York"] != zones["Europe/Berlin"]
    countries = dict(world.query("SELECT country, array_length(codes, 1) FROM tutti_meta.zone_countries"))
    assert countries["DE"] == 2 and countries["US"] > 20
    ((offset,),) = world.query(f"SELECT offsets[width_bucket('2026-07-01', changed_at)] FROM tutti_meta.zones WHERE code = {zones['Europe/Berlin']}")
    assert offset == 7200


def test_a_wrong_name_is_refused_with_the_nearest(world):
    reporting_in(world, "Europe/Berlni")
    for words in (("policy", "check"), ("policy", "apply")):
        refused = world.tool(*words, check=False)
        assert refused.returncode == 1 and 'reporting_timezone: no time zone "Europe/Berlni"; did you mean "Europe/Berlin"?' in refused.stderr


def test_zones_stay_until_they_are_refreshed(world):
    ((_, first, version),) = world.query(ACTIVE)
    newer = other_tzdata(world, "2099z", Berlin="Europe/Berlin")
    reporting_in(world, "Europe/Berlin")
    noted = apply(world, zones=newer)
    ((number, zones, kept),) = world.query(ACTIVE)
    assert (zones, kept) == (first, version) and "this host has 2099z: --refresh-zones takes them" in noted.stderr + noted.stdout
    apply(world, zones=HOST)
    assert world.query(ACTIVE) == [(number, zones, kept)]

    reporting_in(world, "UTC")
    apply(world, "--refresh-zones", zones=newer)
    ((_, zones, kept),) = world.query(ACTIVE)
    assert zones != first and kept == "2099z"
    # A name keeps its code, a new one gets the next.
    codes = {name: set(codes) for name, codes in world.query("SELECT name, array_agg(code) FROM tutti_meta.zones GROUP BY name")}
    assert all(len(each) == 1 for each in codes.values()) and len(codes["UTC"]) == 1
    assert max(codes, key=lambda name: max(codes[name])) == "Berlin"
    world.start(names=["journey-tracker"])


def test_services_work_by_the_zones_of_the_generation(world):
    """No service reads the files of its host; a name that the stored zones do not have is none."""
    reporting_in(world, "Europe/Berlin")
    apply(world)
    world.query("DELETE FROM tutti_meta.zones WHERE name = 'Europe/Berlin' RETURNING 1")
    expect_refusal(world.service("journey-tracker"), 'no time zone', 'Europe/Berlin')


def test_postgresql_must_say_the_same(world):
    other = other_tzdata(world, "2099z", Berlin="Europe/Berlin", Singapore="Asia/Tokyo")
    before = world.query(ACTIVE)
    reporting_in(world, "Singapore")
    refused = apply(world, "--refresh-zones", check=False, zones=other)
    assert refused.returncode == 1 and "32400 s east of UTC by tzdata 2099z, and 27000 s by PostgreSQL" in refused.stderr
    reporting_in(world, "Berlin")
    refused = apply(world, "--refresh-zones", check=False, zones=other)
    assert refused.returncode == 1 and "PostgreSQL does not know it" in refused.stderr
    refused = apply(world, "--refresh-zones", check=False, zones=world.directory / "nowhere")
    assert refused.returncode == 1 and "install the package tzdata, or set zones.dir" in refused.stderr
    assert world.query(ACTIVE) == before
