"""Signing in with Streamlit's own st.login, at a small OpenID provider on this machine, in a real browser.

Each user sees the registers that the access file names for them, and no other. Skipped without
`headway[sign-in]`.
"""

import base64
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from browsing import free_port, opened, reached, serving, settled
from six_schools import CAPACITY, GOOD, SCHOOL, STAFF, TRUST, keep, write_tables

pytest.importorskip("authlib", reason="sign-in is not installed: pip install 'headway[sign-in]'")
from joserfc import jwk, jwt

pytestmark = [pytest.mark.browser, pytest.mark.slow]
HEAD, CHIEF = "head@ash.example", "chief@oak.example"
ACCESS = f'["{HEAD}"]\nsee = ["{SCHOOL}"]\n["{CHIEF}"]\nsee = ["{TRUST}"]\n'


class Provider(BaseHTTPRequestHandler):
    """Discovery, a page to choose who one is, tokens signed with RS256, and the key to check them with."""

    key = jwk.RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
    asked: dict[str, str] = {}  # the nonce of each code

    def do_GET(self) -> None:
        path, query = (
            urlsplit(self.path).path,
            {name: one[0] for name, one in parse_qs(urlsplit(self.path).query).items()},
        )
        if path == "/authorize":
            links = [self.link(user, query) for user in (HEAD, CHIEF)]
            return self.answer("text/html", "<!doctype html><title>Who are you?</title>" + "<br>".join(links))
        if path == "/keys":
            return self.answer("application/json", json.dumps(jwk.KeySet([self.key]).as_dict(private=False)))
        ends = {
            "issuer": "",
            "authorization_endpoint": "/authorize",
            "token_endpoint": "/token",
            "jwks_uri": "/keys",
        }
        told = {name: f"http://{self.headers['Host']}{end}" for name, end in ends.items()}
        self.answer(
            "application/json", json.dumps({**told, "id_token_signing_alg_values_supported": ["RS256"]})
        )

    def link(self, user: str, query: dict[str, str]) -> str:
        code = f"{user} {len(self.asked)}"
        self.asked[code] = query.get("nonce", "")
        return f'<a href="{query["redirect_uri"]}?{urlencode({"code": code, "state": query["state"]})}">{user}</a>'

    def do_POST(self) -> None:
        sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        code, now = sent["code"][0], int(time.time())
        user = code.split()[0]
        claims = {
            "iss": f"http://{self.headers['Host']}",
            "aud": "headway",
            "sub": user,
            "email": user,
            "email_verified": True,
            "nonce": self.asked.pop(code),
            "iat": now,
            "exp": now + 600,
        }
        token = jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.key)
        self.answer(
            "application/json",
            json.dumps({"access_token": "x", "token_type": "Bearer", "expires_in": 600, "id_token": token}),
        )

    def answer(self, kind: str, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    """An explorer with a sign-in, an access file and two registers: a school's and its trust's."""
    folder = tmp_path_factory.mktemp("signed_in")
    tables = write_tables(folder / "tables")
    keep(tables, STAFF, SCHOOL)
    keep(tables, CAPACITY, TRUST)
    (folder / "access.toml").write_text(ACCESS)
    provider = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=provider.serve_forever, daemon=True).start()
    port, secret = free_port(), base64.b64encode(b"of this test alone").decode()
    (folder / "secrets.toml").write_text(
        f'[auth]\nredirect_uri = "http://127.0.0.1:{port}/oauth2callback"\ncookie_secret = "{secret}"\n'
        f'client_id = "headway"\nclient_secret = "{secret}"\n'
        f'server_metadata_url = "http://127.0.0.1:{provider.server_port}/.well-known/openid-configuration"\n'
    )
    where = {"HEADWAY_REGISTERS": str(folder / "registers"), "HEADWAY_ACCESS": str(folder / "access.toml")}
    with serving(
        tables,
        folder,
        folder / "log.txt",
        "--secrets.files",
        str(folder / "secrets.toml"),
        port=port,
        **where,
    ) as here:
        yield here
    provider.shutdown()


def registers_seen(page) -> set[str]:
    """Whose registers the pages show."""
    opened(page, f"/school?urn={GOOD}")
    page.get_by_role("heading", name="Take it away").wait_for()  # what stands after a register is there
    school = settled(page)
    opened(page, "/trust?trust=77")
    page.get_by_role("button", name="Download these schools").wait_for()
    trust = settled(page)
    return {
        owner
        for owner, there in ((SCHOOL, "Staff, counted on" in school), (TRUST, "of staff, at least" in trust))
        if there
    }


def test_each_user_sees_their_own_registers_alone_and_none_once_signed_out(chromium, address):
    context = chromium.new_context(base_url=address)
    page = context.new_page()
    for user, owner in ((HEAD, SCHOOL), (CHIEF, TRUST)):
        opened(page, "/about")
        reached(page, "button", "Sign in")
        page.keyboard.press("Enter")
        page.get_by_role("link", name=user).wait_for()
        reached(page, "a", user)
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Sign out").wait_for()
        assert registers_seen(page) == {owner}
        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("button", name="Sign in").wait_for()
    assert registers_seen(page) == set()
    context.close()


def test_the_cookie_of_a_sign_in_cant_be_made_by_hand(chromium, address):
    context = chromium.new_context(base_url=address)
    context.add_cookies(
        [
            {
                "name": "_streamlit_user",
                "value": json.dumps({"is_logged_in": True, "email": HEAD}),
                "url": address,
            }
        ]
    )
    assert registers_seen(context.new_page()) == set()
    context.close()
