"""Free text as topics: the truncated SVD of its TF-IDF, row by row, as plain JSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import TruncatedSVD

from mldesk.core.errors import BadInput
from mldesk.training.features import FeatureEncoder
from mldesk.training.topics import TextWish, Topics
from mldesk.training.values import TextColumn
from mldesk.training.words import Vocabulary
from mldesk.wire.schema import Column, ColumnType

_SAID = (("cheap", "broke", "refund", "angry", "late"), ("lovely", "gift", "thanks", "fits", "soft"))
SCHEMA = [Column("review", ColumnType.TEXT)]


def reviews(rows: int = 120, seed: int = 0) -> TextColumn:
    draw = np.random.default_rng(seed)
    return TextColumn.of([None if row == 5 else " ".join([f"w{draw.integers(30)}", *draw.choice(_SAID[row % 2], 4)])
                          for row in range(rows)])


def test_the_axes_are_those_of_a_truncated_svd() -> None:
    text = reviews()
    found = Topics.fit(text, 4, Vocabulary.fit(text, 1000))
    assert found is not None
    theirs = TruncatedSVD(4, algorithm="arpack", random_state=0).fit(found.vocabulary.transform(text))
    assert np.abs(np.abs((theirs.components_ * found.axes.T).sum(1)) - 1).max() < 1e-4   # the same but for the sign
    ours = found.transform(text)
    assert np.abs(np.abs(ours) - np.abs(theirs.transform(found.vocabulary.transform(text)))).max() < 1e-4
    assert not ours[5].any()
    one = found.transform(text.take(np.array([7])))
    assert np.array_equal(one[0], ours[7])   # to the last bit: a row does not depend on the others


def test_what_order_texts_are_kept_in_does_not_matter() -> None:
    text = reviews()
    last = len(text.values) - 1
    turned = TextColumn(np.where(text.codes < 0, -1, last - text.codes).astype(np.int32), text.values[::-1])
    ours, theirs = (Topics.fit(one, None, Vocabulary.fit(one, 1000)) for one in (text, turned))
    assert ours is not None
    assert theirs is not None
    assert np.array_equal(ours.axes, theirs.axes)


@pytest.mark.parametrize(("wish", "words", "topics"), [
    (TextWish(), 35, 5), (TextWish(topics=0), 35, 0), (TextWish(10, 3), 10, 3), (TextWish(0, 500), 0, 35),
    (TextWish.of({"text_words": 7, "text_components": None}), 7, 5)])
def test_a_column_becomes_as_many_words_and_topics_as_are_wished(wish: TextWish, words: int, topics: int) -> None:
    data = {"review": reviews()}
    encoder = FeatureEncoder.fit(data, SCHEMA, "trees", text=wish)
    assert (sum("“" in name for name in encoder.feature_names),
            sum(": topic " in name for name in encoder.feature_names)) == (words, topics)
    kept = json.loads(json.dumps(encoder.to_json()))
    assert kept["format"] == (2 if topics else 1)     # what an older reader understands is told as it was
    assert np.array_equal(FeatureEncoder.from_json(kept).transform(data), encoder.transform(data))


def test_text_that_becomes_nothing_is_left_out() -> None:
    with pytest.raises(BadInput, match="no column to learn from"):
        FeatureEncoder.fit({"review": reviews()}, SCHEMA, "dense", text=TextWish(0, 0))


@pytest.mark.parametrize("spoilt", [
    {"axes": "?"}, {"axes": "AAAA"}, {"topics": 7}, {"topics": -1}, {"topics": None}, {"axes": "AADAfwAAwH8="}])
def test_axes_that_fit_no_words_are_refused(spoilt: dict[str, Any]) -> None:
    encoder = FeatureEncoder.fit({"review": reviews()}, SCHEMA, "trees").to_json()
    encoder["columns"][0]["topics"] |= spoilt
    with pytest.raises(BadInput, match="not a feature encoder"):
        FeatureEncoder.from_json(encoder)


def test_weights_are_those_of_the_table_of_words() -> None:
    text = reviews()
    vocabulary = Vocabulary.fit(text, 20)
    places, weights = vocabulary.weigh(text.values[0], vocabulary.index())
    row = vocabulary.transform(text)[0]
    assert np.abs(row[places] - weights).max() < 1e-6
    assert not np.delete(row, places).any()
