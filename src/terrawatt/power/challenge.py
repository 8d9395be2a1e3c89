"""The answer to a device that asks for a password (HTTP 401): digest (RFC 7616) or basic (RFC 7617). Pure."""

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

_PART = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_DIGESTS: dict[str, Callable[[bytes], str]] = {
    "MD5": lambda text: hashlib.md5(text, usedforsecurity=False).hexdigest(),  # older ESPHome
    "SHA-256": lambda text: hashlib.sha256(text).hexdigest(),  # Shelly
}


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a device wants to be answered; `nonce` is its random text, with which each answer is numbered."""

    scheme: str
    realm: str = ""
    nonce: str = ""
    algorithm: str = "MD5"
    has_qop: bool = False
    opaque: str = ""

    def answer(self, user: str, password: str, uri: str, *, number: int, own_nonce: str) -> str:
        """The header `Authorization` of a GET of `uri` (path and query).

        Args:
            user: the user's name.
            password: a secret; only its digest is in the answer, unless the scheme is basic.
            uri: what is asked for.
            number: how many answers this nonce has had, this one included.
            own_nonce: a random text of ours.
        """
        if self.scheme == "basic":
            return basic(user, password)
        digest = _DIGESTS[self.algorithm]
        identity = digest(f"{user}:{self.realm}:{password}".encode())
        request = digest(f"GET:{uri}".encode())
        counted = f"{number:08x}"
        middle = f"{self.nonce}:{counted}:{own_nonce}:auth" if self.has_qop else self.nonce
        response = digest(f"{identity}:{middle}:{request}".encode())
        parts = {"username": user, "realm": self.realm, "nonce": self.nonce, "uri": uri, "response": response}
        if self.opaque:
            parts["opaque"] = self.opaque
        quoted = [f'{name}="{value}"' for name, value in parts.items()]
        quoted.append(f"algorithm={self.algorithm}")
        if self.has_qop:
            quoted += ["qop=auth", f"nc={counted}", f'cnonce="{own_nonce}"']
        return f"Digest {', '.join(quoted)}"


def basic(user: str, password: str) -> str:
    """The header `Authorization` of the scheme basic."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def parse_challenge(header: str) -> Challenge | None:
    """The challenge in a header `WWW-Authenticate`; None when it is of another kind."""
    scheme, _, rest = header.strip().partition(" ")
    if scheme.lower() == "basic":
        return Challenge("basic")
    if scheme.lower() != "digest":
        return None
    parts = {name.lower(): quoted or plain for name, quoted, plain in _PART.findall(rest)}
    algorithm = parts.get("algorithm", "MD5").upper()
    offered = [word.strip() for word in parts.get("qop", "").split(",")]
    if algorithm not in _DIGESTS or not parts.get("nonce") or (parts.get("qop") and "auth" not in offered):
        return None
    return Challenge(
        "digest", parts.get("realm", ""), parts["nonce"], algorithm, "auth" in offered, parts.get("opaque", "")
    )
