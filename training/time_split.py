"""Splits a history in time, with the delay after which frauds are known: the Handbook's protocol.

Le Borgne, Siblini, Lebichot and Bontempi (2022), "Reproducible machine learning for credit card fraud detection",
chapter 3.3: train on a window, leave out the days whose frauds are not known yet, test on the days after, and take out
of the test the cards that are known to be compromised by then.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.history import DAY_NS, History


class SplitError(ValueError):
    """Windows that cannot be used; the message names the option and the remedy."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Whole UTC days: train on [train_from, train_to], test on [test_from, test_to], numbered from the Unix epoch.

    `delay_days` passes before a fraud is known.
    """

    train_from: int
    train_to: int
    test_from: int
    test_to: int
    delay_days: int

    def back(self, days: int) -> "Windows":
        """Return the windows moved back in time together."""
        return Windows(
            self.train_from - days,
            self.train_to - days,
            self.test_from - days,
            self.test_to - days,
            self.delay_days,
        )


@dataclass(frozen=True, slots=True)
class Split:
    """Numbers of transactions, int64 each: to train on, between, and to test on.

    `between` are those after the training window and before the test: nobody learns from them, and thresholds are
    chosen on them.
    """

    train: npt.NDArray[np.int64]
    between: npt.NDArray[np.int64]
    test: npt.NDArray[np.int64]


def split(history: History, windows: Windows) -> Split:
    """Return the split. Raises SplitError for windows that overlap or are empty of transactions or frauds."""
    if not windows.train_from <= windows.train_to < windows.test_from <= windows.test_to:
        raise SplitError("--train-from, --train-to, --test-from, --test-to: must be in this order, without overlap")
    if windows.test_from - windows.train_to <= windows.delay_days:
        raise SplitError(
            f"--test-from: is {windows.test_from - windows.train_to} days after --train-to, and frauds are known after"
            f" {windows.delay_days}; leave more than --delay-days between them"
        )
    day = history.event_time_ns // DAY_NS
    train = np.flatnonzero((day >= windows.train_from) & (day <= windows.train_to))
    between = np.flatnonzero((day > windows.train_to) & (day < windows.test_from))
    tests = []
    for at in range(windows.test_from, windows.test_to + 1):
        known = np.flatnonzero((day >= windows.train_from) & (day < at - windows.delay_days) & history.fraud)
        compromised = {history.customer_id[row] for row in known.tolist()}
        rows = np.flatnonzero(day == at)
        tests.append(np.array([row for row in rows.tolist() if history.customer_id[row] not in compromised], np.int64))
    test = np.concatenate(tests)
    for option, rows in (("--train-from/--train-to", train), ("--test-from/--test-to", test)):
        frauds = int(history.fraud[rows].sum())
        if not 0 < frauds < len(rows):
            raise SplitError(
                f"{option}: the window has {len(rows)} transactions and {frauds} frauds; choose one that has both"
            )
    return Split(train, between, test)
