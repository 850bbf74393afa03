"""The EXIF orientation of a picture's bytes, read without any imaging library. Standard library only."""

from __future__ import annotations

import struct

_ORIENTATION = 0x0112


def exif_orientation(content: bytes) -> int:
    """Return 1 to 8 as EXIF counts them: 1 = as stored; also where the file says nothing, or nothing that makes sense."""
    try:
        value = _from_tiff(_tiff_block(content))
    except (struct.error, IndexError, ValueError):
        return 1
    return value if 1 <= value <= 8 else 1


def _tiff_block(content: bytes) -> bytes:
    """Return the TIFF block in which a JPEG, PNG, WebP or TIFF file keeps its EXIF."""
    if content[:2] == b"\xff\xd8":
        return _jpeg_block(content)
    if content[:8] == b"\x89PNG\r\n\x1a\n":
        return _chunked_block(content, 8, ">I4s", b"eXIf", tail=4, length_first=True)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        block = _chunked_block(content, 12, "<4sI", b"EXIF", tail=0, length_first=False)
        return block.removeprefix(b"Exif\0\0")
    if content[:4] in (b"II*\0", b"MM\0*"):
        return content
    raise ValueError("no format with EXIF")


def _jpeg_block(content: bytes) -> bytes:
    at = 2
    while content[at] == 0xFF:
        kind, length = content[at + 1], struct.unpack_from(">H", content, at + 2)[0]
        if kind == 0xE1 and content[at + 4 : at + 10] == b"Exif\0\0":
            return content[at + 10 : at + 2 + length]
        if kind == 0xDA:  # the picture itself begins
            break
        at += 2 + length
    raise ValueError("no EXIF")


def _chunked_block(content: bytes, at: int, header: str, wanted: bytes, *, tail: int, length_first: bool) -> bytes:
    while True:
        first, second = struct.unpack_from(header, content, at)
        length, kind = (first, second) if length_first else (second, first)
        if kind == wanted:
            return content[at + 8 : at + 8 + length]
        at += 8 + length + tail + (0 if length_first else length % 2)


def _from_tiff(block: bytes) -> int:
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None:
        raise ValueError("no TIFF")
    directory = struct.unpack_from(f"{order}I", block, 4)[0]
    for entry in range(struct.unpack_from(f"{order}H", block, directory)[0]):
        tag, _, _, value = struct.unpack_from(f"{order}HHIH", block, directory + 2 + 12 * entry)
        if tag == _ORIENTATION:
            return int(value)
    raise ValueError("no orientation")
