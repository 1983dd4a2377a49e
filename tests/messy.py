"""A messy table of customers: what scripted users of the window and of the commands clean, search on and predict."""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence
from pathlib import Path

HEAD = ("id", "city", "tenure", "price", "joined", "stays")
CITIES = ("Lyon", "lyon ", "Porto", "PORTO", "Graz")
ROWS = 320


def messy(first: int, count: int, seed: int) -> list[list[object]]:
    """Return rows with cities written in many ways and prices that lack; the last one is there twice."""
    draw = random.Random(seed)
    rows: list[list[object]] = []
    for number in range(first, first + count):
        tenure, price = draw.randint(0, 72), round(draw.uniform(15, 120), 2)
        stays = "yes" if tenure / 72 + draw.gauss(0, 0.25) > price / 120 else "no"
        rows.append([number, CITIES[number % 5], tenure, "n/a" if number % 17 == 3 else price,
                     f"{number % 28 + 1:02}.{number % 12 + 1:02}.2023", stays])
    return [*rows, rows[-1]]


def clean(first: int, count: int, seed: int) -> list[list[object]]:
    """Return rows as they are after cleaning: cities in one way, none twice."""
    return [[number, str(city).strip().lower(), *rest] for number, city, *rest in messy(first, count, seed)[:-1]]


def write(path: Path, rows: Sequence[Sequence[object]], head: Sequence[str] = HEAD) -> Path:
    """Write a CSV file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([head, *rows])
    return path


def batch(folder: Path) -> dict[Path, str]:
    """Write a good file and three bad ones; return what a contract of cleaned rows says of each."""
    good = clean(1000, 20, 11)
    return {write(folder / "good.csv", good): "accepted",
            write(folder / "short.csv", [row[:3] for row in good], HEAD[:3]): "rejected",
            write(folder / "words.csv", [[*row[:2], "long", *row[3:]] for row in good]): "rejected",
            write(folder / "empty.csv", []): "rejected"}
