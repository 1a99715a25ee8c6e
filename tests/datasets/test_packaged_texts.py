"""Catalogues of gettext, lists of Debian and names of emoji, read from files that the tests write."""

import pytest

from infoscope.base import DataError, ParameterError
from infoscope.datasets import emoji_captions, translated_descriptions, translated_messages, translations

ITALIAN = r"""
msgid ""
msgstr "Language: it\n"

#: forms.py:1
msgid "Enter a valid value."
msgstr "Inserisci un valore valido."

msgctxt "of a file"
msgid "Enter a valid value."
msgstr "Indica un valore valido."

msgid ""
"This text goes on "
"in \"two\" lines."
msgstr "Questo testo continua "
"su \"due\" righe."

#, python-format, fuzzy
msgid "Nobody is sure of this."
msgstr "Nessuno ne è sicuro."

#, python-format
msgid "There is %(n)d item here"
msgid_plural "There are %(n)d items here"
msgstr[0] "C'è un elemento qui"
msgstr[1] "Ci sono %(n)d elementi qui"

msgid "First line,\nand the second one."
msgstr "Prima riga,\ne la seconda."

msgid "Nobody has translated this."
msgstr ""

#~ msgid "This is no longer said."
#~ msgstr "Questo non si dice più."

msgid "Too short"
msgstr "Troppo corto"
"""


@pytest.fixture
def django(tmp_path, monkeypatch):
    for folder, texts in (("conf/locale/it", ITALIAN), ("contrib/site/locale/it", ITALIAN.replace("Inserisci", "No,"))):
        (tmp_path / folder / "LC_MESSAGES").mkdir(parents=True)
        (tmp_path / folder / "LC_MESSAGES" / "django.po").write_text(texts, encoding="utf-8")
    monkeypatch.setattr(translations.PackagedFile, "find", lambda self: tmp_path)
    return tmp_path


def test_messages_are_those_that_are_translated_and_certain(django):
    found = translated_messages("it")
    assert found.to_dict("list") == {
        "en": ["Enter a valid value.", 'This text goes on in "two" lines.'],
        "it": ["Inserisci un valore valido.", 'Questo testo continua su "due" righe.'],  # no context, first catalogue
    }
    assert translated_messages(["it"], min_words=2)["en"].tolist() == [
        "Enter a valid value.", 'This text goes on in "two" lines.', "Too short",
    ]  # fmt: skip


def test_languages_that_are_not_there_are_named(django):
    with pytest.raises(ParameterError, match=r"no messages in 'tlh': there are it"):
        translated_messages(["it", "tlh"])
    with pytest.raises(ParameterError, match="languages is empty"):
        translated_messages([])
    for read in (translated_messages, translated_descriptions):
        with pytest.raises(ParameterError, match="languages names 'en', which has a column anyway"):
            read(["it", "en"])
    (django / "conf/locale/it/LC_MESSAGES/django.po").write_text("msgid nothing quoted\n", encoding="utf-8")
    with pytest.raises(DataError, match="no catalogue of gettext: 'nothing quoted'"):
        translated_messages("it")


def write_list(folder, language, entries, suffix=""):
    text = "\n\n".join(
        f"Package: p{digest}\nDescription-md5: {digest}\nDescription-{language}: a word\n {body}"
        for digest, body in entries.items()
    )
    (folder / f"host_main_i18n_Translation-{language}{suffix}").write_text(text + "\n", encoding="utf-8")


def test_descriptions_are_first_paragraphs_of_the_right_length_once_each(tmp_path):
    long = "x" * 70
    write_list(tmp_path, "en", {
        "c": f"{long}\n and more.\n .\n The second paragraph.", "a": f"Again {long}", "b": f"Again {long}",
        "d": "short", "e": f"The same {long}", "f": f"Not Italian {long}", "g": "y" * 221,
        "h": f"Its Italian is too long {long}",
    })  # fmt: skip
    write_list(tmp_path, "it", {
        "c": f"{long}\n e altro.", "a": f"Ancora {long}", "b": f"Ancora {long}", "d": long, "e": f"The same {long}",
        "g": long, "h": "z" * 301,
    })  # fmt: skip
    found = translated_descriptions("it", lists=tmp_path)
    assert found.index.tolist() == ["a", "c"]
    assert found["en"].tolist() == [f"Again {long}", f"{long} and more."]
    assert found["it"].tolist() == [f"Ancora {long}", f"{long} e altro."]


def test_lists_that_are_not_there_or_compressed_are_named(tmp_path):
    write_list(tmp_path, "en", {"a": "word"})
    with pytest.raises(DataError, match=r"holds no list of descriptions in 'it': .*Languages=it,en"):
        translated_descriptions("it", lists=tmp_path)
    write_list(tmp_path, "it", {"a": "word"}, suffix=".lz4")
    with pytest.raises(DataError, match=r"no uncompressed list .*GzipIndexes=false"):
        translated_descriptions("it", lists=tmp_path)


def test_captions_are_names_as_people_write_them():
    pytest.importorskip("emoji")
    found = emoji_captions(["en", "it", "ja"])
    assert found.loc["\N{SLICE OF PIZZA}"].tolist() == ["pizza", "pizza", "ピザ"]
    assert found["en"].loc["\N{FIRST PLACE MEDAL}"] == "1st place medal"
    assert {len(one.replace("\ufe0f", "")) for one in found.index} == {1}
    assert found.index.is_unique and not found.isna().any(axis=None)
    assert not found.apply(lambda names: names.str.contains("[:_]")).any(axis=None)
    with pytest.raises(ParameterError, match="no names in 'tlh': there are en, "):
        emoji_captions(["en", "tlh"])
