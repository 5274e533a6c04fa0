"""Simulated credit applications, for who has none: what people earn, owe and did, and whether they paid back."""

import csv
from io import StringIO

import numpy as np

FIELDS = (
    *("application_id", "age_years", "income_eur", "amount_eur", "duration_months", "debt_eur"),
    *("years_employed", "home", "purpose", "late_payments", "target"),
)
HOMES = ("own", "rent", "family")
PURPOSES = ("car", "furniture", "education", "business", "holiday")


def simulate_applications(rows: int, seed: int) -> str:
    """Return applications as CSV text, one line each under a header of FIELDS; equal arguments give equal text.

    `target` is 1 for a default, of about one in seven; an income in twenty and an employment in ten are missing. The
    log odds of a default are linear in some columns and not in others, so that no model is perfect.
    """
    random = np.random.default_rng(seed)
    age = random.integers(19, 76, rows)
    employed = np.minimum(random.exponential(6.0, rows), age - 18.0).round(1)
    income = random.lognormal(10.2 + 0.015 * np.minimum(age - 19, 30), 0.4, rows).round(-2)
    amount = random.lognormal(8.5, 0.8, rows).round(-2) + 500.0
    duration = random.choice([12, 24, 36, 48, 60, 72], rows)
    debt = (income * random.gamma(0.8, 0.4, rows)).round(-1)
    home = random.choice(len(HOMES), rows, p=[0.35, 0.5, 0.15])
    purpose = random.choice(len(PURPOSES), rows, p=[0.35, 0.25, 0.15, 0.1, 0.15])
    late = random.poisson(0.4, rows)
    burden = (debt + amount * 12.0 / duration) / income
    log_odds = (
        -3.0
        + 2.0 * np.log1p(burden)
        + 1.0 * np.minimum(late, 4)
        + np.select([age < 25, age > 60], [1.0, -0.3], 0.0)
        - 0.08 * np.minimum(employed, 12.0)
        + np.array([-0.3, 0.2, 0.1])[home]
        + np.array([-0.1, 0.0, 0.3, 0.5, 0.1])[purpose]
    )
    default = random.random(rows) < 1.0 / (1.0 + np.exp(-log_odds))
    no_income, no_employment = random.random(rows) < 0.05, random.random(rows) < 0.1
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(FIELDS)
    for row in range(rows):
        writer.writerow(
            [
                f"a{row:06d}",
                age[row],
                "" if no_income[row] else f"{income[row]:.0f}",
                f"{amount[row]:.0f}",
                duration[row],
                f"{debt[row]:.0f}",
                "" if no_employment[row] else f"{employed[row]:.1f}",
                HOMES[home[row]],
                PURPOSES[purpose[row]],
                late[row],
                int(default[row]),
            ]
        )
    return text.getvalue()
