"""Text that fits: how wide a text will be drawn, how to shorten or break it, how to make it safe for XML.

No font can be asked while a picture is made, and the picture is shown with whatever font the reader has. The
widths below are those of the widest of the fonts named in the style sheet, so that in the others a text only
gets more room. Texts with characters outside the table are estimated, and `svg` pins them to that length.
"""

from __future__ import annotations

import html
import re
import unicodedata
from math import fsum  # sums that are the same in every Python
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["break_label", "clean", "clusters", "elide", "escape", "is_measured", "text_width"]

_WIDTHS = {
    0.28: "ijl'",
    0.32: " ,.\N{MIDDLE DOT}",
    0.36: "!-/:;I\\|f",
    0.4: "()[]r{}t",
    0.5: 'J*`"^',
    0.53: "?sz",
    0.56: "_ckL",
    0.6: "Favxy",
    0.64: "0123456789$beghnopqudETYSZ",
    0.7: "ABCKPRVX",
    0.8: "DGHNOQUw&",
    0.84: "#+<=>~\N{MULTIPLICATION SIGN}",
    0.88: "M",
    0.98: "mW%",
    1.02: "@\N{HORIZONTAL ELLIPSIS}\N{RIGHTWARDS ARROW}",
}
_EM = {letter: width for width, letters in _WIDTHS.items() for letter in letters}
_ESTIMATES = {"Lu": 0.8, "Ll": 0.65, "Lt": 1.2, "Nd": 0.64, "Zs": 0.35, "So": 1.0, "Sm": 0.84}
_JOINER = "\u200d"
_EMOJI_FROM = 0x1F000
_FLAG_LETTERS = range(0x1F1E6, 0x1F200)
_SKIN_TONES = range(0x1F3FB, 0x1F400)

# What XML 1.0 cannot hold even as a reference, and the marks that turn the direction of the text around them.
_FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\x7f-\x9f]")
_TURNING = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    r"""`text` on one line, without characters that XML forbids or that turn the reading direction.

    >>> clean("two\nlines\x00")
    'two lines\ufffd'
    """
    return " ".join(_TURNING.sub("", _FORBIDDEN.sub("\ufffd", text)).split())


def escape(text: str) -> str:
    """`text` for use between tags and in quoted attributes, of XML and HTML alike, in ASCII alone.

    >>> escape('a<b & "→"')
    'a&lt;b &amp; &quot;&#8594;&quot;'
    """
    safe = _FORBIDDEN.sub("\ufffd", _TURNING.sub("", text))
    return html.escape(safe).encode("ascii", "xmlcharrefreplace").decode("ascii")


def is_measured(text: str) -> bool:
    """Whether every character has a known width, so that the text needs no pinning.

    >>> is_measured("load_orders"), is_measured("größe")
    (True, False)
    """
    return all(letter in _EM for letter in text)


def _width_of(letter: str) -> float:
    known = _EM.get(letter)
    if known is not None:
        return known
    point, category = ord(letter), unicodedata.category(letter)
    if category in ("Mn", "Me", "Cf") or point in _SKIN_TONES:
        return 0.0
    if point >= _EMOJI_FROM:
        return 0.7 if point in _FLAG_LETTERS else 1.4
    return 1.05 if unicodedata.east_asian_width(letter) in "WF" else _ESTIMATES.get(category, 0.9)


def clusters(text: str) -> Iterator[str]:
    """The pieces of `text` that must not be torn apart: a letter with its accents, a joined emoji.

    >>> list(clusters("e\u0301a"))
    ['e\u0301', 'a']
    """
    piece = ""
    for letter in text:
        if piece and (_width_of(letter) == 0.0 or piece.endswith(_JOINER)):
            piece += letter
            continue
        if piece:
            yield piece
        piece = letter
    if piece:
        yield piece


def _cluster_width(piece: str) -> float:
    return max(map(_width_of, piece))


def text_width(text: str, size: float) -> float:
    """Width of `text` in px at font size `size` in px, in the widest of our fonts.

    >>> round(text_width("model", 10.0), 1)
    31.8
    """
    if is_measured(text):
        return size * fsum(_EM[letter] for letter in text)
    return size * fsum(map(_cluster_width, clusters(text)))


def elide(text: str, room: float, size: float) -> str:
    """`text` if it is at most `room` px wide, else its beginning and its end around a ``…``.

    The end is kept too, because names in a row often differ only there (``align_1`` … ``align_12``).

    >>> elide("a_task_with_a_very_long_name_12", 100.0, 10.0)
    'a_task_wit…me_12'
    """
    if text_width(text, size) <= room:
        return text
    pieces = list(clusters(text))
    widths = [size * _cluster_width(piece) for piece in pieces]
    left = room - size * _width_of("…")
    front, back, turn = 0, 0, 0
    while front + back < len(pieces):
        # Two pieces in front for each one behind.
        at_back = turn % 3 == 2  # noqa: PLR2004 - see above
        width = widths[-1 - back] if at_back else widths[front]
        if width > left:
            break
        left -= width
        front, back, turn = front + (not at_back), back + at_back, turn + 1
    return "".join(pieces[:front]) + "…" + "".join(pieces[len(pieces) - back :])


def break_label(text: str, room: float, size: float) -> tuple[str, ...]:
    """`text` as one line, or as two where one is too long; what is longer still is elided.

    Breaks after ``_``, ``.``, ``-``, a space or an arrow, as evenly as the separators allow.

    >>> break_label("validate_schema_of_orders", 100.0, 10.0)
    ('validate_schema_', 'of_orders')
    """
    if text_width(text, size) <= room:
        return (text,)
    cuts = [match.end() for match in re.finditer(r"[_.\- ]+(?=.)", text)]
    cuts = [cut for cut in cuts if text[:cut].strip("_.- ")]

    def wider(cut: int) -> float:
        return max(text_width(text[:cut].rstrip(), size), text_width(text[cut:], size))

    if cuts:
        best = min(cuts, key=lambda cut: (wider(cut) > room, wider(cut)))
        halves = (text[:best].rstrip(), text[best:])
        if wider(best) <= room or min(text_width(half, size) for half in halves) > room / 3:
            return tuple(elide(half, room, size) for half in halves)
    return (elide(text, room, size),)
