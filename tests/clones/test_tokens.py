"""Texts become tokens and windows, and come back."""

import numpy as np
import pytest

from infoscope.clones import token_windows, train_tokenizer

TEXTS = ["the cat sat on the mat, and the dog sat on the cat", "naïve café: 12 €", "the mat"]


@pytest.mark.parametrize("kind", ("characters", "bpe:300"))
def test_every_text_comes_back(kind):
    if kind.startswith("bpe"):
        pytest.importorskip("tokenizers")
    tokenizer = train_tokenizer(TEXTS, kind)
    for text in TEXTS:
        ids = tokenizer.encode(text)
        assert tokenizer.decode(ids) == text
        assert ids.dtype == np.uint16
        assert ids.max() < tokenizer.n_tokens


def test_byte_pairs_are_learnt_and_know_every_byte():
    pytest.importorskip("tokenizers")
    tokenizer = train_tokenizer(TEXTS, "bpe:280")
    assert tokenizer.n_tokens == 280
    assert len(tokenizer.encode(TEXTS[0])) < len(TEXTS[0])
    assert tokenizer.decode(tokenizer.encode("Ω never seen")) == "Ω never seen"
    assert train_tokenizer(TEXTS, "bpe:280") == tokenizer  # the same every time


def test_rare_characters_become_one():
    tokenizer = train_tokenizer(["aaabbbcd"], "characters:3")
    assert tokenizer.vocabulary == ("a", "b", "\ufffd")
    assert tokenizer.encode("abcdz").tolist() == [0, 1, 2, 2, 2]


def test_windows_stay_inside_documents():
    tokenizer = train_tokenizer(["abcdefgh"], "characters")
    windows = token_windows(["abcde", "f", "ghabcd"], tokenizer, 3)
    assert [tokenizer.decode(row) for row in windows.tokens] == ["abc", "gha", "bcd"]
    assert windows.document.tolist() == [0, 2, 2]


def test_windows_in_a_file_are_mapped(tmp_path):
    tokenizer = train_tokenizer(TEXTS, "characters")
    mapped = token_windows(TEXTS, tokenizer, 5, path=tmp_path / "w.npy")
    assert isinstance(mapped.tokens, np.memmap)
    np.testing.assert_array_equal(mapped.tokens, token_windows(TEXTS, tokenizer, 5).tokens)


def test_test_windows_are_of_other_documents():
    tokenizer = train_tokenizer(["ab"], "characters")
    windows = token_windows(["ab" * n for n in range(2, 30)], tokenizer, 4)
    train, test = windows.split(0.2)
    assert not set(train.document) & set(test.document)
    assert len(train) + len(test) == len(windows)
    assert 0.1 < len(test) / len(windows) < 0.35


def test_what_cannot_be_cut_is_refused_with_a_way_out():
    characters = train_tokenizer(TEXTS, "characters")
    cases = [
        (lambda: train_tokenizer(TEXTS, "bpe:256"), "bpe:512"),
        (lambda: train_tokenizer(TEXTS, "bpe"), "bpe:512"),
        (lambda: train_tokenizer(TEXTS, "words"), "characters:60"),
        (lambda: train_tokenizer(TEXTS, "bpe:many"), "size"),
        (lambda: train_tokenizer([""], "characters"), "no text"),
        (lambda: characters.encode("Z"), "not in the alphabet"),
        (lambda: token_windows(TEXTS, characters, 100), "fewer than one window of 100"),
        (lambda: token_windows(TEXTS[:1], characters, 8).split(), "one document"),
    ]
    for call, words in cases:
        with pytest.raises(ValueError, match=words):
            call()
