"""How a script of synchronous checks tells `run` what it saw: `ok` or `FAILED`, a tab, the check's name, a tab, words."""

import json
import os
import subprocess
import sys
import traceback

SETUP = json.loads(sys.argv[1])
LONG_ENOUGH = 60


def finish(argv, **more):
    """Runs a command to its end: what it printed, and its code."""
    return subprocess.run(
        argv, capture_output=True, text=True, check=False, timeout=LONG_ENOUGH, stdin=subprocess.DEVNULL, **more
    )


def tools_of(home):
    """The names of all tools in a home, as hubcap's own command line lists them."""
    environment = {**os.environ, "HOME": SETUP["user"]}
    listed = finish([SETUP["hubcap"], "tools", "--json", "--home", SETUP[home]], env=environment)
    return sorted(tool["name"] for tool in json.loads(listed.stdout)["tools"])


def say_all(checks):
    """Makes each check, whatever came of those before."""
    for name, check in checks.items():
        try:
            print("ok", name, check(), sep="\t", flush=True)
        except Exception as error:
            traceback.print_exc()
            print("FAILED", name, " ".join(repr(error).split()), sep="\t", flush=True)
