"""Synthetic data of what people do: pay, deceive and review. Nobody is meant."""

from __future__ import annotations

import numpy as np

from mldesk.workbench.templates.draws import Dice, Drawn, highest, named, rounded

_DEGREES = ("secondary school", "university", "doctorate", "other")
_MARRIED = ("married", "single", "divorced")
_ENDS = ("com", "org", "net", "info", "xyz", "top")
_PRODUCTS = ("kettle", "headphones", "desk lamp", "backpack", "keyboard", "blender", "raincoat")
_GLAD = ("works perfectly", "I would buy it again", "feels solid and well made", "arrived early",
         "a pleasure to use every day", "great value for the price", "my sister loves it",
         "the support answered within an hour", "better than I expected", "looks beautiful on the table")
_CROSS = ("broke after two weeks", "I want my money back", "feels cheap and flimsy", "arrived late and scratched",
          "a pain to clean", "far too expensive for what it is", "my sister sent hers back",
          "the support never answered", "worse than the old one", "does not look like the picture")
_EITHER = ("bought it in spring", "the box is large", "I use it at work", "it was a gift", "comes in three colours",
           "this is my second one", "the manual is short", "ordered it on a Tuesday")
_JOINS = (". ", ", and ", "; ", ", ")


def card_default(dice: Dice) -> Drawn:
    """One holder in five misses a payment: those who were late before, owe much of their limit and pay little back."""
    limit = 10.0 * np.round(dice.skewed(420.0, 0.7).clip(100.0, 5000.0)) * 5
    strain = dice.normal()       # what nobody wrote down
    late = [dice.count(np.exp(0.9 * strain - 1.5)).clip(0, 8) for _ in range(3)]
    used = 1.0 / (1.0 + np.exp(-(0.8 * strain - 0.4 + dice.normal(0.0, 0.7))))
    bills = [limit * used * dice.skewed(1.0, 0.15) for _ in range(2)]
    paid = [bill * np.clip(dice.normal(0.35 - 0.13 * strain, 0.16), 0.0, 1.0) for bill in bills]
    age = dice.normal(37.0, 10.5, 21.0, 79.0)
    score = (0.9 * late[0] + 0.5 * late[1] + 0.3 * late[2] + 1.6 * used - 2.0 * paid[0] / (bills[0] + 1.0)
             + 0.35 * strain - 0.01 * age - 0.00003 * limit + dice.normal(0.0, 1.5))
    return {"customer": [f"C{number:06}" for number in range(1, dice.rows + 1)], "limit": rounded(limit, 0),
            "age": dice.gaps(rounded(age, 0), 0.02),
            "education": dice.gaps(named(_DEGREES, dice.pick(_DEGREES, (4, 8, 3, 1))), 0.03),
            "marital_status": dice.gaps(named(_MARRIED, dice.pick(_MARRIED, (9, 10, 2))), 0.02),
            **{f"months_late_{place}": rounded(values, 0) for place, values in enumerate(late, 1)},
            **{f"bill_{place}": dice.gaps(rounded(values, 2), 0.01) for place, values in enumerate(bills, 1)},
            **{f"paid_{place}": dice.gaps(rounded(values, 2), 0.03) for place, values in enumerate(paid, 1)},
            "default": named(("no", "yes"), highest(score, 0.21))}


def phishing_sites(dice: Dice) -> Drawn:
    """Two pages in five are traps: young domains, long addresses, forms that go elsewhere; each sign alone misleads."""
    trap = dice.yes(0.4).astype(np.float64)
    sly = trap * dice.between(0.3, 1.0)       # the careful ones look nearly honest
    length = dice.skewed(48.0 + 38.0 * sly, 0.4).clip(12.0, 400.0)
    visits = dice.skewed(9000.0 * np.exp(-3.2 * sly), 1.4)
    end = np.where(dice.yes(0.5 * sly), dice.pick(_ENDS, (3, 1, 1, 2, 3, 3)), dice.pick(_ENDS, (8, 3, 2, 1, 0.5, 0.3)))
    return {"url_length": rounded(length, 0), "dots": rounded(1.0 + dice.count(0.7 + 1.4 * sly), 0),
            "has_ip": named(("no", "yes"), dice.yes(0.01 + 0.16 * sly)),
            "https": named(("no", "yes"), dice.yes(0.93 - 0.25 * sly)),
            "certificate_days": dice.gaps(rounded(dice.skewed(190.0 * np.exp(-1.3 * sly), 0.7), 0), 0.07),
            "domain_age_days": dice.gaps(rounded(dice.skewed(1900.0 * np.exp(-2.6 * sly), 0.9), 0), 0.05),
            "top_level": named(_ENDS, end),
            "outside_links_pct": dice.gaps(rounded(dice.normal(26.0 + 34.0 * sly, 15.0, 0.0, 100.0), 0), 0.02),
            "form_elsewhere": named(("no", "yes"), dice.yes(0.05 + 0.45 * sly)),
            "popups": rounded(dice.count(0.2 + 0.8 * sly), 0), "monthly_visits": dice.gaps(rounded(visits, 0), 0.12),
            "kind": named(("legitimate", "phishing"), trap)}


def text_sentiment(dice: Dice) -> Drawn:
    """Reviews of phrases: mostly glad or mostly cross, with others between, and one in forty marked wrongly."""
    glad = dice.yes(0.55)
    product = dice.pick(_PRODUCTS, [1.0] * len(_PRODUCTS))
    reviews = [_review(dice, bool(good), _PRODUCTS[int(place)]) for good, place in zip(glad, product, strict=True)]
    said = glad ^ dice.yes(0.025)
    return {"review": reviews, "product": dice.gaps(named(_PRODUCTS, product), 0.04),
            "sentiment": named(("negative", "positive"), said)}


def _review(dice: Dice, glad: bool, product: str) -> str:
    def some(phrases: tuple[str, ...], number: int) -> list[str]:
        return [phrases[int(place)] for place in dice.random.permutation(len(phrases))[:number]]

    own, other = (_GLAD, _CROSS) if glad else (_CROSS, _GLAD)
    phrases = some(own, int(dice.random.integers(1, 4))) + some(_EITHER, int(dice.random.integers(1, 3)))
    if len(phrases) > 3 and dice.random.random() < 0.4:
        phrases += some(other, 1)
    text = f"The {product}: " if dice.random.random() < 0.5 else ""
    for number, place in enumerate(dice.random.permutation(len(phrases))):
        join = _JOINS[int(dice.random.integers(len(_JOINS)))] if number else ""
        phrase = phrases[int(place)]
        text += join + (phrase[0].upper() + phrase[1:] if join == ". " or not text else phrase)
    return text + "."
