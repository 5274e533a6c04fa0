"""Every command that the documentation shows does what a reader hopes: it ends well."""

import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

from stream.broker_process import BrokerProcess
from tests.docs.command_runner import CommandRunner
from tests.docs.commands_not_run import NOT_RUN, missing_of, reason_not_to_run
from tests.docs.documented_commands import Command, commands, fences, name_of, pages
from tests.docs.input_files import make_folder

_SEND = (
    "riskstream topics",
    "riskstream send transactions history.parquet --map transaction_id=ID --map customer_id=CARD"
    " --map merchant_id=SHOP --map amount=AMOUNT --map event_time=WHEN --map fraud=IS_FRAUD",
)

BEFORE = {
    "README.md": _SEND,
    "docs/concepts/explanations.md": (*_SEND, "riskstream run"),
    "docs/operations/rollback.md": _SEND,
    "docs/operations/upgrade.md": _SEND,
    "docs/replay.md": (
        *_SEND,
        "riskstream send ticks today.csv",
        "riskstream send rates par_yields.csv",
        "export RISKSTREAM_MARKET_BUNDLE=bundles/demo-market",
        "riskstream run",
    ),
}
"""What a page takes its reader to have done before, as commands: a stream of their own, and workers on it."""

SHOWN = {name_of(page): commands(page) for page in pages()}
RUN = {
    page: to_run
    for page, shown in SHOWN.items()
    if (to_run := [command for command in shown if reason_not_to_run(command.text) is None])
}


def run_page(page: str, folder: Path, bootstrap: str) -> list[str]:
    """Run a page's commands in an empty folder; return each with the seconds that it took."""
    all_of_it = [*(Command(page, 0, text) for text in BEFORE.get(page, ())), *RUN[page]]
    make_folder(folder, page, "\n".join(command.text for command in all_of_it))
    with CommandRunner(folder, bootstrap, prefix=f"docs-{uuid4().hex[:8]}.") as runner:
        for command in all_of_it:
            runner.run(command)
    return runner.took


@pytest.fixture(scope="module")
def runs(
    request: pytest.FixtureRequest, kafka: BrokerProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[list[str]]]]:
    """Give the runs of the pages that are to be tested, two at a time: a command waits for others half of its time."""
    tests = [item for item in request.session.items if isinstance(item, pytest.Function)]
    chosen = [str(item.callspec.params["page"]) for item in tests if "runs" in item.fixturenames]
    with ThreadPoolExecutor(2) as pool:
        yield {page: pool.submit(run_page, page, tmp_path_factory.mktemp("page"), kafka.bootstrap) for page in chosen}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("page", RUN)
def test_every_command_of_a_page_ends_well(runs: dict[str, Future[list[str]]], page: str) -> None:
    """A reader who types what a page shows, one command after the other, meets no error."""
    print("\n".join(runs[page].result()))


def test_commands_that_are_not_run_name_what_is_there() -> None:
    """A command that no test runs names targets, extras, modules and files that exist."""
    wrong = [
        f"{command}: {missing}"
        for shown in SHOWN.values()
        for command in shown
        if reason_not_to_run(command.text) is not None
        for missing in missing_of(command.text)
    ]
    assert wrong == []


def test_no_reason_is_left_over() -> None:
    """Each pattern of commands that are not run still has one."""
    told = {reason_not_to_run(command.text) for shown in SHOWN.values() for command in shown}
    assert set(NOT_RUN.values()) <= told


def test_containers_and_clusters_stand_in_consoles() -> None:
    """What needs Docker or a cluster is not among what a test could run."""
    elsewhere = ("docker", "kubectl", "helm", "kustomize")
    assert [str(one) for shown in SHOWN.values() for one in shown if one.text.split()[0] in elsewhere] == []


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_consoles_show_commands_of_a_shell(page: Path) -> None:
    """What stands behind a prompt is a command that a shell can read, though none runs it here."""
    for _, block in fences(page, "console"):
        script = "\n".join(line.removeprefix("$ ") for line in block.splitlines() if line.startswith("$ "))
        assert script, block
        read = subprocess.run(["bash", "-n", "-c", script], capture_output=True, text=True, check=False)
        assert read.returncode == 0, f"{block}{read.stderr}"
