"""The command line of the models: how many schedules end wrongly, with one rule left out or with all of them kept."""

import argparse
import time
from collections import Counter


def wrong_schedules(world, without, seeds):
    """{seed: what is wrong} of the schedules that end wrongly."""
    found = {seed: world(seed, without).run() for seed in seeds}
    return {seed: problems for seed, problems in found.items() if problems}


def first_wrong(world, without, seeds):
    """The first seed whose schedule ends wrongly, or None."""
    return next((seed for seed in seeds if world(seed, without).run()), None)


def report(world, without, seeds):
    """Prints one result in words."""
    wrong = wrong_schedules(world, without, seeds)
    kinds = Counter(problem for problems in wrong.values() for problem in problems)
    print(f"without {', '.join(without)}:" if without else "with all rules:", end=" ")
    print(f"{len(wrong)} of {len(seeds)} schedules end wrongly ({100 * len(wrong) / len(seeds):.1f} %)")
    for kind, count in kinds.most_common():
        print(f"    {kind}: {count}")
    if wrong:
        print(f"    seeds: {', '.join(map(str, list(wrong)[:5]))}")


def report_all(world, rules, seeds):
    """Prints a table in Markdown: each rule, what it says, and the share of schedules that fail without it."""
    print("| rule left out | what it says | wrong |")
    print("|---|---|---|")
    print(f"| none | | {share(world, (), seeds)} |")
    for rule, meaning in rules.items():
        print(f"| `{rule}` | {meaning} | {share(world, (rule,), seeds)} |", flush=True)


def share(world, without, seeds):
    return f"{100 * len(wrong_schedules(world, without, seeds)) / len(seeds):.1f} %"


def arguments(rules, text):
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    option = parser.add_argument
    option("--without", action="append", default=[], choices=sorted(rules), metavar="RULE", help="leave a rule out")
    option("--all", action="store_true", help="a table: each rule left out in its turn")
    option("--schedules", type=int, default=1000, help="how many (1000)")
    option("--seed", type=int, default=1, help="the seed of the first one (1)")
    return parser.parse_args()


def main(world, rules, text):
    given = arguments(rules, text)
    seeds = range(given.seed, given.seed + given.schedules)
    start = time.monotonic()
    if given.all:
        report_all(world, rules, seeds)
    else:
        report(world, given.without, seeds)
    print(f"\n{time.monotonic() - start:.0f} s")


def main_of_orders(wrong, rules, text):
    """The same for a model whose orders are all known: wrong(without) gives (how many end wrongly, of how many)."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--without", action="append", choices=rules, default=[])
    parser.add_argument("--all", action="store_true")
    given = parser.parse_args()
    for without in [[], *([rule] for rule in rules)] if given.all else [given.without]:
        bad, count = wrong(without)
        print(f"{', '.join(without) or 'all rules':18} {bad:5} wrong of {count}")
