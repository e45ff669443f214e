"""`kobench completion`: how to switch on shell completion."""

from __future__ import annotations

import click

from kobench.cli.output import say

LINES = {
    "bash": 'eval "$(_KOBENCH_COMPLETE=bash_source kobench)"',
    "zsh": 'eval "$(_KOBENCH_COMPLETE=zsh_source kobench)"',
    "fish": "_KOBENCH_COMPLETE=fish_source kobench | source",
}

EXAMPLES = """
\b
Examples:
  kobench completion bash >> ~/.bashrc
  kobench completion zsh >> ~/.zshrc
  kobench completion fish > ~/.config/fish/completions/kobench.fish
"""


@click.command("completion", epilog=EXAMPLES)
@click.argument("shell", type=click.Choice(list(LINES)))
def completion_command(shell: str) -> None:
    """Print the line that switches on completion in SHELL."""
    say(LINES[shell])
