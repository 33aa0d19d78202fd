"""Price texts read right, wrong or not at all, and texts a second: this parser beside price-parser.

Both read the project's own table of forms, which was written with this parser at hand and so favours it; the forms of
the raw files, which were not, weighted by how often they occur. One amount given for a range counts as wrong.
"""

import csv
import time
import tomllib
from pathlib import Path

from price_parser import Price

from crawlers.money import Budget, read_budget
from crawlers.money_marks import currency_code

TESTS = Path(__file__).resolve().parents[1] / "tests" / "crawlers"
ROUNDS = 5


def ours(text):
    found = read_budget(text)
    return (found.low, found.high, found.currency) if isinstance(found, Budget) else None


def theirs(text):
    found = Price.fromstring(text)
    if found.amount is None:
        return None
    return float(found.amount), float(found.amount), currency_code(found.currency or "")


def tables():
    forms = tomllib.loads((TESTS / "money_forms.toml").read_text(encoding="utf-8"))
    stated = [(row[0], (row[1], row[2], row[3] or None), 1) for group in forms["stated"].values() for row in group]
    nothing = [(row[0], None, 1) for group in forms["nothing"].values() for row in group]
    raw = []
    with (TESTS / "money_raw_forms.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            ends = [float(row[end].replace("9", "3").replace(",", "")) for end in ("low", "high") if row[end]]
            price = (ends[0], ends[1], row["currency"] or None) if ends else None
            raw.append((row["form"].replace("9", "3"), price, int(row["count"])))
    return {
        "table, prices": stated,
        "table, one amount": [row for row in stated if row[1][0] == row[1][1]],
        "table, no price": nothing,
        "raw files, price": [row for row in raw if row[1]],
        "raw files, none": [row for row in raw if not row[1]],
    }


def same(found, price):
    if found is None or price is None:
        return found is price
    ends = zip(found[:2], price[:2], strict=True)
    return found[2] == price[2] and all(abs(one - other) < 1e-9 for one, other in ends)


def shares(read, rows):
    total = sum(weight for _, _, weight in rows)
    right = sum(weight for text, price, weight in rows if same(read(text), price))
    wrong = sum(weight for text, price, weight in rows if read(text) is not None and not same(read(text), price))
    return right / total, wrong / total


def rate(read, rows):
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        for text, _, _ in rows:
            read(text)
        best = min(best, time.process_time() - start)
    return len(rows) / best


def main():
    columns = f"{'right':>6} {'wrong':>6} {'a second':>9}"
    print(f"{'':18} {'texts':>6} | {columns} | price-parser {columns} | speed")
    for name, rows in tables().items():
        mine, other = shares(ours, rows), shares(theirs, rows)
        fast, slow = rate(ours, rows), rate(theirs, rows)
        print(
            f"{name:18} {sum(row[2] for row in rows):6} | {mine[0]:6.3f} {mine[1]:6.3f} {fast:9.0f} | {'':12} "
            f"{other[0]:6.3f} {other[1]:6.3f} {slow:9.0f} | x {fast / slow:.2f}"
        )


if __name__ == "__main__":
    main()
