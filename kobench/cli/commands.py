"""The command line: parse, call, print, exit code.

Exit code 0: all done; 1: something failed; 2: wrong usage, or nothing to do.

Nothing heavy is imported here: `kobench --help` and a cached `kobench list` shall not wait for
numpy, pandas or torch.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from typing import Any

import click

from kobench import __version__
from kobench.cli.output import say, show_error
from kobench.errors import UserError

#: Where each command lives; a module is imported when its command is used.
COMMANDS = {
    "run": "kobench.cli.run",
    "predict": "kobench.cli.predict",
    "list": "kobench.cli.list",
    "info": "kobench.cli.info",
    "new": "kobench.cli.new",
    "check": "kobench.cli.check",
    "board": "kobench.cli.board",
    "site": "kobench.cli.site",
    "tune": "kobench.cli.tune",
    "compare": "kobench.cli.compare",
    "versions": "kobench.cli.versions",
    "show": "kobench.cli.show",
    "submit": "kobench.cli.submit",
    "verify": "kobench.cli.proof",
    "score": "kobench.cli.score",
    "datasets": "kobench.cli.datasets",
    "env": "kobench.cli.env",
    "doctor": "kobench.cli.doctor",
    "completion": "kobench.cli.completion",
}

#: One line each, so that `kobench --help` imports none of the modules above.
SUMMARIES = {
    "run": "Fit predictors, ask them, score them, print the leaderboard.",
    "predict": "Write a predictor's answers for any dataset to a file, without a score.",
    "list": "List datasets, predictors, metrics and tasks, and plugins with problems.",
    "info": "Show all there is to know about one dataset, predictor, metric or task.",
    "new": "Write a package for a predictor, dataset or metric, or a leaderboard, of your own.",
    "check": "Run the named checks of a predictor, dataset or metric.",
    "board": "Build the leaderboard from stored records.",
    "site": "Write one static site of several boards.",
    "tune": "Compare settings of a predictor where no board ranks, and choose one.",
    "compare": "Compare two versions, parameter sets or methods, task by task.",
    "versions": "List the versions of methods that a results folder keeps, or remove older ones.",
    "show": "Show one trial: why it failed, what it scored worst, how to ask it again.",
    "submit": "Write a folder with the rows of one method, for somebody's board.",
    "verify": "Say of each row of a board whether it can be true.",
    "score": "Score stored answers again, and say whether they give what their records say.",
    "datasets": "Add a dataset of your own, or see where files are looked for.",
    "env": "Make, list, check and remove environments that predictors have to themselves.",
    "doctor": "Show what the sandbox keeps out of a predictor's reach on this machine.",
    "completion": "Print the line that switches on shell completion.",
}


class Commands(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name])
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from kobench.util.text import suggestion

            raise click.UsageError(f"no command {args[0]!r}; {suggestion(args[0], COMMANDS)}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, SUMMARIES[name]) for name in COMMANDS])


EXAMPLES = """
\b
Examples:
  kobench list predictors
  kobench run quick -p linear
  kobench run -d grn -p linear --networks 3
  kobench board kobench-results --format html -o board.html
"""


@click.group(
    cls=Commands,
    epilog=EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, prog_name="kobench")
def cli() -> None:
    """Score predictors of gene-knockout impact on identical tasks, with floors, ceilings and honest
    intervals.
    """


def stop(*_: object) -> None:
    """End as Ctrl-C does: what was started is ended, what was half written is removed.

    A second signal must not disturb that, so further ones are ignored.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> None:
    """Entry point of the `kobench` command."""
    # One thread by default, so that --jobs trials do not fight over the cores and last digits do
    # not depend on the machine.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # as under nohup
            signal.signal(number, stop)
    try:
        code = cli.main(prog_name="kobench", standalone_mode=False)
    except UserError as error:
        say(f"Error: {error}", err=True)
        code = error.exit_code
    except click.exceptions.Abort as stopped:
        say(str(stopped) or "Stopped.", err=True)
        code = 130
    except click.ClickException as error:
        show_error(error)
        code = error.exit_code
    except BrokenPipeError:
        # the reader is gone, nothing more can be written
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
        code = 0
    except OSError as error:
        where = f": {error.filename2 or error.filename}" if error.filename else ""
        say(
            f"Error: {error.strerror or error}{where}; check the path, its permissions and the free"
            " disk space",
            err=True,
        )
        code = 1
    sys.exit(code if isinstance(code, int) else 0)
