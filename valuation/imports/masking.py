"""What must not enter a workspace in clear: names are hashed, addresses, keys and phone numbers masked."""

from __future__ import annotations

import hashlib
import hmac
import re

import pandas as pd

HASHED = re.compile(r"hashed:[0-9a-f]{16}")

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24}\b")
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)", re.DOTALL
)
_TOKEN = re.compile(
    r"(?<![A-Za-z0-9])(?:sk-[A-Za-z0-9_-]{16,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[\w-]{16,}"
    r"|(?:AKIA|ASIA)[0-9A-Z]{16}|xox[abprs]-[A-Za-z0-9-]{10,}|AIza[\w-]{30,}|[rsp]k_(?:live|test)_[A-Za-z0-9]{16,}"
    r"|hf_[A-Za-z0-9]{20,}|npm_[A-Za-z0-9]{20,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)"
)
_ASSIGNED = re.compile(
    r"(?P<name>(?:key|token|secret|password|passwd|pwd|credential)s?['\"]?\s{0,3}[:=]\s{0,3}['\"]?(?:Bearer\s)?)"
    r"(?P<value>[A-Za-z0-9+/_=.-]{16,})",
    re.IGNORECASE,
)
_BEARER = re.compile(r"(?P<name>\b(?:Bearer|Authorization:?)\s{1,3})(?P<value>[A-Za-z0-9+/_=.-]{16,})", re.IGNORECASE)
_PHONE = re.compile(r"(?<![\w+.])(?:\+|00(?=[1-9]\d{0,2} ))\d{1,3}(?:[ .\-/]{0,2}\(?\d{1,5}\)?){2,7}(?!\w)")


def hash_name(key: bytes, name: str) -> str:
    """Return 16 hex digits of HMAC-SHA256(key, name); a name hashed before stays what it was.

    >>> ada = hash_name(b"k" * 16, "Ada")
    >>> ada == hash_name(b"k" * 16, " Ada ") == hash_name(b"k" * 16, "hashed:" + ada)
    True
    """
    text = name.strip()
    if HASHED.fullmatch(text):
        return text.removeprefix("hashed:")
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:16]


def mask(text: str) -> str:
    """Replace e-mail addresses, secret keys and phone numbers with international prefix.

    >>> mask("mail a.b@example.org or +44 20 7946 0958, key=abcdef0123456789abcdef")
    'mail [email] or [phone], key=[key]'
    """
    if "@" in text:
        text = _EMAIL.sub("[email]", text)
    if "PRIVATE KEY" in text:
        text = _PRIVATE_KEY.sub("[key]", text)
    text = _TOKEN.sub("[key]", text)
    lower = text.lower()
    if any(word in lower for word in ("key", "token", "secret", "pass", "pwd", "credential")):
        text = _ASSIGNED.sub(_masked_value, text)
    if "bearer" in lower or "authorization" in lower:
        text = _BEARER.sub(r"\g<name>[key]", text)
    if "+" in text or "00" in text:
        text = _PHONE.sub(_masked_phone, text)
    return text


def mask_column(texts: pd.Series[str]) -> pd.Series[str]:
    """`mask` every text of a column; missing stays missing."""
    return pd.Series([mask(text) if isinstance(text, str) else None for text in texts], dtype="str")


def _masked_value(match: re.Match[str]) -> str:
    """Mask what looks random: a digit in it, or very long. Words ("key: understanding") stay."""
    value = match["value"]
    secret = any(char.isdigit() for char in value) or len(value) >= 32
    return f"{match['name']}[key]" if secret else match[0]


def _masked_phone(match: re.Match[str]) -> str:
    digits = sum(char.isdigit() for char in match[0])
    return "[phone]" if 9 <= digits <= 17 else match[0]
