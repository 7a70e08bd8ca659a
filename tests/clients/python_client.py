"""The official Python client (PyPI `mcp`) against `hubcap serve`, in one era.

Says one line for each check, `ok` or `FAILED`, a tab, the check's name, a tab, what was seen. The one argument is
JSON, made by `run`.
"""

import asyncio
import json
import shutil
import sys
import time
import traceback
from pathlib import Path

import anyio
from mcp import Client, StdioServerParameters
from mcp_types import ElicitResult, InputRequiredResult

SETUP = json.loads(sys.argv[1])
LEGACY = SETUP["era"] == "legacy"
REVISION = "2025-11-25" if LEGACY else "2026-07-28"
LONG_ENOUGH = 60


class Person:
    """Whoever is asked: answers as told, and counts."""

    def __init__(self):
        self.asked, self.decision, self.message = 0, "approve", ""

    async def elicit(self, _context, params):
        self.asked, self.message = self.asked + 1, params.message
        return ElicitResult(action="accept", content={"decision": self.decision})


def connect(command, person, mode):
    server = StdioServerParameters(command=command[0], args=command[1:])
    return Client(server, mode=mode, elicitation_callback=person.elicit)


async def names(client):
    """All tools that are listed now, and on how many pages."""
    page = await client.list_tools(cache_mode="bypass")
    found, pages = [tool.name for tool in page.tools], 1
    while page.next_cursor is not None:
        page = await client.list_tools(cursor=page.next_cursor)
        found, pages = found + [tool.name for tool in page.tools], pages + 1
    return found, pages


def text(result):
    return result.content[0].text


def refused(result, words):
    assert result.is_error and words in text(result), result
    assert "hubcap/receipt" not in result.meta, "it ran"
    return text(result)


async def lists(client, _):
    page = await client.list_tools()
    tool = next(tool for tool in page.tools if tool.name == "echo_say")
    assert tool.title == "Say" and tool.annotations.read_only_hint, tool
    assert tool.input_schema["required"] == ["text"], tool
    assert client.protocol_version == REVISION, client.protocol_version
    return f"{REVISION}; title, schema and annotations of echo_say"


async def pages(client, _):
    found, count = await names(client)
    assert len(set(found)) == len(found) == SETUP["tools"] and count == 2, (len(found), count)
    return f"{len(found)} tools on {count} pages, each once"


async def calls(client, _):
    result = await client.call_tool("echo_say", {"text": "grüß dich"})
    assert not result.is_error and text(result) == "grüß dich", result
    return f"{text(result)}; {result.meta['hubcap/receipt']['fuel']} fuel"


async def structured(client, _):
    result = await client.call_tool("echo_structured", {"n": 21})
    assert result.structured_content == {"n": 21, "twice": 42}, result
    broken = await client.call_tool("echo_bad-structured", {})
    assert broken.is_error and text(broken).startswith("invalid-output"), broken
    return f"{result.structured_content}, checked by the client too; a broken promise is {text(broken)[:14]}"


async def wrong_arguments(client, _):
    refused(await client.call_tool("echo_structured", {}), "\"n\"")
    return refused(await client.call_tool("echo_structured", {"n": "x"}), "invalid-arguments: ")


async def progress(client, _):
    seen = []

    async def report(value, total, message):
        seen.append((value, total, message))

    result = await client.call_tool("echo_progress", {"steps": 5}, progress_callback=report)
    assert text(result) == "5", result
    values = [value for value, _, _ in seen]
    assert values and values == sorted(set(values)) and all(total == 5 for _, total, _ in seen), seen
    return f"{len(seen)} reports, growing, the last {seen[-1][2]!r}"


async def cancel(client, _):
    """Only one call of a plugin runs at a time in this home: the next one runs once this one is over."""
    with anyio.CancelScope() as scope:

        async def running(*_):
            scope.cancel()

        await client.call_tool("echo_sleep", {"ms": 25_000}, progress_callback=running)
    assert scope.cancelled_caught, "the call ended by itself"
    start = time.monotonic()
    result = await client.call_tool("echo_say", {"text": "next"})
    assert text(result) == "next", result
    return f"given up while it ran; its place was free after {1000 * (time.monotonic() - start):.0f} ms"


async def approval(client, person):
    result = await client.call_tool("echo_big", {"bytes": 3})
    assert text(result) == "bbb" and person.asked == 1 and "echo_big" in person.message, (result, person.asked)
    person.decision = "decline"
    words = refused(await client.call_tool("echo_big", {"bytes": 3}), "approval: ")
    person.decision = "approve"
    return f"asked, approved, ran; asked, declined: {words}"


async def replay(client, person):
    if LEGACY:
        before = person.asked
        for _ in range(2):
            assert text(await client.call_tool("echo_big", {"bytes": 3})) == "bbb"
        assert person.asked == before + 2, person.asked
        return "the same call again is asked for again"
    call = client.session.call_tool
    question = await call("echo_big", {"bytes": 3}, allow_input_required=True)
    assert isinstance(question, InputRequiredResult), question
    answer = {"approval": ElicitResult(action="accept", content={"decision": "approve"})}
    state = {"input_responses": answer, "request_state": question.request_state}
    other = refused(await call("echo_big", {"bytes": 4}, **state), "approval: ")
    question = await call("echo_big", {"bytes": 3}, allow_input_required=True)
    state["request_state"] = question.request_state
    assert text(await call("echo_big", {"bytes": 3}, **state)) == "bbb"
    again = refused(await call("echo_big", {"bytes": 3}, **state), "it was used already")
    return f"a second time: {again[:60]}…; other arguments: {other[:60]}…"


async def list_changed(*_):
    """hubcap promises no notice of changes: who lists again sees them."""
    mode = "legacy" if LEGACY else "auto"
    async with connect(SETUP["dev"], Person(), mode) as client:
        assert client.protocol_version == REVISION, client.protocol_version
        assert not client.server_capabilities.tools.list_changed
        before, _ = await names(client)
        assert "second_say" not in before and "echo_say" in before, before
        shutil.copy(SETUP["guest"], SETUP["second"])
        await listed(client, lambda found: "second_say" in found)
        assert text(await client.call_tool("second_say", {"text": "new"})) == "new"
        Path(SETUP["second"]).unlink()
        await listed(client, lambda found: found == before)
    return "a file came and went under `serve --dev`: its tools were listed, called, gone"


async def listed(client, wanted):
    while not wanted((await names(client))[0]):
        await anyio.sleep(0.02)


async def shutdown(closed):
    """A server that does not end by itself is ended by the client, after 2 s, and leaves no code."""
    took = time.monotonic() - closed
    code = Path(SETUP["status"]).read_text(encoding="ascii").strip()
    assert code == "0", code
    return f"the server ended by itself with 0, the client closed in {1000 * took:.0f} ms"


CHECKS = {
    "list": lists,
    "page": pages,
    "call": calls,
    "structured": structured,
    "wrong-arguments": wrong_arguments,
    "progress": progress,
    "cancel": cancel,
    "approval": approval,
    "replay": replay,
    "list-changed": list_changed,
}


async def say(name, check):
    try:
        with anyio.fail_after(LONG_ENOUGH):
            print("ok", name, await check, sep="\t", flush=True)
    except Exception as error:
        traceback.print_exc()
        print("FAILED", name, repr(error), sep="\t", flush=True)


async def main():
    person = Person()
    async with connect(SETUP["serve"], person, SETUP["era"]) as client:
        for name, check in CHECKS.items():
            await say(name, check(client, person))
        closed = time.monotonic()
    await say("shutdown", shutdown(closed))


asyncio.run(main())
