"""Hashes under a salt two parties agreed on: each can tell what both have, neither shows what only one has.

Beware: who holds the salt can test guesses. Hash lists protect against strangers, not against the partner's patience:
handles and popular links can be guessed. Agree on a long salt, by another way than the package, and once per exchange.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

from workbench.schema import ParameterError

MIN_SALT = 12
_CHECK = "is this the agreed salt"


def derive_key(salt: str) -> bytes:
    """Return the key an agreed salt stands for; slow on purpose, so that salts are not tried by the million.

    Raises:
        ParameterError: fewer than 12 characters.
    """
    if len(salt.strip()) < MIN_SALT:
        raise ParameterError(
            f"An agreed salt has at least {MIN_SALT} characters; found {len(salt.strip())}. Agree on a longer one."
        )
    return hashlib.scrypt(salt.strip().encode(), salt=b"takedown-workbench/1", n=2**14, r=8, p=1, dklen=32)


def hash_value(kind: str, value: str, *, key: bytes) -> str:
    """Return the keyed hash of a value: the same for both parties, if they write the value the same way.

    Args:
        kind: account, handle, name, url, domain, text or hashtag; equal values of two kinds hash differently.
        value: canonical, as a `match_key`.
        key: from `derive_key`.
    """
    return "hmac:" + hmac.digest(key, f"{kind}\0{value}".encode("utf-8", "surrogatepass"), "sha256").hex()


def hash_values(kind: str, values: Iterable[str], *, key: bytes) -> dict[str, str]:
    """Return hash -> value for each value."""
    return {hash_value(kind, value, key=key): value for value in values}


def salt_check(key: bytes) -> str:
    """Return what a manifest says so that the receiver knows at once whether the salt is the agreed one."""
    return hash_value("check", _CHECK, key=key)[5:37]
