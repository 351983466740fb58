"""A VMS by onvif-python: adds a camera, reads it, steers it, and prints what it understood.

usage: vms_onvif_python.py HOST PORT USER PASSWORD
"""

import json
import sys
import time

from onvif import ONVIFClient, ONVIFOperationException
from onvif.operator import CacheMode


def refused(call, *arguments, **named):
    try:
        call(*arguments, **named)
    except ONVIFOperationException as fault:
        return str(fault)
    return None


def main(host, port, user, password):
    client = ONVIFClient(host, int(port), user, password, cache=CacheMode.NONE)
    device, media, ptz = client.devicemgmt(), client.media(), client.ptz()
    information = device.GetDeviceInformation()
    profile = media.GetProfiles()[0].token
    uri = media.GetStreamUri(
        StreamSetup={"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}},
        ProfileToken=profile,
    )
    before = ptz.GetStatus(ProfileToken=profile)
    ptz.ContinuousMove(
        ProfileToken=profile,
        Velocity={"PanTilt": {"x": 0.0, "y": -0.5}},
    )
    time.sleep(1.0)
    ptz.Stop(ProfileToken=profile)
    for _ in range(100):
        after = ptz.GetStatus(ProfileToken=profile)
        if after.MoveStatus.PanTilt == "IDLE":
            break
        time.sleep(0.1)
    told = {
        "model": information.Model,
        "uri": uri.Uri,
        "tilted": after.Position.PanTilt.y - before.Position.PanTilt.y,
        "presets": [p.Name for p in ptz.GetPresets(ProfileToken=profile)],
        "snapshot": refused(media.GetSnapshotUri, ProfileToken=profile),
    }
    print(json.dumps(told))


main(*sys.argv[1:5])
