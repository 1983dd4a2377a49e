"""The commands and flags that scripts and manuals rely on. Adding is free; what is listed here may not vanish."""

from __future__ import annotations

import subprocess
import sys

import pytest
import typer

from mldesk.cli.main import ENTRIES, build

COMMANDS = {
    "demo": {"--keep", "--window"},
    "doctor": set(),
    "data import": {"SOURCE", "--name", "--on", "--format", "--preview", "--sheet", "--range", "--header-row",
                    "--delimiter", "--encoding", "--decimal", "--thousands", "--dates", "--missing", "--type",
                    "--table", "--query", "--flatten", "--widths", "--member", "--provenance", "--union", "--rejects",
                    "--most", "--force", "--no-partitions", "--quote", "--comment", "--header-rows", "--percent",
                    "--without",
                    "--fill-short", "--keep-footers"},
    "data again": {"N", "--rejects", "--without-merged", "--force"},
    "data fetch": {"N[@V]"},
    "data explore": {"N[@V]", "--target", "--task"},
    "data chart": {"N[@V]", "--kind", "--x", "--y", "--by", "--where", "--output", "-o", "--force"},
    "data guard": {"N[@V]", "--target", "--split", "--split-column", "--folds", "--test-size", "--seed"},
    "data samples": set(),
    "data list": {"--removed", "--find", "--tag", "--task", "--min-rows", "--max-rows", "--min-size", "--max-size",
                  "--sort"},
    "data show": {"N[@V]"},
    "data preview": {"N[@V]", "--rows", "--offset", "--only", "--where"},
    "data profile": {"N[@V]"},
    "data query": {"N[@V]", "SQL", "--keep", "--output", "--force"},
    "data steps": {"STEP"},
    "data recipe": {"FILE", "--move", "--disable", "--enable", "--drop", "--output", "--force"},
    "data clean": {"N[@V]", "--recipe", "--preview", "--export-script", "--leave-to-model", "--allow-python",
                   "--time-limit", "--force"},
    "data contract": {"N[@V]", "--infer", "--edit", "--export", "--force"},
    "data check": {"FILES… N", "--contract", "--merge", "--quarantine", "--rejects", "--sheet", "--force"},
    "data checks": {"N", "NUMBER", "--status", "--limit"},
    "data accept": {"N", "NUMBER…", "--why"},
    "data versions": {"N"},
    "data diff": {"N", "V", "W", "--key", "--whole-rows", "--distributions"},
    "data lineage": {"N"},
    "data tag": {"N[@V]", "TAG…", "--add", "--remove", "--move"},
    "data note": {"N[@V]", "TEXT"},
    "data bin": set(),
    "data purge": {"N…", "--all", "--yes"},
    "data rollback": {"N", "V"},
    "data export": {"N[@V]", "FILE", "--table", "--force"},
    "data remove": {"N"},
    "data rename": {"N", "NEW"},
    "data restore": {"N"},
    "train": {"N[@V]", "--target", "--task", "--model", "--param", "--runner", "--priority", "--seed", "--test-size",
              "--name", "--detach", "--feature", "--without", "--split", "--split-column", "--folds", "--prepare",
              "--order", "--at", "--repeat", "--every"},
    "search": {"N[@V]", "--target", "--time", "--trials", "--metric", "--runner", "--parallel", "--prepare", "--order",
               "--stack", "--at", "--repeat", "--every", "--detach"},
    "runs list": {"--target", "--model", "--kind", "--score", "--group", "--tag", "--view", "--csv", "--force"},
    "runs show": {"RUN"},
    "runs at": {"RUN", "TIME"},
    "runs split": {"RUN", "--output", "--with-rows", "--force"},
    "runs follow": {"RUN"},
    "runs events": {"RUN", "--after"},
    "runs logs": {"RUN", "--level", "--search"},
    "models note": {"M[@V]", "TEXT"},
    "models tag": {"M[@V]", "--add", "--remove"},
    "runs cancel": {"RUN"},
    "runs finish": {"RUN"},
    "runs resume": {"RUN"},
    "runs pause": {"RUN"},
    "runs learning-rate": {"RUN", "RATE"},
    "runs extend": {"RUN", "--time", "--trials", "--refit"},
    "runs trial": {"RUN", "N", "--train", "--keep", "--promote", "--name", "--save-as", "--runner",
                   "--detach"},
    "runs compare": {"RUN", "--against", "--5x2cv", "--runner", "--detach", "--csv", "--force"},
    "runs rename": {"RUN", "NAME"},
    "runs import": {"PATH"},
    "runs tag": {"RUN", "--add", "--remove"},
    "runs note": {"RUN", "TEXT", "--group", "--name"},
    "runs groups": set(),
    "runs views": {"--remove"},
    "runs report": {"RUN", "-o", "--force"},
    "runs script": {"RUN", "-o", "--force"},
    "runs evaluation": {"RUN", "--part", "--rows", "--class", "--cost"},
    "runs files": {"RUN", "NAME", "-o", "--force"},
    "templates list": set(),
    "templates show": {"NAME"},
    "templates start": {"NAME", "--name"},
    "presets list": set(),
    "presets show": {"NAME"},
    "presets remove": {"NAME"},
    "presets export": {"NAME", "-o", "--force"},
    "presets import": {"FILE"},
    "runs predictions": {"RUN", "-o", "--out-of-fold", "--force"},
    "script run": {"--param", "--input", "--runner", "--name", "--detach", "--at", "--repeat", "--every"},
    "script show": {"FOLDER|FILE.py", "--alone"},
    "script new": {"FOLDER"},
    "script diff": {"RUN"},
    "script artifact": {"RUN", "NAME", "-o", "--force"},
    "runs move": {"RUN", "RUNNER"},
    "models kinds": {"NAME"},
    "models list": {"--tag"},
    "models show": {"M[@V]"},
    "models promote": {"M", "V", "--note"},
    "models rollback": {"M", "V"},
    "models stage": {"M", "V", "STAGE", "--note"},
    "models history": {"M"},
    "models lineage": {"M[@V]"},
    "models layers": {"M[@V]"},
    "models card": {"M[@V]", "--edit", "--reset", "-o", "--force"},
    "models drift": {"M[@V]", "FILE|N[@V]"},
    "models retrain": {"M[@V]", "N[@V]", "--promote"},
    "models challenge": {"NEW", "OLD"},
    "models predictions": {"M", "--check"},
    "models threshold": {"M[@V]", "[P]", "--class", "--reset"},
    "models export": {"M[@V]", "FILE.mlbundle", "--as", "--force"},
    "models inspect": {"FILE"},
    "models import": {"FILE"},
    "predict": {"MODEL|FILE.mlbundle", "INPUT", "-o", "--keep", "--keep-all", "--force", "--rejects", "--strict"},
    "serve": {"MODEL|FILE.mlbundle", "--port"},
    "explain": {"MODEL", "--set", "--row", "--shap", "--data", "--column", "--rows", "--runner", "--output", "--detach",
                "--force"},
    "runners list": set(),
    "runners show": {"NAME"},
    "runners check": {"NAME", "--accept-key"},
    "runners add": {"NAME", "USER@HOST[:PORT]", "--yes", "--cpu-only", "--no-boot", "--accept-key", "--password-stdin"},
    "runners upgrade": {"NAME"},
    "runners remove": {"NAME", "--kill-jobs", "--keep-data"},
    "runners forget": {"NAME"},
    "runners queue": {"NAME", "--move", "--before", "--priority"},
    "runners drain": {"NAME", "--off"},
    "runners settings": {"NAME", "--cpu-slots", "--gpu-slots", "--quiet", "--on-reboot", "--quota"},
    "runners log": {"NAME"},
    "runners watch": {"NAME"},
}


def _commands() -> dict[str, set[str]]:
    found = {}
    for name, command in typer.main.get_command(build()).commands.items():  # type: ignore[attr-defined]
        for path, leaf in ([(f"{name} {sub}", item) for sub, item in command.commands.items()]
                           if hasattr(command, "commands") else [(name, command)]):
            if leaf.hidden:   # another name of one that is listed
                continue
            found[path] = {word for parameter in leaf.params for word in (
                parameter.opts if parameter.param_type_name == "option" else [parameter.metavar])}
    return found


def test_the_commands_are_those_of_the_contract() -> None:
    assert set(_commands()) == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_takes_what_the_contract_says(command: str) -> None:
    assert COMMANDS[command] <= _commands()[command]


def test_the_order_of_the_help_names_every_command() -> None:
    assert set(ENTRIES) == {command.partition(" ")[0] for command in COMMANDS}


def test_the_help_lists_every_command_in_words() -> None:
    texts = {}
    for group in ("", "data", "script", "runs", "models", "presets", "templates", "runners"):
        done = subprocess.run([sys.executable, "-m", "mldesk", *group.split(), "--help"], capture_output=True,
                              text=True, check=True, encoding="utf-8")
        texts[group] = done.stdout
    for command in COMMANDS:
        group, _, leaf = command.rpartition(" ")
        line = next(line for line in texts[group].splitlines() if line.lstrip("│ ").startswith(leaf + " "))
        assert len(line.strip("│ ")) > len(leaf) + 12, f"{command} does not say what it is for"
