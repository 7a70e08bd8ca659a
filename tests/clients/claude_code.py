"""Claude Code (npm `@anthropic-ai/claude-code-linux-x64`) with hubcap added to it, without a login.

Nobody answers at the proxy that it is told of, so nothing that it sends leaves the machine. What it knows of its tools
it says before it asks a model for anything: in the line `init`.
"""

import json
from pathlib import Path

from checks import SETUP, finish, say_all, tools_of

PROGRAM = Path(SETUP["packages"]) / "node_modules/@anthropic-ai/claude-code-linux-x64/claude"
# Port 9 of this machine: refused at once.
NOWHERE = "http://127.0.0.1:9"
SERVERS = {"hubcap": "small", "pages": "pages"}


def claude(*arguments):
    environment = {
        "HOME": SETUP["user"],
        "PATH": "/usr/bin:/bin",
        "HTTPS_PROXY": NOWHERE,
        "HTTP_PROXY": NOWHERE,
        # Whatever it does first, it waits for its servers, and not only as long as a quick machine takes.
        "MCP_CONNECTION_NONBLOCKING": "0",
        "MCP_TIMEOUT": "60000",
        "MCP_CONNECT_TIMEOUT_MS": "60000",
        "DISABLE_AUTOUPDATER": "1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }
    return finish([PROGRAM, *arguments], env=environment, cwd=SETUP["user"])


def add():
    for name, home in SERVERS.items():
        serve = [SETUP["hubcap"], "serve", "--log", "error", "--home", SETUP[home]]
        done = claude("mcp", "add", name, "--", *serve)
        assert done.returncode == 0 and f"Added stdio MCP server {name}" in done.stdout, done
    return f"{claude('--version').stdout.strip()}: " + " and ".join(SERVERS)


def connected():
    done = claude("mcp", "list")
    lines = [line for line in done.stdout.splitlines() if "✔ Connected" in line]
    assert done.returncode == 0 and len(lines) == len(SERVERS), done
    return f"{len(lines)} times ✔ Connected"


def init():
    """Claude Code changes characters of names that it does not take: none of ours had to be."""
    # It ends with 1, because nobody has logged in; until then it has said what there is.
    done = claude("-p", "hello", "--output-format", "stream-json", "--verbose")
    first = json.loads(done.stdout.splitlines()[0])
    assert first["subtype"] == "init", first
    states = {server["name"]: server["status"] for server in first["mcp_servers"]}
    assert states == {name: "connected" for name in SERVERS}, states
    shown = sorted(tool for tool in first["tools"] if tool.startswith("mcp__"))
    wanted = sorted(f"mcp__{name}__{tool}" for name, home in SERVERS.items() for tool in tools_of(home))
    assert shown == wanted and "mcp__hubcap__hello_greet" in shown, set(shown) ^ set(wanted)
    return f"{len(shown)} tools, mcp__hubcap__hello_greet among them: all of ours, under our names"


def remove():
    for name in SERVERS:
        assert claude("mcp", "remove", name).returncode == 0, name
    done = claude("mcp", "list")
    assert done.returncode == 0 and not any(f"{name}:" in done.stdout for name in SERVERS), done
    return "both are gone from `mcp list`"


say_all({"add": add, "list": connected, "init": init, "remove": remove})
