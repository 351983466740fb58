"""Drives an ONVIF camera with a strict client and prints what it understood.

usage: onvif_client.py HOST PORT USER PASSWORD
"""

import asyncio
import json
import sys

from onvif import ONVIFCamera


def position(vector):
    return {
        "pan": vector.PanTilt.x,
        "tilt": vector.PanTilt.y,
        "space": vector.PanTilt.space,
        "zoom": vector.Zoom.x,
    }


async def until_idle(ptz, profile):
    for _ in range(100):
        status = await ptz.GetStatus({"ProfileToken": profile})
        if status.MoveStatus.PanTilt == "IDLE" and status.MoveStatus.Zoom == "IDLE":
            return status
        await asyncio.sleep(0.1)
    raise SystemExit("the camera never came to rest")


async def main(host, port, user, password):
    camera = ONVIFCamera(host, int(port), user, password)
    await camera.update_xaddrs()
    device = await camera.create_devicemgmt_service()
    media = await camera.create_media_service()
    ptz = await camera.create_ptz_service()
    profiles = await media.GetProfiles()
    profile = profiles[0].token
    setup = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
    uri = await media.GetStreamUri({"StreamSetup": setup, "ProfileToken": profile})
    nodes = await ptz.GetNodes()
    node = await ptz.GetNode({"NodeToken": nodes[0].token})
    configurations = await ptz.GetConfigurations()
    options = await ptz.GetConfigurationOptions(
        {"ConfigurationToken": configurations[0].token}
    )
    first = await ptz.GetStatus({"ProfileToken": profile})
    await ptz.AbsoluteMove(
        {
            "ProfileToken": profile,
            "Position": {"PanTilt": {"x": 0.25, "y": 0.5}, "Zoom": {"x": 0.3}},
        }
    )
    absolute = await until_idle(ptz, profile)
    token = await ptz.SetPreset({"ProfileToken": profile, "PresetName": "peer"})
    await ptz.RelativeMove(
        {
            "ProfileToken": profile,
            "Translation": {"PanTilt": {"x": -0.1, "y": 0.1}, "Zoom": {"x": -0.1}},
        }
    )
    relative = await until_idle(ptz, profile)
    await ptz.ContinuousMove(
        {"ProfileToken": profile, "Velocity": {"PanTilt": {"x": 0.2, "y": 0.0}}}
    )
    await asyncio.sleep(0.5)
    await ptz.Stop({"ProfileToken": profile, "PanTilt": True, "Zoom": True})
    continuous = await until_idle(ptz, profile)
    await ptz.GotoPreset({"ProfileToken": profile, "PresetToken": token})
    preset = await until_idle(ptz, profile)
    presets = await ptz.GetPresets({"ProfileToken": profile})
    await ptz.RemovePreset({"ProfileToken": profile, "PresetToken": token})
    left = await ptz.GetPresets({"ProfileToken": profile})
    await ptz.GotoHomePosition({"ProfileToken": profile})
    home = await until_idle(ptz, profile)
    information = await device.GetDeviceInformation()
    time = await device.GetSystemDateAndTime()
    print(
        json.dumps(
            {
                "model": information.Model,
                "year": time.UTCDateTime.Date.Year,
                "uri": uri.Uri,
                "profiles": len(profiles),
                "home_supported": node.HomeSupported,
                "spaces": len(options.Spaces.AbsolutePanTiltPositionSpace),
                "milliseconds": first.UtcTime.microsecond % 1000 == 0,
                "absolute": position(absolute.Position),
                "relative": position(relative.Position),
                "continuous": position(continuous.Position),
                "preset": position(preset.Position),
                "home": position(home.Position),
                "named": [p.Name for p in presets if p.token == token],
                "removed": all(p.token != token for p in left),
            }
        )
    )
    await camera.close()


asyncio.run(main(*sys.argv[1:5]))
