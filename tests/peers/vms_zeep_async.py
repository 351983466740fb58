"""A VMS by onvif-zeep-async: adds a camera, reads it, steers it, and prints what it understood.

usage: vms_zeep_async.py HOST PORT USER PASSWORD [look]
"""

import asyncio
import json
import sys

import onvif
from onvif import ONVIFCamera
from zeep.exceptions import Fault


async def refused(call):
    try:
        await call
    except Fault as fault:
        return fault.message
    return None


async def until_idle(ptz, profile, at_x=None):
    for _ in range(300):
        status = await ptz.GetStatus({"ProfileToken": profile})
        if status.MoveStatus.PanTilt == "IDLE" and status.Position is not None:
            if at_x is None or abs(status.Position.PanTilt.x - at_x) < 2e-3:
                return status
        await asyncio.sleep(0.1)
    raise SystemExit(f"the camera never came to rest at {at_x}: {status}")


async def main(host, port, user, password, only_look=False):
    camera = ONVIFCamera(host, int(port), user, password)
    await camera.update_xaddrs()
    device = await camera.create_devicemgmt_service()
    media = await camera.create_media_service()
    ptz = await camera.create_ptz_service()
    information = await device.GetDeviceInformation()
    time = await device.GetSystemDateAndTime()
    scopes = await device.GetScopes()
    interfaces = await device.GetNetworkInterfaces()
    hostname = await device.GetHostname()
    profiles = await media.GetProfiles()
    profile = profiles[0].token
    sources = await media.GetVideoSources()
    encoders = await media.GetVideoEncoderConfigurations()
    encoder_options = await media.GetVideoEncoderConfigurationOptions(
        {"ProfileToken": profile}
    )
    source_configurations = await media.GetVideoSourceConfigurations()
    setup = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
    uri = await media.GetStreamUri({"StreamSetup": setup, "ProfileToken": profile})
    snapshot = await refused(media.GetSnapshotUri({"ProfileToken": profile}))
    unknown = await refused(device.SystemReboot())
    nodes = await ptz.GetNodes()
    node = await ptz.GetNode({"NodeToken": nodes[0].token})
    configurations = await ptz.GetConfigurations()
    options = await ptz.GetConfigurationOptions(
        {"ConfigurationToken": configurations[0].token}
    )
    told = {
        "client": onvif.__name__,
        "model": information.Model,
        "serial": information.SerialNumber,
        "year": time.UTCDateTime.Date.Year,
        "scopes": [s.ScopeItem for s in scopes],
        "mac": interfaces[0].Info.HwAddress,
        "host": hostname.Name,
        "profiles": len(profiles),
        "size": [sources[0].Resolution.Width, sources[0].Resolution.Height],
        "encoding": encoders[0].Encoding,
        "options": encoder_options.H264.ResolutionsAvailable[0].Width,
        "bounds": source_configurations[0].Bounds.width,
        "uri": uri.Uri,
        "snapshot": snapshot,
        "unknown": unknown,
        "home_supported": node.HomeSupported,
        "spaces": len(options.Spaces.AbsolutePanTiltPositionSpace),
    }
    await until_idle(ptz, profile)
    velocity = {"PanTilt": {"x": -0.5, "y": 0.0}}
    move = {"ProfileToken": profile, "Velocity": velocity, "Timeout": "PT5S"}
    if only_look:
        told["steer"] = await refused(ptz.ContinuousMove(move))
        told["stop"] = await refused(ptz.Stop({"ProfileToken": profile}))
    else:
        before = await until_idle(ptz, profile)
        await ptz.ContinuousMove(move)
        # Longer than the gateway's dead man, without another word.
        await asyncio.sleep(1.5)
        during = await ptz.GetStatus({"ProfileToken": profile})
        told["moving"] = during.MoveStatus.PanTilt
        await ptz.Stop({"ProfileToken": profile, "PanTilt": True, "Zoom": True})
        after = await until_idle(ptz, profile)
        told["turned"] = after.Position.PanTilt.x - before.Position.PanTilt.x
        position = {"PanTilt": {"x": 0.25, "y": 0.5}, "Zoom": {"x": 0.1}}
        await ptz.AbsoluteMove({"ProfileToken": profile, "Position": position})
        there = await until_idle(ptz, profile, 0.25)
        told["there"] = [there.Position.PanTilt.x, there.Position.PanTilt.y]
        by = {"PanTilt": {"x": -0.05, "y": 0.0}}
        await ptz.RelativeMove({"ProfileToken": profile, "Translation": by})
        told["relative"] = (
            await until_idle(ptz, profile, 0.2)
        ).Position.PanTilt.x
        too_close = {"PanTilt": {"x": 0.25, "y": 0.5}, "Zoom": {"x": 1.0}}
        told["too_close"] = await refused(
            ptz.AbsoluteMove({"ProfileToken": profile, "Position": too_close})
        )
        told["no_home"] = await refused(
            ptz.GotoHomePosition({"ProfileToken": profile})
        )
        presets = await ptz.GetPresets({"ProfileToken": profile})
        told["presets"] = [p.Name for p in presets]
        told["no_preset"] = await refused(
            ptz.GotoPreset({"ProfileToken": profile, "PresetToken": "nobody's"})
        )
        await ptz.GotoPreset({"ProfileToken": profile, "PresetToken": presets[0].token})
        at = presets[0].PTZPosition.PanTilt
        preset = (await until_idle(ptz, profile, at.x)).Position.PanTilt
        told["preset"] = [preset.x - at.x, preset.y - at.y]
    print(json.dumps(told))
    await camera.close()


asyncio.run(main(*sys.argv[1:5], only_look=sys.argv[5:] == ["look"]))
