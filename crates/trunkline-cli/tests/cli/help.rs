//! `--help`, `--version`, `completions`.

use crate::program::run;

#[test]
fn every_command_has_help_with_examples() {
    let gateway = cfg!(feature = "gateway").then_some("gateway");
    for command in
        ["demo", "discover", "call", "listen", "bench", "nodes", "completions"].into_iter().chain(gateway)
    {
        let help = run(&[command, "--help"]).succeeded();
        assert!(help.contains(&format!("Usage: trunkline {command}")), "{help}");
        assert!(help.contains(&format!("\n  trunkline {command}")) && help.contains("Examples:"), "{help}");
    }
    let help = run(&["--help"]).succeeded();
    for word in ["demo", "discover", "call", "listen", "bench", "nodes", "completions", "RUST_LOG"] {
        assert!(help.contains(word), "{help}");
    }
    assert!(run(&["bench", "--help"]).succeeded().contains("servers that are yours"));
    assert!(run(&["call", "--help"]).succeeded().contains("Exit codes:"));
}

#[test]
fn the_version_is_that_of_the_crate() {
    assert_eq!(run(&["--version"]).succeeded(), concat!("trunkline ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn every_shell_gets_completions() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = run(&["completions", shell]).succeeded();
        for word in ["trunkline", "discover"] {
            assert!(script.contains(word), "{word} for {shell}");
        }
    }
    run(&["completions", "cobol"]).failed(2);
}

#[test]
fn nothing_at_all_is_answered_with_help() {
    assert!(run(&[]).failed(2).contains("Usage: trunkline"));
}
