"""How the documents of one posting are written: the numbers of one chunk, in the shortest of four ways.

=========  =============================================================  ============================================
way        bytes                                                          told by
=========  =============================================================  ============================================
numbers    the low 16 bits of each, ascending, as little-endian uint16    length: twice the cardinality; no other has it
gaps       the distance of each from the one before, the first from the   first byte 1
           chunk's begin; 255 stands for 255 and goes on with the next
bits       32,768 of them, least significant first                        first byte 2
runs       the low 16 bits of the first number and the count of those     first byte 3
           after it, as little-endian uint16
=========  =============================================================  ============================================

All become Roaring bitmaps by little more than a header before them. Against portable Roaring, 1.65 million short rows
take 57 MB instead of 131: 2 bytes for the one document that most words have instead of 18, and most bitmaps that would
lie on pages of their own become short enough to stay in their row.
"""

import struct
from collections.abc import Iterable, Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from livesearch.domain import CHUNK_BITS
from livesearch.store.splicing import splice

_GAPS, _BITS, _RUNS = b"\x01", b"\x02", b"\x03"
# Fewer numbers are written as they are: 94 of 100 postings, of which the other ways would save 2 bytes of 100.
_SHORT_COUNT = 64
# Numbers of which the last byte of a gap says "and more".
_ESCAPE = 255
_HALF = bytes(1 << CHUNK_BITS >> 3)
# The bits of a number that say where in its chunk it is.
_PLACE = (1 << CHUNK_BITS) - 1

# The portable Roaring serialization of one container, an array or bits: cookie, container count, high 16 bits,
# cardinality - 1, offset of what the container holds. Source: RoaringFormatSpec, "no run containers".
_HEADER = struct.Struct("<IIHHI")
_COOKIE = 12346
# Where some containers are runs: cookie with the container count - 1 above it, which containers are runs, then as
# above; offsets only of four containers or more. Runs have their count before them.
_RUN_HEADER = struct.Struct("<IBHH")
_RUN_COOKIE = 12347
_OFFSETS_COUNT = 4
_RUN_COUNT = struct.Struct("<H")
# Chunks that share a container; and chunks of a posting from which on it pays to read them together.
_SHARED = 1 << (16 - CHUNK_BITS)
_MANY_CHUNKS = 8
# A container with more numbers is bits.
_ARRAY_LIMIT = 4096


def encode(lows: bytes) -> bytes:
    """Write the numbers of a posting.

    Args:
        lows: The low 16 bits of each, ascending, as little-endian uint16; not empty.
    """
    if len(lows) < 2 * _SHORT_COUNT:
        return lows
    numbers = np.frombuffer(lows, "<u2")
    gaps = np.empty_like(numbers)
    gaps[0] = numbers[0] & _PLACE
    np.subtract(numbers[1:], numbers[:-1], out=gaps[1:])
    begins = np.flatnonzero(gaps[1:] != 1) + 1
    wide = gaps[gaps >= _ESCAPE]
    sizes = {
        b"": len(lows),
        _GAPS: 1 + len(gaps) + int((wide // _ESCAPE).sum()),
        _RUNS: 1 + 4 * (len(begins) + 1),
    }
    if len(numbers) > _ARRAY_LIMIT:
        sizes[_BITS] = 1 + len(_HALF)
    # The first of the shortest: what is not plain numbers is shorter than they would be.
    way = min(sizes, key=sizes.__getitem__)
    if way == _GAPS:
        return way + (_gap_bytes(gaps) if len(wide) else gaps.astype(np.uint8).tobytes())
    if way == _BITS:
        bits = np.zeros(1 << CHUNK_BITS, np.bool_)
        bits[numbers & _PLACE] = True
        return way + np.packbits(bits, bitorder="little").tobytes()
    return way + _run_bytes(numbers, begins) if way else lows


def _gap_bytes(gaps: NDArray[np.uint16]) -> bytes:
    ends = np.cumsum(gaps // _ESCAPE + 1, dtype=np.int64)
    found = np.full(ends[-1], _ESCAPE, np.uint8)
    found[ends - 1] = gaps % _ESCAPE
    return found.tobytes()


def _run_bytes(numbers: NDArray[np.uint16], begins: NDArray[np.int64]) -> bytes:
    bounds = np.concatenate(([0], begins, [len(numbers)]))
    runs = np.stack((numbers[bounds[:-1]], np.diff(bounds) - 1), axis=1)
    return runs.astype("<u2").tobytes()


def decode(cardinality: int, stored: bytes, chunk: int) -> BitMap:
    """The documents of a posting.

    Args:
        cardinality: Numbers that ``stored`` holds.
    """
    return BitMap.deserialize(_portable(cardinality, stored, chunk))


def decode_joined(joined: bytes, chunk: int) -> BitMap:
    """The documents of many postings of one chunk that are written as plain numbers, one after another."""
    # Not `np.unique`, which takes twenty times as long.
    numbers = np.sort(np.frombuffer(joined, "<u2"))
    numbers = numbers[np.append(True, numbers[1:] != numbers[:-1])]  # the first is new
    return decode(len(numbers), numbers.tobytes(), chunk)


def decode_chunks(parts: Iterable[tuple[int, int, bytes]]) -> BitMap:
    """The documents of one posting in many chunks.

    Args:
        parts: Chunk, cardinality and what is stored there, each chunk once.
    """
    ordered = sorted(parts)
    if len(ordered) < _MANY_CHUNKS:
        found = [decode(cardinality, stored, chunk) for chunk, cardinality, stored in ordered]
        return found[0] if len(found) == 1 else BitMap.union(*found)
    # Two chunks share a container: of every other chunk each has one to itself.
    sides = [[part for part in ordered if part[0] % _SHARED == side] for side in range(_SHARED)]
    return BitMap.union(*[BitMap.deserialize(_portable_chunks(side)) for side in sides if side])


def _portable_chunks(parts: Sequence[tuple[int, int, bytes]]) -> bytes:
    """The portable Roaring serialization of a posting in chunks that lie in different containers, in order."""
    containers = [_container(cardinality, stored, chunk % _SHARED) for chunk, cardinality, stored in parts]
    count = len(parts)
    are_runs = sum(is_run << at for at, (is_run, _) in enumerate(containers))
    flags = are_runs.to_bytes((count + 7) // 8, "little")
    numbers = [number for chunk, cardinality, _ in parts for number in (chunk // _SHARED, cardinality - 1)]
    header = struct.pack(f"<I{len(flags)}s{2 * count}H", _RUN_COOKIE | count - 1 << 16, flags, *numbers)
    if count >= _OFFSETS_COUNT:
        begin = len(header) + 4 * count
        offsets = accumulate([len(stored) for _, stored in containers[:-1]], initial=begin)
        header += struct.pack(f"<{count}I", *offsets)
    return b"".join([header, *[stored for _, stored in containers]])


def _portable(cardinality: int, stored: bytes, chunk: int) -> bytes:
    """The portable Roaring serialization of what is stored."""
    high, half = divmod(chunk, _SHARED)
    is_run, container = _container(cardinality, stored, half)
    if is_run:
        return _RUN_HEADER.pack(_RUN_COOKIE, 1, high, cardinality - 1) + container
    return _HEADER.pack(_COOKIE, 1, high, cardinality - 1, 16) + container


def _container(cardinality: int, stored: bytes, half: int) -> tuple[bool, bytes]:
    """What is stored as a Roaring container: whether it is one of runs, and its bytes.

    Args:
        half: Of the container, which the chunk is.
    """
    if len(stored) == 2 * cardinality:
        return False, stored if cardinality <= _ARRAY_LIMIT else _bits(np.frombuffer(stored, "<u2"))
    way = stored[:1]
    if way == _RUNS:
        return True, _RUN_COUNT.pack(len(stored) // 4) + stored[1:]
    if way == _BITS:
        return False, _HALF + stored[1:] if half else stored[1:] + _HALF
    # More than an array container holds would have been shorter as bits.
    gaps = np.frombuffer(stored, np.uint8, offset=1)
    sums = gaps.cumsum(dtype=np.uint16)
    numbers = sums if len(gaps) == cardinality else sums[gaps != _ESCAPE]
    numbers += np.uint16(half << CHUNK_BITS)
    return False, numbers.astype("<u2").tobytes()


def _bits(numbers: NDArray[np.uint16]) -> bytes:
    """A container of bits."""
    bits = np.zeros(1 << 16, np.bool_)
    bits[numbers] = True
    return np.packbits(bits, bitorder="little").tobytes()


def merge(before: tuple[int, bytes] | None, chunk: int, added: bytes, removed: bytes) -> tuple[int, bytes]:
    """Change the numbers of a posting.

    Args:
        before: Cardinality and what is stored; None where there is nothing.
        added: The low 16 bits of numbers to put in, as for ``encode``; may be empty.
        removed: Those to take out, likewise; none of them is in ``added``.

    Returns:
        Cardinality and what is to be stored; 0 and nothing when no number is left.
    """
    if before is None:
        return len(added) // 2, encode(added)
    cardinality, stored = before
    if len(stored) == 2 * cardinality and not removed and _follows(stored, added):
        # What imports do a hundred thousand times a batch: joining bytes takes a tenth of the time of two bitmaps.
        return cardinality + len(added) // 2, encode(stored + added)
    if len(added) + len(removed) == 2:  # noqa: PLR2004  # bytes of one number
        low = int.from_bytes(added or removed, "little")
        if spliced := splice(cardinality, stored, low, is_added=bool(added)):
            return spliced
    numbers = decode(cardinality, stored, chunk)
    if added:
        numbers |= decode(len(added) // 2, added, chunk)
    if removed:
        numbers -= decode(len(removed) // 2, removed, chunk)
    return len(numbers), encode(low_bits(numbers)) if numbers else b""


def with_last(cardinality: int, stored: bytes, chunk: int, added: bytes) -> bytes:
    """What is to be stored of a posting with one number more, which is larger than any there is."""
    return merge((cardinality, stored), chunk, added, b"")[1]


def _follows(before: bytes, added: bytes) -> bool:
    return int.from_bytes(before[-2:], "little") < int.from_bytes(added[:2], "little")


def low_bits(numbers: BitMap) -> bytes:
    """The low 16 bits of numbers of one chunk, as ``encode`` takes them."""
    return np.frombuffer(numbers.to_array(), np.uint32).astype("<u2").tobytes()


def low_bits_of(cardinality: int, stored: bytes, chunk: int = 0) -> bytes:
    """The same from what is stored; of most postings they stand there as they are."""
    return stored if len(stored) == 2 * cardinality else low_bits(decode(cardinality, stored, chunk))
