//! Every feature alone: each crate that has features is linted with none, with each one, with its
//! defaults and with all, so that no feature leans on another without saying so.
//!
//! Clippy rather than `cargo check`, as it also finds what is unused under one choice of features.

use crate::process::{cargo, run};
use crate::workspace;

/// Lints every crate with every choice of features.
pub(crate) fn check() -> Result<(), String> {
    for package in workspace::packages()? {
        for choice in choices(&package.features) {
            let mut command =
                cargo(["clippy", "--quiet", "--package", &package.name, "--no-default-features"]);
            if !choice.is_empty() {
                command.args(["--features", &choice]);
            }
            run(command.args(["--", "-D", "warnings"]))?;
        }
    }
    Ok(())
}

/// The values of `--features` to try, the empty one first; none for a crate without features.
fn choices(features: &[String]) -> Vec<String> {
    if features.is_empty() {
        return Vec::new();
    }
    let mut choices = vec![String::new()];
    choices.extend_from_slice(features);
    if features.len() > 1 {
        choices.push(features.join(","));
    }
    choices
}

#[cfg(test)]
mod tests {
    use super::choices;

    #[test]
    fn none_each_and_all() {
        assert!(choices(&[]).is_empty());
        assert_eq!(choices(&["ws".to_owned()]), ["", "ws"]);
        assert_eq!(choices(&["default".to_owned(), "ws".to_owned()]), ["", "default", "ws", "default,ws"]);
    }
}
