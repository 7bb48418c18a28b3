//! `docs/dependencies.md` says why each crate is used: this fails when it and `Cargo.toml` disagree.
//!
//! Three lists must hold the same names: `[workspace.dependencies]`, the first column of the table,
//! and what the members use. Crates of our own, which have a `path`, need no reason.

use std::collections::BTreeSet;
use std::fs::read_to_string;

use crate::process::root;
use crate::workspace;

const MANIFEST: &str = "Cargo.toml";
const TABLE: &str = "docs/dependencies.md";

/// Compares the three lists.
pub(crate) fn check() -> Result<(), String> {
    let read =
        |name| read_to_string(root().join(name)).map_err(|error| format!("cannot read {name}: {error}"));
    let used = workspace::packages()?.into_iter().flat_map(|package| package.dependencies).collect();
    let complaints = compare(&named_in_manifest(&read(MANIFEST)?), &named_in_table(&read(TABLE)?), &used);
    if complaints.is_empty() { Ok(()) } else { Err(complaints.join("\n")) }
}

fn compare(manifest: &BTreeSet<String>, table: &BTreeSet<String>, used: &BTreeSet<String>) -> Vec<String> {
    let complain = |here: &BTreeSet<String>, there: &BTreeSet<String>, why: &str| {
        here.difference(there).map(|name| format!("`{name}` {why}")).collect::<Vec<_>>()
    };
    [
        complain(
            manifest,
            table,
            "is in [workspace.dependencies] but has no row in docs/dependencies.md: say why it is used",
        ),
        complain(
            table,
            manifest,
            "has a row in docs/dependencies.md but is not in [workspace.dependencies]: remove the row",
        ),
        complain(
            used,
            manifest,
            "is used with a version of its own: name it in [workspace.dependencies] of the root Cargo.toml",
        ),
    ]
    .concat()
}

/// The keys of `[workspace.dependencies]` and its sub-tables, except those with a `path`.
fn named_in_manifest(text: &str) -> BTreeSet<String> {
    const SECTION: &str = "[workspace.dependencies";
    let mut names = BTreeSet::new();
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            inside = line == "[workspace.dependencies]";
            if let Some(name) = line.strip_prefix(SECTION).and_then(|rest| rest.strip_prefix('.')) {
                names.insert(name.trim_end_matches(']').trim_matches('"').to_owned());
            }
        } else if let Some((name, value)) = line.split_once('=')
            && inside
            && !line.starts_with('#')
            && !value.contains("path =")
        {
            // `name.workspace = true` cannot occur here; `name.version = "1"` can.
            names.insert(name.split('.').next().unwrap_or(name).trim().trim_matches('"').to_owned());
        }
    }
    names
}

/// What stands between backticks in the first column of the table.
fn named_in_table(text: &str) -> BTreeSet<String> {
    let cells = text.lines().filter_map(|line| line.strip_prefix("| `"));
    cells.filter_map(|rest| rest.split_once('`')).map(|(name, _)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> BTreeSet<String> {
        list.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_manifest_is_read_as_it_is_written() {
        let text = "[workspace]\nmembers = []\n[workspace.dependencies]\nours = { path = \"crates/ours\" }\n# a = \"1\"\n\
                    bytes = \"1\"\ntokio = { version = \"1\" }\nhttp.version = \"1\"\n[workspace.dependencies.tower]\n\
                    version = \"0.5\"\n[profile.release]\nlto = \"thin\"\n";
        assert_eq!(named_in_manifest(text), names(&["bytes", "http", "tokio", "tower"]));
    }

    #[test]
    fn the_table_is_read_from_its_first_column() {
        assert_eq!(
            named_in_table("| crate | why |\n|---|---|\n| `bytes` | `buffers` |\n`text`\n"),
            names(&["bytes"])
        );
    }

    #[test]
    fn every_disagreement_is_told() {
        let complaints = compare(&names(&["a", "b"]), &names(&["b", "c"]), &names(&["b", "d"]));
        let about: Vec<&str> = complaints.iter().map(|line| &line[..3]).collect();
        assert_eq!(about, ["`a`", "`c`", "`d`"]);
        assert!(compare(&names(&["a"]), &names(&["a"]), &names(&["a"])).is_empty());
    }
}
