"""What `wandb sync` talks to, as far as it needs it: answers the questions of its GraphQL, and writes what arrives, a line of
JSON for each request."""
import gzip
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

arrived = open(sys.argv[1], "a", buffering=1)


class Asked(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def body(self):
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return gzip.decompress(data) if self.headers.get("Content-Encoding") == "gzip" else data

    def answer(self, body):
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        self.answer({})

    def do_PUT(self):
        arrived.write(json.dumps({"file": self.path, "text": self.body().decode(errors="replace")}) + "\n")
        self.answer({})

    def do_POST(self):
        body = json.loads(self.body())
        if not self.path.endswith("/graphql"):
            arrived.write(json.dumps({"stream": self.path, **body}) + "\n")
            return self.answer({"exitcode": None, "limits": {}})
        variables = body.get("variables") or {}
        arrived.write(json.dumps({"asked": body["query"].split("(")[0].strip(), "variables": variables}) + "\n")
        project = {"id": "p", "name": variables.get("project"), "entity": {"id": "e", "name": variables.get("entity") or "someone"}}
        bucket = {"id": "b", "name": variables.get("name"), "config": "{}", "historyLineCount": 0, "project": project}
        address = "http://%s/upload/%%s" % self.headers["Host"]
        files = [{"name": name, "uploadUrl": address % name} for name in variables.get("files", [])]
        viewer = {"id": "u", "username": "someone", "entity": "someone", "flags": "{}", "teams": {"edges": []}}
        data = {
            "viewer": viewer,
            "serverInfo": {"cliVersionInfo": "{}", "latestLocalVersionInfo": None, "features": []},
            "upsertBucket": {"bucket": bucket, "inserted": True},
            "createRunFiles": {"runID": "b", "uploadHeaders": [], "files": files},
        }
        self.answer({"data": data})


server = ThreadingHTTPServer(("127.0.0.1", 0), Asked)
print(server.server_address[1], flush=True)
server.serve_forever()
