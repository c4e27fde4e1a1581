"""Git servers on loopback: OpenSSH's sshd, and git's own http-backend behind TLS and a token."""

from __future__ import annotations

import base64
import getpass
import http.server
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from processes import START_SECONDS, free_port, stop

SSHD = "/usr/sbin/sshd"


@dataclass(frozen=True)
class Key:
    """An ed25519 key without passphrase."""

    file: Path

    @classmethod
    def generate(cls, file: Path) -> Key:
        """A new key in this file."""
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", file.name, "-f", str(file)],
            check=True,
            stdin=subprocess.DEVNULL,
        )
        return cls(file)

    @property
    def public(self) -> str:
        """Type and key, as known hosts and authorised keys want it."""
        return " ".join(self.file.with_suffix(".pub").read_text(encoding="ascii").split()[:2])

    @property
    def fingerprint(self) -> str:
        """`SHA256:…`."""
        told = subprocess.run(
            ["ssh-keygen", "-l", "-f", str(self.file)], check=True, capture_output=True, text=True
        ).stdout
        return told.split()[1]


@dataclass
class Sshd:
    """An sshd for the user who runs the tests, who has one key."""

    folder: Path
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        self.log = self.folder / "sshd.log"
        self.host = Key.generate(self.folder / "host")
        self.user = Key.generate(self.folder / "user")
        (self.folder / "authorized").write_text(f"{self.user.public}\n", encoding="ascii")

    def url(self, repository: Path) -> str:
        """The address of a repository of this machine."""
        return f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}{repository}"

    def known_hosts(self, name: str, *keys: Key) -> Path:
        """A file that trusts these keys for this server."""
        file = self.folder / name
        file.write_text("".join(f"[127.0.0.1]:{self.port} {key.public}\n" for key in keys), encoding="ascii")
        return file

    @contextmanager
    def serving(self, host: Key | None = None) -> Iterator[None]:
        """sshd, for as long as the context is open, with its own host key or another one."""
        if os.geteuid() == 0:
            # Its home before a user is known; a machine that starts sshd itself makes it at boot.
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        config = self.folder / "sshd_config"
        config.write_text("\n".join(self._settings(host or self.host)) + "\n", encoding="ascii")
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [SSHD, "-D", "-e", "-f", str(config)], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            await_port(self.port, process, self.log)
            yield
        finally:
            stop(process)

    def _settings(self, host: Key) -> list[str]:
        git = Path(shutil.which("git") or "git").parent
        return [
            "ListenAddress 127.0.0.1",
            f"Port {self.port}",
            f"HostKey {host.file}",
            f"AuthorizedKeysFile {self.folder / 'authorized'}",
            "StrictModes no",
            "UsePAM no",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "PermitRootLogin prohibit-password",
            "PidFile none",
            f"SetEnv PATH={git}:/usr/local/bin:/usr/bin:/bin",
        ]


def await_port(port: int, process: subprocess.Popen, log: Path) -> None:
    """Waits until somebody listens there."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"cannot start {process.args}:\n{log.read_text(errors='replace')}") from None
            time.sleep(0.05)


class Backend(http.server.ThreadingHTTPServer):
    """git's http-backend: answers those who have the token, and keeps what they sent."""

    daemon_threads = True

    def __init__(self, root: Path, token: str | None) -> None:
        super().__init__(("127.0.0.1", 0), Request)
        self.root = root
        self.token = token
        self.asked: list[str] = []

    @property
    def port(self) -> int:
        return self.server_address[1]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up, because it does not trust the certificate for instance, is no failure of a test."""


class Request(http.server.BaseHTTPRequestHandler):
    """One request, handed to git as CGI."""

    server: Backend
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        pass

    def _answer(self) -> None:
        body = self._body()
        # A proxy is asked for the whole URL, a server for the path.
        url = urlsplit(self.path)
        self.server.asked.append(self.path)
        if self.server.token is not None and not self._is_allowed(self.server.token):
            self._send(401, {"WWW-Authenticate": 'Basic realm="git"'}, b"")
            return
        answer = subprocess.run(
            ["git", "http-backend"],
            env=os.environ
            | {
                "GIT_CONFIG_GLOBAL": os.devnull,
                "GIT_PROJECT_ROOT": str(self.server.root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "REQUEST_METHOD": self.command,
                "PATH_INFO": url.path,
                "QUERY_STRING": url.query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "REMOTE_USER": "reader",
            },
            input=body,
            capture_output=True,
            check=False,
        ).stdout
        head, _, content = answer.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode("latin-1").splitlines())
        self._send(int(headers.pop("Status", "200").split()[0]), headers, content)

    def _is_allowed(self, token: str) -> bool:
        scheme, _, credentials = self.headers.get("Authorization", "").partition(" ")
        if scheme == "Bearer":
            return credentials == token
        return scheme == "Basic" and base64.b64decode(credentials).decode().partition(":")[2] == token

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _send(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def backend(root: Path, token: str | None = None, certificate: Certificate | None = None) -> Iterator[Backend]:
    """Serves the repositories below a folder, for as long as the context is open."""
    with Backend(root, token) as server:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate.file, certificate.key)
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@dataclass(frozen=True)
class Certificate:
    """A certificate for loopback that only those trust who are given its file."""

    file: Path
    key: Path

    @classmethod
    def generate(cls, folder: Path) -> Certificate:
        """A new one, for a day."""
        made = cls(folder / "tls.pem", folder / "tls.key")
        words = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"]
        names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
        subprocess.run(
            ["openssl", "req", *words, *names, "-keyout", str(made.key), "-out", str(made.file)],
            check=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
        )
        return made
