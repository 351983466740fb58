"""aiortc as a WHIP server on 127.0.0.1 that decodes what it is given.

usage: whip_server.py '{"port": 0, "token": null, "cert": null, "key": null,
                        "silent": false, "deaf": false, "redirect": null}'

Takes streams at /market/whip; `silent` never answers an offer, `deaf` answers and
hears no datagram, `redirect` sends elsewhere. Writes a line of JSON for everything that happens;
that of a picture is followed by its planes (I420, `bytes` of them). Lines on its
standard input: `pli` asks for a key frame, `bye` ends the stream as a server does.
Ends when its standard input closes.
"""

import asyncio
import json
import ssl
import sys
import threading

import aioice.ice
from aiohttp import web
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

# Leaves loopback out, which is all there may be here.
aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]

OPTIONS = json.loads(sys.argv[1])
SESSIONS = {}


def say(planes=b"", **what):
    line = json.dumps(what | ({"bytes": len(planes)} if planes else {}))
    sys.stdout.buffer.write(line.encode() + b"\n" + planes)
    sys.stdout.buffer.flush()


def rows(plane):
    """The plane without what lies between its rows."""
    data, width, stride = bytes(plane), plane.width, plane.line_size
    if width == stride:
        return data[: width * plane.height]
    return b"".join(data[y * stride :][:width] for y in range(plane.height))


async def watch(track):
    while True:
        try:
            frame = await track.recv()
        except MediaStreamError:
            return
        say(
            b"".join(rows(plane) for plane in frame.planes),
            event="picture",
            width=frame.width,
            height=frame.height,
            key=bool(frame.key_frame),
        )


def known(request):
    authorization = request.headers.get("Authorization")
    token = OPTIONS.get("token")
    return token is None or authorization == f"Bearer {token}"


async def offer(request):
    say(
        event="offer",
        path=request.path,
        kind=request.content_type,
        authorization=request.headers.get("Authorization"),
    )
    if OPTIONS.get("silent"):
        await asyncio.sleep(3600)
    if OPTIONS.get("redirect") and request.path == "/market/whip":
        return web.Response(status=307, headers={"Location": OPTIONS["redirect"]})
    if not known(request):
        return web.Response(status=401, text="who are you?")
    sdp = await request.text()
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    pc.on("track", lambda track: asyncio.ensure_future(watch(track)))
    pc.on("connectionstatechange", lambda: say(event="state", state=pc.connectionState))
    await pc.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="offer"))
    await pc.setLocalDescription(await pc.createAnswer())
    if OPTIONS.get("deaf"):
        await pc.close()
    name = str(len(SESSIONS) + 1)
    SESSIONS[name] = pc
    headers = {
        "ETag": '"one"',
        "Link": '<stun:stun.example.org>; rel="ice-server"',
        "Location": f"/market/whip/{name}",
    }
    return web.Response(
        status=201,
        text=pc.localDescription.sdp,
        content_type="application/sdp",
        headers=headers,
    )


async def delete(request):
    session = SESSIONS.get(request.match_info["name"])
    status = 404 if session is None else 200 if known(request) else 401
    say(event="delete", status=status)
    if status == 200:
        await session.close()
    return web.Response(status=status)


async def ask_for_key_frame():
    for pc in SESSIONS.values():
        for receiver in pc.getReceivers():
            for ssrc in receiver._RTCRtpReceiver__active_ssrc:
                await receiver._send_rtcp_pli(ssrc)


async def bye():
    for pc in SESSIONS.values():
        await pc.close()


def listen(loop, ended):
    for line in sys.stdin:
        act = {"pli": ask_for_key_frame, "bye": bye}[line.strip()]
        asyncio.run_coroutine_threadsafe(act(), loop)
    loop.call_soon_threadsafe(ended.set)


async def main():
    app = web.Application()
    app.router.add_post("/market/whip", offer)
    app.router.add_post("/elsewhere/whip", offer)
    app.router.add_delete("/market/whip/{name}", delete)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    context = None
    if OPTIONS.get("cert"):
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(OPTIONS["cert"], OPTIONS["key"])
    site = web.TCPSite(
        runner, "127.0.0.1", OPTIONS.get("port", 0), ssl_context=context, reuse_address=True
    )
    await site.start()
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    threading.Thread(target=listen, args=(loop, ended), daemon=True).start()
    say(event="listening", port=runner.addresses[0][1])
    await ended.wait()
    await bye()


asyncio.run(main())
