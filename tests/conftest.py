"""The order of all tests. Files go to the workers one by one, so the longest begin first and short ones fill the end."""

LONG = (
    "test_end_to_end.py",
    "test_identity_cli.py",
    "test_completejourney.py",
    "test_chaos.py",
    "test_identity_chaos.py",
    "test_identity_renaming.py",
    "test_identity_reanchor.py",
    "test_command_kills.py",
    "test_operations.py",
    "test_play.py",
)


def place(item):
    """Long files, then the other system tests, then what runs in one process; within them as before."""
    if item.path.name in LONG:
        return LONG.index(item.path.name)
    return len(LONG) + (item.path.parent.name != "system")


def pytest_collection_modifyitems(items):
    items.sort(key=place)
