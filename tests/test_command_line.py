import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from riskstream import main
from stream.broker_process import free_port
from tests.small_market_bundle import write_small_market_bundle
from tests.small_table_bundle import write_small_table_bundle

ROOT = Path(__file__).parents[1]
DEMO = ROOT / "bundles" / "demo"
HEADER = "transaction_id,customer_id,merchant_id,amount,event_time,fraud\n"
ROW = "t1,c1,m1,5.0,2026-01-01,0\n"
BAD = {
    "curves": "date,3M,10Y\n2026-01-05,4.0,4.5\n2026-01-05,4.0,4.5\n",
    "holdings": "portfolio,event_time,quantity,symbol,currency\np,2026-01-05,5.0,EURUSD,EUR\n",
    "quotes": "symbol,event_time,bid,ask\nX,2026-01-05,1.0,1.1\nX,2026-01-06,1.0,1.1\n",
}
"""Files of which something is wrong, by name."""


def riskstream(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as a process."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("RISKSTREAM_")}
    return subprocess.run(
        [sys.executable, "-m", "riskstream", *arguments],
        env=own | {"COLUMNS": "160"} | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture(scope="module")
def loans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a bundle of a table, a scorecard."""
    return write_small_table_bundle(tmp_path_factory.mktemp("bundles"), scorecard=True)


@pytest.fixture(scope="module")
def markets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a bundle of markets."""
    return write_small_market_bundle(tmp_path_factory.mktemp("markets"))


def verbs(command: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """Return every verb, by its words; what holds no others is a verb."""
    if not hasattr(command, "commands"):
        return [(path, command)]
    return [verb for name, one in command.commands.items() for verb in verbs(one, (*path, name))]


VERBS = verbs(typer.main.get_command(main))


def refused(ran: subprocess.CompletedProcess[str], *told: str) -> None:
    """Hold a run to have ended with status 2 and one line that tells all of this."""
    assert ran.returncode == 2, ran.stdout + ran.stderr
    assert ran.stderr.count("\n") == 1, ran.stderr
    for one in told:
        assert one in ran.stderr


def test_every_verb_is_there() -> None:
    """The verbs are those that the README names."""
    assert {" ".join(path) for path, _ in VERBS} == {
        *("train", "evaluate", "bundle show", "bundle verify", "broker", "topics", "run", "send", "alerts", "explain"),
        *("replay", "demo", "simulate", "state rebuild", "data profile", "score", "decisions", "monitor", "lag"),
        *("market train", "market report", "market live-report", "market refit"),
        *("forward webhook", "forward parquet", "page"),
    }


@pytest.mark.parametrize(("path", "command"), VERBS, ids=[" ".join(path) for path, _ in VERBS])
def test_every_verb_teaches(path: tuple[str, ...], command: Any) -> None:
    """A verb's help has an example that begins with the command itself, and every option says what it is for."""
    text = " ".join((command.help or "").split())
    assert re.search(r"Example: (\w+=\S+ )*riskstream " + " ".join(path), text)
    assert all(getattr(option, "help", "") for option in command.params if option.name != "help")
    shown = riskstream(*path, "--help")
    assert shown.returncode == 0
    assert "Example" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["train"], ["RECIPE, --history, --simulate", "give one of the three"]),
        (["train", "--simulate", "--history", "x.csv"], ["give one of the three"]),
        (["train", "--history", "none.csv"], ["none.csv", "is no file"]),
        (["train", "--history", "{good}", "--map", "amount"], ["--map amount", "FIELD=COLUMN"]),
        (["train", "--history", "{good}", "--map", "amount=PRICE"], ["'PRICE'", "--map amount=COLUMN"]),
        (["train", "--history", "{good}", "--model", "oracle"], ["--model oracle", "random_forest"]),
        (["train", "--history", "{good}", "--features", "height"], ["--features height", "choose from"]),
        (["train", "--history", "{good}", "--currency", "EURO"], ["--currency EURO", "ISO 4217"]),
        (["train", "--history", "{good}", "--train-from", "May"], ["--train-from May", "YYYY-MM-DD"]),
        (["train", "--history", "{good}"], ["--train-from/--train-to", "0 transactions"]),
        (["evaluate", "nowhere", "--history", "{good}"], ["nowhere", "name the folder of a bundle"]),
        (["evaluate", "{demo}", "--history", "none.csv"], ["none.csv", "is no file"]),
        (["evaluate", "{demo}", "--history", "{good}", "--map", "amount"], ["--map amount", "FIELD=COLUMN"]),
        (["evaluate", "{demo}", "--history", "{good}", "--test-to", "May"], ["--test-to May", "YYYY-MM-DD"]),
        (["evaluate", "{demo}", "--history", "{good}", "--group", "town"], ["--group town", "no such column"]),
        (["evaluate", "{demo}", "--history", "{good}", "--group", "customer_id"], ["--group customer_id", "nobody"]),
        (["evaluate", "{demo}", "--history", "{good}", "--test-from", "2020-01-01"], ["--test-from", "in this order"]),
        (["evaluate", "{demo}"], ["--history, --recipe", "give one of the two"]),
        (
            ["evaluate", "{demo}", "--history", "{good}", "--recipe", "x.toml"],
            ["--history, --recipe", "one of the two"],
        ),
        (["evaluate", "{demo}", "--recipe", "x.toml"], ["scores transactions", "a recipe made of a table"]),
        (["evaluate", "{table}", "--history", "{good}"], ["scores rows of a table", "one that scores transactions"]),
        (["evaluate", "{table}", "--recipe", "x.toml", "--out", "{folder}"], ["x.toml", "give a recipe in TOML"]),
        (["evaluate", "{table}", "--recipe", "x.toml", "--test-to", "May"], ["--test-to", "leave it out"]),
        (["evaluate", "{table}", "--recipe", "{cards}"], ["handbook.toml", "is of transactions", "--history"]),
        (["evaluate", "{table}", "--recipe", "{other}", "--out", "{folder}"], ["data.target = 'target'", "'default'"]),
        (["data", "profile", "none.csv"], ["none.csv", "is no file"]),
        (["data", "profile", "{good}", "--target", "late"], ["--target late", "the file has transaction_id"]),
        (["data", "profile", "{good}", "--target", "fraud"], ["--target fraud", "is 1 in 0 of the 1 rows"]),
        (["send", "transactions", "{good}", "--rate", "fast"], ["--rate fast", "max"]),
        (["send", "transactions", "none.csv"], ["none.csv", "is no file"]),
        (["send", "ticks", "{good}"], ["symbol=symbol", "map each of"]),
        (["send", "rates", "none.csv"], ["none.csv", "is no file"]),
        (["send", "rates", "{good}"], ["good.csv", "named date", "10Y"]),
        (["send", "rates", "{curves}"], ["date", "has a day twice", "drop one"]),
        (["send", "positions", "none.csv"], ["none.csv", "is no file"]),
        (["send", "positions", "{good}"], ["portfolio=portfolio", "map each of"]),
        (["send", "positions", "{good}", "--map", "portfolio=WHO"], ["portfolio=WHO", "map each of"]),
        (["send", "positions", "{holdings}"], ["row 0", "give a symbol, or all of currency", "not both"]),
        (["market", "train"], ["--ticks, --simulate", "give one of the two"]),
        (["market", "train", "--simulate", "--ticks", "x.csv"], ["--ticks, --simulate", "give one of the two"]),
        (["market", "train", "--ticks", "none.csv"], ["none.csv", "is no file"]),
        (["market", "train", "--ticks", "{good}"], ["symbol=symbol", "map each of"]),
        (["market", "train", "--ticks", "{good}", "--map", "symbol"], ["--map symbol", "FIELD=COLUMN"]),
        (["market", "train", "--ticks", "{quotes}", "--out", "{folder}/b"], ["bar", "give more"]),
        (["market", "train", "--simulate", "--bar", "soon"], ["--bar soon", "30s, 1m, 4h"]),
        (["market", "train", "--simulate", "--pause", "5t"], ["--pause 5t", "is no time", "2h"]),
        (["market", "train", "--simulate", "--bar", "500t", "--pause", "never"], ["--pause never", "30s"]),
        (["market", "train", "--simulate", "--prices", "bids"], ["--prices bids", "quotes and trades"]),
        (["market", "train", "--simulate", "--horizons", "1,ten"], ["--horizons 1,ten", "for example, 1,10"]),
        (["market", "train", "--simulate", "--horizons", "0"], ["--horizons 0", "for example, 1,10"]),
        (["market", "train", "--simulate", "--name", "../up"], ["--name ../up", "small letters"]),
        (["market", "report", "--symbol", "X"], ["--symbol X", "give both or neither"]),
        (["market", "report", "--history", "none.csv"], ["none.csv", "is no file"]),
        (["market", "report", "--history", "{good}", "--json"], ["good.csv", "close"]),
        (["market", "report", "--json", "--out", "x"], ["--json, --out", "one of the two"]),
        (["market", "refit"], ["RISKSTREAM_MARKET_BUNDLE", "is not set", "bundle of markets"]),
        (["replay", "ticks"], ["RISKSTREAM_MARKET_BUNDLE=''", "no bundle of markets", "--bundle"]),
        (["replay", "rates"], ["RISKSTREAM_MARKET_BUNDLE=''", "no bundle of markets", "--bundle"]),
        (["replay", "ticks", "--bundle", "{demo}"], ["scores transactions", "riskstream market train"]),
        (["replay", "--bundle", "{market}"], ["is of markets", "name one that scores transactions"]),
        (["demo", "--market-bundle", "{table}"], ["scores rows of a table", "riskstream market train"]),
        (["evaluate", "{market}", "--history", "{good}"], ["is of markets", "name one that"]),
        (["score", "{market}", "{good}"], ["is of markets", "a recipe made of a table"]),
        (["replay", "--from", "May"], ["--from May", "2026-01-05T00:00"]),
        (["replay", "--from", "5", "--to", "2026-01-05"], ["--from 5, --to 2026-01-05", "two offsets"]),
        (["replay", "--from", "2026-01-05", "--to", "2026-01-04"], ["--to 2026-01-04", "is not after --from"]),
        (["replay", "--bundle", "nowhere"], ["nowhere", "name the folder of a bundle"]),
        (["replay", "--output", "{folder}/none/out.jsonl"], ["--output", "none/out.jsonl", "name one"]),
        (["replay", "--to-topic", "alerts"], ["--to-topic alerts", "name one of your own"]),
        (["bundle", "verify", "nowhere"], ["nowhere", "name the folder of a bundle"]),
        (["bundle", "show", "{folder}"], ["versions in it: none"]),
        (["forward", "webhook", "http://10.0.0.7/x"], ["URL would send alerts in plain text", "--plain-http"]),
        (["forward", "webhook", "https://a:b@example.com/x"], ["URL holds a user or password", "leave it out"]),
        (["forward", "webhook", "example.com"], ["URL is no URL", "https://"]),
        (["forward", "webhook", "https://example.com"], ["RISKSTREAM_WEBHOOK_SECRET=''", "openssl", "--unsigned"]),
        (["forward", "parquet", "{good}"], ["FOLDER", "good.csv", "name a folder"]),
        (["send", "applications", "{good}", "--map", "age=AGE"], ["--map age", "application_id"]),
        (["send", "applications", "{good}", "--map", "applicant_id=WHO"], ["'WHO'", "--map applicant_id=COLUMN"]),
        (["send", "applications", "{good}", "--text", "zip"], ["'zip'", "it has"]),
        (["score", "{table}", "{good}"], ["no column 'home'", "it has transaction_id"]),
        (["score", "{table}", "none.csv"], ["none.csv", "is no file"]),
        (["score", "{table}", "{good}", "--out", "x.xlsx"], ["--out x.xlsx", ".csv, .parquet, .jsonl"]),
        (["score", "{demo}", "{good}"], ["scores transactions", "a recipe made of a table"]),
        (["demo", "--bundle", "{table}"], ["scores rows of a table", "name one that scores transactions"]),
        (["demo", "--bundle", "nowhere"], ["nowhere", "name the folder of a bundle"]),
    ],
)
def test_bad_input_is_one_clear_line(
    tmp_path: Path, loans: Path, markets: Path, arguments: list[str], told: list[str]
) -> None:
    """Status 2, no traceback, and one line with the field, the value and the remedy."""
    good = tmp_path / "good.csv"
    good.write_text(HEADER + ROW)
    other, cards = (ROOT / "examples" / name for name in ("applications.toml", "handbook.toml"))
    files = {"good": good, "folder": tmp_path, "demo": DEMO, "table": loans, "other": other, "cards": cards}
    files |= {"market": markets} | {name: tmp_path / f"{name}.csv" for name in BAD}
    for name, content in BAD.items():
        files[name].write_text(content)
    filled = [argument.format(**files) for argument in arguments]
    refused(riskstream(*filled), *told)


@pytest.mark.parametrize(
    ("name", "value"),
    [("PARTITIONS", "abc"), ("BROKER", "kafka"), ("LOG_LEVEL", "loud"), ("CHECKPOINT_INTERVAL_SECONDS", "0")],
)
@pytest.mark.parametrize("verb", ["topics", "run", "alerts", "decisions", "replay", "demo", "simulate"])
def test_a_bad_setting_is_named(verb: str, name: str, value: str) -> None:
    """The line names the variable and its value."""
    refused(
        riskstream(verb, **{f"RISKSTREAM_{name}": value}), f"RISKSTREAM_{name}={value!r}", "docs/reference/settings.md"
    )


@pytest.mark.parametrize(
    "verb",
    [
        *(["topics"], ["run"], ["monitor"], ["lag"], ["alerts"], ["replay"], ["simulate"]),
        ["send", "transactions", "{good}"],
        *(["forward", "webhook", "--unsigned", "https://example.com"], ["forward", "parquet", "{folder}"]),
        *(["market", "refit", "--once"], ["market", "live-report", "--symbol", "X"]),
    ],
)
def test_a_broker_that_is_not_there_is_named(tmp_path: Path, markets: Path, verb: list[str]) -> None:
    """A verb that needs a broker ends, and says where it looked and how to start one."""
    good = tmp_path / "good.csv"
    good.write_text(HEADER + ROW)
    address = f"127.0.0.1:{free_port()}"
    bundles = {"RISKSTREAM_BUNDLE": str(DEMO)}
    if "refit" in verb:
        bundles["RISKSTREAM_MARKET_BUNDLE"] = str(markets)
    ran = riskstream(*(one.format(good=good, folder=tmp_path) for one in verb), RISKSTREAM_BROKER=address, **bundles)
    assert ran.returncode == 2, ran.stderr
    assert "Traceback" not in ran.stderr
    last = ran.stderr.splitlines()[-1]
    assert f"RISKSTREAM_BROKER={address}" in last
    assert "riskstream broker" in last


@pytest.mark.parametrize("secret", ["hunter2", "whsec_hunter2", "whsec_aHVudGVyMg=="])
def test_a_webhook_secret_of_no_use_is_named_and_not_shown(secret: str) -> None:
    """The line names the variable and how to make a good one, and holds nothing of the secret."""
    ran = riskstream("forward", "webhook", "https://example.com", RISKSTREAM_WEBHOOK_SECRET=secret)
    refused(ran, "RISKSTREAM_WEBHOOK_SECRET", "openssl rand")
    assert secret.removeprefix("whsec_") not in ran.stderr
    told = ("--unsigned, RISKSTREAM_WEBHOOK_SECRET", "one of the two")
    refused(
        riskstream("forward", "webhook", "https://example.com", "--unsigned", RISKSTREAM_WEBHOOK_SECRET=secret), *told
    )


def test_files_want_the_library_that_writes_them(tmp_path: Path) -> None:
    """Without pyarrow the line names the extra that brings it."""
    (tmp_path / "pyarrow.py").write_text("raise ImportError('No module named pyarrow')")
    ran = riskstream("forward", "parquet", str(tmp_path / "audit"), PYTHONPATH=str(tmp_path))
    refused(ran, "No module named pyarrow", "riskstream[history]")


def test_a_bundle_is_shown_and_verified() -> None:
    """`bundle show` tells model, thresholds, features and the command; `bundle verify` that all agrees."""
    shown = riskstream("bundle", "show", str(DEMO))
    assert shown.returncode == 0
    for one in ("network", "review", "riskstream train --simulate --name demo", "merchant_fraud_rate_7d"):
        assert one in shown.stdout
    verified = riskstream("bundle", "verify", str(DEMO))
    assert verified.returncode == 0
    assert "agree" in verified.stdout


def test_a_bundle_of_a_table_is_shown_and_verified(loans: Path) -> None:
    """`bundle show` tells columns, thresholds and the points of each bin; `bundle verify` that all agrees."""
    shown = riskstream("bundle", "show", str(loans))
    assert shown.returncode == 0, shown.stderr
    for one in ("logistic_regression", "predicts", "a number from 18 to 100", "600 points at odds of 50 to 1", "rent"):
        assert one in shown.stdout
    verified = riskstream("bundle", "verify", str(loans))
    assert verified.returncode == 0, verified.stderr
    assert "columns and golden rows agree" in verified.stdout


def test_a_file_is_scored_and_what_cannot_be_is_listed(loans: Path, tmp_path: Path) -> None:
    """`score` shows rows, points and a summary, and lists a row with its column and reason; without any, status 2."""
    file, out = tmp_path / "applicants.csv", tmp_path / "decided.csv"
    file.write_text("age,income,home,amount\n41,2000,own,9000\n17,2000,rent,500\nforty,,,\n")
    ran = riskstream("score", str(loans), str(file), "--out", str(out))
    assert ran.returncode == 0, ran.stderr
    assert re.search(r"1 +│ age +│ out_of_range │ 17 ", ran.stdout)
    assert re.search(r"2 +│ age +│ wrong_type +│ text ", ran.stdout)
    assert re.search(r"3 rows: .* 2 invalid; expected loss [\d.,]+ in all", ran.stdout)
    assert len(out.read_text().splitlines()) == 4
    file.write_text("age,income,home,amount\n17,2000,rent,500\n")
    ran = riskstream("score", str(loans), str(file))
    assert ran.returncode == 2
    assert "no row could be scored" in ran.stderr


def test_a_worker_refuses_a_bundle_of_the_other_kind(loans: Path) -> None:
    """The line names the variable, and what it must name."""
    refused(riskstream("run", RISKSTREAM_BUNDLE=str(loans)), "scores rows of a table", "scores transactions")
    told = ("RISKSTREAM_CREDIT_BUNDLE", "scores transactions", "a recipe made of a table")
    refused(riskstream("run", RISKSTREAM_BUNDLE=str(DEMO), RISKSTREAM_CREDIT_BUNDLE=str(DEMO)), *told)
    refused(riskstream("run", RISKSTREAM_CREDIT_BUNDLE="nowhere"), "RISKSTREAM_CREDIT_BUNDLE", "nowhere")


def test_a_worker_names_the_variable_of_a_wrong_market_bundle(loans: Path) -> None:
    """So does the process that refits."""
    for verb in (["run"], ["market", "refit", "--once"]):
        ran = riskstream(*verb, RISKSTREAM_BUNDLE=str(DEMO), RISKSTREAM_MARKET_BUNDLE=str(loans))
        refused(ran, "RISKSTREAM_MARKET_BUNDLE", "scores rows of a table", "riskstream market train")


def test_a_bundle_of_markets_is_shown_and_verified(markets: Path) -> None:
    """`bundle show` tells bars, rules, models and forecasters; `bundle verify` that all agrees."""
    shown = riskstream("bundle", "show", str(markets))
    assert shown.returncode == 0, shown.stderr
    for one in ("of 60 s", "filtered historical", "GARCH(1,1)", "half of it stays", "all others"):
        assert one in shown.stdout
    verified = riskstream("bundle", "verify", str(markets))
    assert verified.returncode == 0, verified.stderr
    assert "agree" in verified.stdout


def test_a_bundle_that_was_tampered_with_is_refused(tmp_path: Path) -> None:
    """A changed byte of the model is found, and no worker starts with it."""
    copy = tmp_path / "demo"
    shutil.copytree(DEMO, copy)
    (model,) = copy.glob("*/model.onnx")
    model.write_bytes(model.read_bytes()[:-1] + b"?")
    refused(riskstream("bundle", "verify", str(copy)), f"sha256 of {model.name}", "copy it again")
    refused(riskstream("run", RISKSTREAM_BUNDLE=str(copy)), f"sha256 of {model.name}")


def test_nothing_is_reported_of_what_onnx_runtime_runs(tmp_path: Path) -> None:
    """A verb that runs a model leaves no store of events for the library's makers."""
    environment = os.environ | {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    for name in ("CI", "ORT_DISABLE_TELEMETRY"):
        environment.pop(name, None)
    verify = [sys.executable, "-m", "riskstream", "bundle", "verify", str(DEMO)]
    subprocess.run(verify, env=environment, check=True, capture_output=True)
    assert not [path for path in tmp_path.rglob("*") if "onnxruntime" in path.name]


def test_the_command_line_opens_without_a_compiler() -> None:
    """No verb waits for numba that needs none: it takes as long to load as all else together."""
    program = "import sys, riskstream; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0
