"""Sentences in several languages: messages of Django and descriptions of Debian's packages."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from infoscope.base import DataError, ParameterError
from infoscope.base.checks import check_positive_int

from .packaged_files import PackagedFile

if TYPE_CHECKING:
    import pandas

DJANGO = PackagedFile("django", "", "django==5.2.19")
CATALOGUES = ("conf/locale/{}/LC_MESSAGES/django.po", "contrib/*/locale/{}/LC_MESSAGES/django*.po")
PARAGRAPH = "."  # what stands between two paragraphs of a description


def translated_messages(languages: str | Sequence[str] = "it", *, min_words: int = 4) -> pandas.DataFrame:
    """Messages of the web framework Django in English and other languages.

    Parameters
    ----------
    languages : str or sequence of str
        Codes as Django's folders have them: "it", "de", "es", "ja", "pt_BR".  A message is kept if all have it.
    min_words : int
        Words of the English message at least.

    Returns
    -------
    DataFrame
        Column "en" and one a language; the index is the English message, sorted by context and text.  Plurals, messages
        of several lines and a message that stands in another context already are left out.

    Raises
    ------
    MissingExtraError
        Without the package ``django``.
    ParameterError
        A language that it does not have; "en", which has a column anyway.

    Notes
    -----
    Sorted, messages that begin alike stand together, and comparisons of layers warn of rows that look correlated:
    shuffle them, ``messages.sample(frac=1, random_state=0)``.

    Examples
    --------
    Vectors of the Italian messages in all layers of a small encoder::

        messages = translated_messages("it")
        texts = [f"query: {text}" for text in messages["it"]]
        store = extract(packaged_model("multilingual-e5-small"), None, texts, "it.store")
    """
    import pandas as pd

    wanted = other_languages(languages)
    check_positive_int(min_words, "min_words")
    folder = DJANGO.find()
    found = {language: _messages(folder, language) for language in wanted}
    keys = sorted(set.intersection(*(set(one) for one in found.values())))
    first = {text: (context, text) for context, text in reversed(keys)}  # of equal messages the first
    kept = [key for key in keys if first[key[1]] == key and len(key[1].split()) >= min_words and "\n" not in key[1]]
    columns = {"en": [text for _, text in kept]}
    columns |= {language: [messages[key] for key in kept] for language, messages in found.items()}
    return pd.DataFrame(columns, index=pd.Index(columns["en"], name="message"))


def translated_descriptions(
    languages: str | Sequence[str] = "it",
    *,
    lists: str | PathLike[str] = "/var/lib/apt/lists",
    english: tuple[int, int] = (60, 220),
    translated: tuple[int, int] = (40, 300),
) -> pandas.DataFrame:
    """First paragraphs of the descriptions of Debian's packages, in English and other languages.

    Parameters
    ----------
    languages : str or sequence of str
        Codes as Debian's files have them: "it", "da", "fr", "de", "ja", "es".  A description is kept if all have it.
    lists : path-like
        Folder into which apt wrote its lists, uncompressed.
    english, translated : tuple of int
        Fewest and most characters of a paragraph.

    Returns
    -------
    DataFrame
        Column "en" and one a language; the index is the digest of the description, sorted.  Paragraphs that a language
        leaves in English, and English ones that came before, are left out.

    Raises
    ------
    DataError
        If the folder holds no list of a language; the message says how apt is asked for it.
    ParameterError
        "en" among the languages: it has a column anyway.

    Notes
    -----
    apt fetches the lists into a folder of one's own, beside those of the system::

        mkdir -p lists/partial cache/archives/partial
        apt-get update -o Dir::State::Lists=$PWD/lists -o Dir::Cache=$PWD/cache \\
            -o Acquire::Languages=it,de,en -o Acquire::GzipIndexes=false

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from infoscope.datasets import translated_descriptions
    >>> lists = pathlib.Path(tempfile.mkdtemp())
    >>> for code, text in dict(en="Plays chess.", it="Gioca a scacchi.").items():
    ...     entry = f"Package: chess\\nDescription-md5: 1\\nDescription-{code}: a game\\n {text}\\n"
    ...     _ = (lists / f"main_i18n_Translation-{code}").write_text(entry)
    >>> translated_descriptions("it", lists=lists, english=(1, 99), translated=(1, 99)).loc["1"].tolist()
    ['Plays chess.', 'Gioca a scacchi.']
    """
    import pandas as pd

    wanted = other_languages(languages)
    found = {language: _first_paragraphs(Path(lists), language) for language in ["en", *wanted]}
    kept, seen = [], set()
    for key in sorted(set.intersection(*(set(one) for one in found.values()))):
        text, others = found["en"][key], [found[language][key] for language in wanted]
        if (
            english[0] <= len(text) <= english[1]
            and all(translated[0] <= len(other) <= translated[1] and other != text for other in others)
            and text not in seen
        ):
            seen.add(text)
            kept.append(key)
    columns = {language: [paragraphs[key] for key in kept] for language, paragraphs in found.items()}
    return pd.DataFrame(columns, index=pd.Index(kept, name="digest"))


def listed_languages(languages: str | Sequence[str]) -> list[str]:
    """Codes of languages, one at least."""
    wanted = [languages] if isinstance(languages, str) else list(languages)
    if not wanted:
        raise ParameterError("languages is empty: name one at least, as 'it'")
    return wanted


def other_languages(languages: str | Sequence[str]) -> list[str]:
    """Codes of languages beside English."""
    wanted = listed_languages(languages)
    if "en" in wanted:
        raise ParameterError("languages names 'en', which has a column anyway: name the others, as 'it'")
    return wanted


# --------------------------------------------------------------------------------------------------------------- steps
def _messages(folder: Path, language: str) -> dict[tuple[str, str], str]:
    """Translations by context and message, of all catalogues of a language."""
    files = [path for pattern in CATALOGUES for path in sorted(folder.glob(pattern.format(language)))]
    if not files:
        known = sorted(path.name for path in (folder / "conf/locale").iterdir() if path.is_dir())
        raise ParameterError(f"Django has no messages in {language!r}: there are {', '.join(known)}")
    found: dict[tuple[str, str], str] = {}
    for path in files:
        for key, text in _read_catalogue(path):
            found.setdefault(key, text)
    return found


def _read_catalogue(path: Path) -> Iterator[tuple[tuple[str, str], str]]:
    """Entries of a file of gettext that are translated, certain and without plurals."""
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        fields: dict[str, str] = {}
        name, certain = "", True
        for line in block.splitlines():
            if line.startswith("#"):
                certain = certain and not (line.startswith("#,") and "fuzzy" in line)
            elif line.startswith('"'):
                fields[name] += _quoted(line, path)
            elif line.strip():
                name, _, rest = line.partition(" ")
                fields[name] = _quoted(rest, path)
        if certain and fields.get("msgid") and fields.get("msgstr") and "msgid_plural" not in fields:
            yield (fields.get("msgctxt", ""), fields["msgid"]), fields["msgstr"]


def _quoted(text: str, path: Path) -> str:
    try:
        return str(ast.literal_eval(text.strip()))
    except (ValueError, SyntaxError) as error:
        raise DataError(f"{path} is no catalogue of gettext: {text!r} is no quoted text") from error


def _first_paragraphs(folder: Path, language: str) -> dict[str, str]:
    """First paragraph of every description by its digest, from all lists of a language."""
    files = sorted(folder.glob(f"*_i18n_Translation-{language}"))
    if not files:
        plain = "uncompressed " if any(folder.glob(f"*_i18n_Translation-{language}.*")) else ""
        raise DataError(
            f"{folder} holds no {plain}list of descriptions in {language!r}: apt-get update fetches it with "
            f"-o Acquire::Languages={language},en -o Acquire::GzipIndexes=false"
        )
    found: dict[str, str] = {}
    for path in files:
        for entry in path.read_text(encoding="utf-8").split("\n\n"):
            digest, lines, inside = "", [], False
            for line in entry.splitlines():
                if line.startswith("Description-md5:"):
                    digest = line.partition(":")[2].strip()
                elif line.startswith(f"Description-{language}:"):
                    inside = True
                elif inside and line.strip() != PARAGRAPH and line.startswith(" "):
                    lines.append(line.strip())
                else:
                    inside = False
            if digest and lines:
                found.setdefault(digest, " ".join(lines))
    return found
