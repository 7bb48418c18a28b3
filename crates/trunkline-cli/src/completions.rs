//! `trunkline completions`: for shells, what to complete.

use crate::{cli::Cli, failure::Failure, print};
use clap::CommandFactory;
use clap_complete::Shell;

const AFTER_HELP: &str = "\
Examples:
  trunkline completions bash > ~/.local/share/bash-completion/completions/trunkline
  trunkline completions zsh > \"${fpath[1]}/_trunkline\"
  trunkline completions fish > ~/.config/fish/completions/trunkline.fish";

/// Prints completions for a shell
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

/// Prints the completions.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "trunkline", &mut script);
    print::bytes(&script)
}
