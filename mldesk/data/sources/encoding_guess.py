"""What may bytes be written in that are not UTF-8? A guess, always reported as one."""

from __future__ import annotations

import re

_RUNS = re.compile(rb"[\x80-\xff]+")
# Letters of western European languages, typographic marks, currencies and units: what cp1252 text really holds.
_WESTERN = set("ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝßàáâãäåæçèéêëìíîïñòóôõöøùúûüýÿŒœŠšŽž"
               "€£¥¢‚„…†‡‰‹›‘’“”•–—™«»¡¿°²³µ±×÷·¼½¾©®§¶ªº´¨¸¬ \xad")
_COMMON = ("cp1252", "cp1251", "cp1250", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp949", "euc_kr", "cp932",
           "gb18030", "big5", "koi8_r", "cp874", "cp1258")
_MANY_BYTES = ("cp949", "euc_kr", "cp932", "gb18030", "big5")  # of one letter
_ODD = 0.1         # share of letters that western text may have beyond ``_WESTERN``
_CHAOS = 0.06      # how much messier a common encoding may look than the best one and still be chosen
_COHERENCE = 0.05  # how much more like a language another encoding must look to beat cp1252


def guess(sample: bytes) -> str:
    """Return the name of an encoding that reads ``sample``, which is not UTF-8. latin-1 at the worst."""
    if not sample:
        return "cp1252"
    from charset_normalizer import from_bytes  # 20 ms to load; few files need it

    found = [(match.encoding, match.chaos, match.coherence) for match in from_bytes(sample)
             if not match.encoding.startswith("utf")]  # those would have been known by their marks or NULs
    western = _is_western(sample)
    if western:
        cp1252 = next((item for item in found if item[0] == "cp1252"), None)
        if cp1252 is None or found[0][2] <= cp1252[2] + _COHERENCE or found[0][0] not in _COMMON:
            return "cp1252"
    common = [name for name, chaos, _ in found if name in _COMMON and chaos <= found[0][1] + _CHAOS]
    best = common[0] if common else found[0][0] if found else "cp1252"
    return best if _reads(sample, best) else "latin-1"


def _is_western(sample: bytes) -> bool:
    """Say whether it reads as cp1252: letters beyond ASCII stand mostly alone, and are ones western text has."""
    runs = _RUNS.findall(sample)
    if sum(len(run) == 1 for run in runs) < 0.75 * len(runs):
        return False
    odd = [letter for letter in b"".join(runs).decode("cp1252", "replace") if letter not in _WESTERN]
    return len(odd) <= _ODD * sum(map(len, runs))


def _reads(sample: bytes, encoding: str) -> bool:
    try:
        sample.decode(encoding)
    except UnicodeDecodeError as error:
        return encoding in _MANY_BYTES and error.end >= len(sample) - 4  # the sample may end inside a letter
    except LookupError:
        return False
    return True
