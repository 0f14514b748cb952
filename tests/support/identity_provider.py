"""A tiny OpenID Connect provider on loopback: whoever asks is logged in at once as the person it was made for."""

import contextlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

CLIENT, SECRET = "kvmperf", "only a test"


@contextlib.contextmanager
def provider(claims):
    """The provider's address, while it runs. Its identity tokens carry these claims."""
    from joserfc.jwk import RSAKey

    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.claims, server.nonces, server.key = claims, {}, RSAKey.generate_key(2048, parameters={"kid": "1"})
    server.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.address
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        url = urlsplit(self.path)
        if url.path == "/authorize":
            self._authorize({name: values[0] for name, values in parse_qs(url.query).items()})
        elif url.path == "/jwks":
            self._answer({"keys": [self.server.key.as_dict(private=False)]})
        else:
            self._answer(self._metadata())

    def do_POST(self):
        from joserfc import jwt

        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        now = int(time.time())
        told = {"iss": self.server.address, "aud": CLIENT, "iat": now, "exp": now + 600}
        told |= {"nonce": self.server.nonces.pop(form["code"][0]), **self.server.claims}
        token = jwt.encode({"alg": "RS256", "kid": "1"}, told, self.server.key)
        self._answer({"access_token": "a", "token_type": "Bearer", "expires_in": 600, "id_token": token})

    def _authorize(self, asked):
        code = f"code-{len(self.server.nonces)}"
        self.server.nonces[code] = asked["nonce"]
        self.send_response(302)
        self.send_header("Location", f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}")
        self.end_headers()

    def _metadata(self):
        base = self.server.address
        return {
            "issuer": base,
            "authorization_endpoint": f"{base}/authorize",
            "token_endpoint": f"{base}/token",
            "jwks_uri": f"{base}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def _answer(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass
