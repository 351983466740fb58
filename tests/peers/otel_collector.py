"""A collector of traces on 127.0.0.1 that reads what it is sent with OpenTelemetry's own classes.

usage: otel_collector.py '{"port": 0, "path": "/v1/traces", "cert": null, "key": null}'

Writes a line of JSON for each request: its path, headers and body (in hex), and its spans with
their resource. Lines on its standard input say how it answers from then on: `take` (as it does at
first), `busy` (503), `refuse` (400), `garbage` (a page with status 200), `hang` (never). Ends when
its standard input closes.
"""

import json
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

OPTIONS = json.loads(sys.argv[1])
MANNERS = {"now": "take"}
PRINTING = threading.Lock()


def say(**what):
    with PRINTING:
        print(json.dumps(what), flush=True)


def attributes(of):
    return {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in of.attributes}


def read(body):
    request = ExportTraceServiceRequest()
    request.ParseFromString(body)
    for of in request.resource_spans:
        for scope in of.scope_spans:
            for span in scope.spans:
                yield {
                    "resource": attributes(of.resource),
                    "scope": scope.scope.name,
                    "name": span.name,
                    "kind": Span.SpanKind.Name(span.kind),
                    "trace": span.trace_id.hex(),
                    "id": span.span_id.hex(),
                    "parent": span.parent_span_id.hex(),
                    "start": span.start_time_unix_nano,
                    "end": span.end_time_unix_nano,
                    "attributes": attributes(span),
                    "status": Status.StatusCode.Name(span.status.code),
                    "message": span.status.message,
                }


class Collector(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        manners = MANNERS["now"]
        say(
            event="request",
            manners=manners,
            path=self.path,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body.hex(),
            spans=list(read(body)),
        )
        if manners == "hang":
            threading.Event().wait()
        status = {"busy": 503, "refuse": 400}.get(manners, 200)
        if self.path != OPTIONS.get("path", "/v1/traces"):
            status = 404
        page = b"<html>log in first</html>"
        body = page if manners == "garbage" else ExportTraceServiceResponse().SerializeToString()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True


def main():
    server = Server(("127.0.0.1", OPTIONS.get("port") or 0), Collector)
    if OPTIONS.get("cert"):
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(OPTIONS["cert"], OPTIONS["key"])
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    say(event="listening", port=server.server_address[1])
    for line in sys.stdin:
        MANNERS["now"] = line.strip()
        say(event="manners", now=MANNERS["now"])


main()
