"""Kept answers: what they were made from, and how many of them fit."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from livesearch.services.change_tokens import ChangeToken
from livesearch.web.caching.packing import Kind, Packer, Packing
from livesearch.web.caching.requests import Key

Headers = Sequence[tuple[bytes, bytes]]
Message = dict[str, Any]  # Any: as ASGI has it

# Servers wait between two messages until a client has taken the first: one that reads slowly holds no more than this.
_PIECE_SIZE = 1 << 16
# What an entry takes beside its bytes: measured, objects and all.
_OVERHEAD = 800
# Ways to write the same search that are known; others are brought into the canonical form each time, some 10 µs.
_ALIAS_COUNT = 8
# No answer may take more than this share of the memory.
_LARGEST_SHARE = 8

_HIT = b"server-timing: cache;desc=hit\r\n"


def key_size(key: Key) -> int:
    """Bytes of what is written in a key."""
    path, query, _, varying = key
    return len(path) + len(query) + sum(map(len, varying))


@dataclass(slots=True, eq=False)
class Entry:
    """An answer, ready to be sent.

    Attributes:
        versions: By collection, the id and version it was made from.
        is_of_all: Whether another collection would have made another answer.
        day: Days since 1970 (UTC): ages count by the day.
        labels: Route and face, for the log and for metrics.
        packed: Head and body, packed together.
        head_length: Bytes of the head.
        length: Bytes of the body.
        tokens: With which it was last found to be true.
        was_used: Since somebody last looked for what can go.
    """

    key: Key
    versions: Mapping[str, tuple[int, int]]
    is_of_all: bool
    day: int
    labels: Kind
    etag: bytes
    size: int
    packed: bytes
    packing: Packing
    head_length: int
    length: int
    status: int = 200
    tokens: Mapping[str, ChangeToken] | None = None
    was_used: bool = False
    aliases: list[Key] = field(default_factory=list)

    @property
    def is_one_piece(self) -> bool:
        """Whether the body is short enough to be sent at once."""
        return self.length <= _PIECE_SIZE

    def unpack(self) -> tuple[bytes, bytes]:
        """What is sent: the head of a hit as it is written, without the request's id, and the body."""
        answer = self.packing.unpack(self.packed)
        return answer[: self.head_length], answer[self.head_length :]

    def is_true(self, tokens: Mapping[str, ChangeToken]) -> bool:
        """Whether everything it was made from is as it was."""
        if tokens is self.tokens:
            return True
        if self.is_of_all and len(tokens) != len(self.versions):
            return False
        for name, version in self.versions.items():
            token = tokens.get(name)
            if token is None or (token.id, token.version) != version or not token.is_settled:
                return False
        self.tokens = tokens
        return True


def headers_of(head: bytes) -> list[tuple[bytes, bytes]]:
    """The headers of a head as it is written."""
    lines = (line.partition(b": ") for line in head.split(b"\r\n")[:-1])
    return [(name, value) for name, _, value in lines]


def pieces_of(body: bytes) -> list[Message]:
    """A body in pieces, as ASGI has them."""
    pieces = [body[start : start + _PIECE_SIZE] for start in range(0, len(body), _PIECE_SIZE)] or [b""]
    return [
        {"type": "http.response.body", "body": piece, "more_body": number < len(pieces)}
        for number, piece in enumerate(pieces, 1)
    ]


def make_etag(headers: Headers, body: bytes) -> bytes:
    """The entity tag of an answer: of all that it says."""
    digest = hashlib.blake2b(body, digest_size=15, person=b"livesearch-etag")
    for name, value in headers:
        digest.update(b"\0".join((name, value, b"")))
    return b'"' + urlsafe_b64encode(digest.digest()) + b'"'


class Entries:
    """Entries by request, as many as fit; those that were not used for long go first."""

    def __init__(self, limit: int) -> None:
        """Args: limit: Bytes."""
        self._limit = limit
        self._packer = Packer()
        # Most answers are made from one state of the store: they share its description.
        self._versions: Mapping[str, tuple[int, int]] = {}
        self._by_key: dict[Key, Entry] = {}
        self._by_alias: dict[Key, Entry] = {}
        self.size = 0
        self.evicted_count = 0

    def __len__(self) -> int:
        return len(self._by_key)

    @property
    def largest_size(self) -> int:
        """Bytes that an entry may take."""
        return self._limit // _LARGEST_SHARE

    def find(self, alias: Key) -> Entry | None:
        """The entry of a request as it was written."""
        return self._by_alias.get(alias)

    def find_canonical(self, key: Key, alias: Key) -> Entry | None:
        """The entry of a request in its canonical form; found at once the next time."""
        entry = self._by_key.get(key)
        if entry is not None:
            if len(entry.aliases) == _ALIAS_COUNT:
                oldest = entry.aliases.pop(0)
                del self._by_alias[oldest]
                self._charge(entry, -key_size(oldest))
            entry.aliases.append(alias)
            self._by_alias[alias] = entry
            self._charge(entry, key_size(alias))
        return entry

    def make(
        self,
        key: Key,
        *,
        versions: Mapping[str, tuple[int, int]],
        is_of_all: bool,
        day: int,
        labels: Kind,
        headers: Headers,
        body: bytes,
        status: int = 200,
    ) -> Entry:
        """Make an entry, which ``put`` keeps.

        Args:
            headers: In lower case, the entity tag among them; without those that each answer has its own of.
        """
        if versions != self._versions:
            self._versions = versions
        head = b"".join([b"%b: %b\r\n" % header for header in headers]) + _HIT
        packing = self._packer.packing_of(labels, head + body)
        packed = packing.pack(head + body)
        return Entry(
            key=key,
            versions=self._versions,
            is_of_all=is_of_all,
            day=day,
            labels=labels,
            etag=dict(headers)[b"etag"],
            size=_OVERHEAD + len(packed) + key_size(key),
            packed=packed,
            packing=packing,
            head_length=len(head),
            length=len(body),
            status=status,
        )

    def put(self, entry: Entry) -> None:
        """Keep an entry in place of one with its key, and let others go until it fits."""
        if known := self._by_key.get(entry.key):
            self.drop(known)
        if entry.size > self.largest_size:
            return
        self._by_key[entry.key] = entry
        self.size += entry.size
        self._make_room()

    def _charge(self, entry: Entry, size: int) -> None:
        entry.size += size
        self.size += size
        self._make_room()

    def _make_room(self) -> None:
        while self.size > self._limit:
            oldest = next(iter(self._by_key.values()))
            if oldest.was_used:  # a second chance
                oldest.was_used = False
                self._by_key[oldest.key] = self._by_key.pop(oldest.key)
            else:
                self.drop(oldest)
                self.evicted_count += 1

    def drop(self, entry: Entry) -> None:
        """Let go of an entry."""
        if self._by_key.get(entry.key) is entry:
            del self._by_key[entry.key]
            self.size -= entry.size
            for alias in entry.aliases:
                del self._by_alias[alias]
            entry.aliases.clear()
