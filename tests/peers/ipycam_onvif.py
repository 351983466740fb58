"""ipycam's ONVIF services on 127.0.0.1, without its video.

usage: ipycam_onvif.py shipped|patched

Prints the port it listens on, then serves until its standard input closes.
`shipped` answers GetStatus as ipycam does: with an undeclared prefix,
placeholders nobody fills in, and no time. `patched` answers as ONVIF asks.
"""

import sys
import threading
import types
from datetime import datetime, timezone
from http.server import ThreadingHTTPServer

# Its video half wants OpenCV and numpy at import; nothing here calls them.
for absent in ("cv2", "numpy"):
    sys.modules[absent] = types.ModuleType(absent)
    sys.modules[absent].__getattr__ = lambda name: object

from ipycam.config import CameraConfig  # noqa: E402
from ipycam.http import IPCameraHTTPHandler  # noqa: E402
from ipycam.onvif import ONVIFService  # noqa: E402
from ipycam.ptz import PTZController  # noqa: E402


class Camera:
    def __init__(self, port):
        self.config = CameraConfig(
            local_ip="127.0.0.1",
            onvif_port=port,
            username="admin",
            password="admin",
        )
        self.ptz = PTZController()
        self.onvif = ONVIFService(self.config, self.ptz)


def patch(onvif):
    render = onvif._render

    def filled(name, **values):
        if name == "ptz_get_status":
            now = datetime.now(timezone.utc)
            values["pan_tilt_status"] = values["zoom_status"] = "IDLE"
            values["utc_time"] = now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z"
        if name == "envelope":
            values["body"] = values["body"].replace("ptz:", "tptz:")
        return render(name, **values)

    onvif._render = filled


def main():
    handler = type("Handler", (IPCameraHTTPHandler,), {"protocol_version": "HTTP/1.1"})
    handler.log_message = lambda *_: None
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    port = server.server_address[1]
    camera = Camera(port)
    if sys.argv[1:] == ["patched"]:
        patch(camera.onvif)
    elif sys.argv[1:] != ["shipped"]:
        sys.exit(__doc__)
    handler.camera = camera
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
