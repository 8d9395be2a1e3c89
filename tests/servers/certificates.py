"""An authority made on the spot, and the certificate of a server on 127.0.0.1 that it signed."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from servers.programs import require_program

# What a strict client (Python >= 3.13) asks for.
EXTENSIONS = """subjectAltName=IP:127.0.0.1,DNS:localhost
authorityKeyIdentifier=keyid
subjectKeyIdentifier=hash
"""


@dataclass(frozen=True, slots=True)
class Certificate:
    """`ca_file` is what clients trust; the other two are the server's."""

    ca_file: Path
    certificate_file: Path
    key_file: Path


def make_certificate(folder: Path) -> Certificate:
    """A new authority and a server's certificate, in that folder; good for two days.

    Calling it for another folder gives an authority that clients of this one do not know.
    """
    folder.mkdir(parents=True, exist_ok=True)
    openssl = str(require_program("openssl", "apt-get install openssl"))
    (folder / "server.cnf").write_text(EXTENSIONS)
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    authority = ("-subj", "/CN=terrawatt test CA", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    signed = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "server.cnf")
    steps = (
        ("req", "-x509", *key, "-days", "2", *authority, "-keyout", "ca.key", "-out", "ca.crt"),
        ("req", "-new", *key, "-subj", "/CN=127.0.0.1", "-keyout", "server.key", "-out", "server.csr"),
        ("x509", "-req", "-in", "server.csr", *signed, "-out", "server.crt"),
    )
    for step in steps:
        subprocess.run([openssl, *step], cwd=folder, check=True, capture_output=True, timeout=60)
    return Certificate(folder / "ca.crt", folder / "server.crt", folder / "server.key")
