"""Keys, tokens and passwords that came into a thread."""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.lint.finding import Check, Context, Finding
from core.thread.value import Thread, call_arguments, calls_of, text_of

_FORMS = {
    "an API key": r"\b(?:sk|pk|rk)-(?:[A-Za-z]+-)*[A-Za-z0-9_\-]{20,}",
    "a key of Amazon's": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,})",
    "a Hugging Face token": r"\bhf_[A-Za-z0-9]{30,}\b",
    "a Slack token": r"\bxox[abprs]-[A-Za-z0-9\-]{10,}",
    "a Google key": r"\bAIza[0-9A-Za-z_\-]{35}\b",
    "a private key": r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----",
    "a signed token": r"\beyJ[A-Za-z0-9_\-]{10,}\.eyJ[A-Za-z0-9_\-]{10,}\.[A-Za-z0-9_\-]{10,}",
    "an authorization header":
        r"\b(?i:authorization)['\"]?\s*[:=]\s*['\"]?(?i:bearer|basic)\s+[A-Za-z0-9._~+/=\-]{12,}",
    "a password":
        r"\b(?i:password|passwd|api[_-]?key|secret[_-]?key|access[_-]?token)['\"]?\s*[:=]\s*['\"]?[^\s'\",;{}]{6,}",
    "a password in an address": r"\b[a-z][a-z0-9+.\-]*://[^\s/:@]+:[^\s/:@]{3,}@",
}  # fmt: skip
_SECRET = re.compile("|".join(f"(?P<form{number}>{form})" for number, form in enumerate(_FORMS.values())))
_NAMES = list(_FORMS)
_HINTS = (
    "sk-", "pk-", "rk-", "akia", "asia", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "hf_", "xox", "aiza",
    "-----begin", "eyj", "authorization", "passw", "apikey", "api_key", "api-key", "secretkey", "secret_key",
    "secret-key", "accesstoken", "access_token", "access-token", "://",
)  # fmt: skip
"""A text without any of these, in small letters, holds none of the forms: looking for them all is hundreds of times
slower, and results can be long."""


def _secrets(thread: Thread, context: Context) -> Iterator[Finding]:
    for index, message in enumerate(thread.messages):
        texts = [text_of(message), str(message.get("reasoning_content") or "")]
        texts += [call_arguments(call) for call in calls_of(message)]
        for text in texts:
            small = text.lower()
            if not any(hint in small for hint in _HINTS):
                continue
            for secret in _SECRET.finditer(text):
                name = _NAMES[int((secret.lastgroup or "form0").removeprefix("form"))]
                sentence = f"it holds what looks like {name}: {secret[0][:6]}…"
                yield Finding(
                    "secrets", index, sentence, "take it out of the text, and make it invalid where it is from"
                )


SECRETS = Check("secrets", "keys, tokens and passwords", _secrets)
