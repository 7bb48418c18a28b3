//! The settings that there are, in the program, its example and its documentation.

use super::{config::Config, settings::Settings};
use std::path::Path;

const EXAMPLE: &str = include_str!("../../examples/gateway.toml");
const DOCUMENT: &str = include_str!("../../../../docs/gateway.md");

/// What is read of a file, and what is wrong with it.
fn read(text: &str) -> (Config, Vec<&'static str>, Vec<String>) {
    let mut settings = Settings::default();
    settings.file(Path::new("gateway.toml"), text);
    let config = Config::read(&mut settings);
    let known = settings.known().to_vec();
    let (problems, _) = settings.finish();
    (config, known, problems.into_iter().map(|problem| problem.text).collect())
}

/// The example with all that it has commented out.
fn whole() -> String {
    let uncomment = |line: &str| match line.strip_prefix('#') {
        Some(setting) if setting.starts_with(|first: char| first.is_ascii_lowercase()) => setting.to_owned(),
        _ => line.to_owned(),
    };
    EXAMPLE.lines().map(|line| uncomment(line) + "\n").collect()
}

#[test]
fn the_example_makes_sense_as_it_stands() {
    assert_eq!(read(EXAMPLE).2, [""; 0]);
}

#[test]
fn the_example_shows_every_setting_and_no_other() {
    let whole = whole();
    let (_, known, problems) = read(&whole);
    let unknown: Vec<_> =
        problems.iter().filter(|problem| problem.starts_with("there is no setting")).collect();
    assert_eq!(unknown, [""; 0]);
    for key in known {
        let (section, name) = key.split_once('.').unwrap_or(("", key));
        let beginning =
            if section.is_empty() { 0 } else { whole.find(&format!("\n[{section}]\n")).expect(key) };
        let end = whole[beginning + 2..].find("\n[").map_or(whole.len(), |end| beginning + 2 + end);
        assert!(whole[beginning..end].contains(&format!("\n{name} = ")), "{key}");
    }
}

#[test]
fn what_the_example_comments_out_is_the_default() {
    let (stripped, plain) = (whole(), read(EXAMPLE).0);
    // those that have no default
    let none = [
        "certificate_file",
        "key_file",
        "url_file",
        "client_messages",
        "identity_changes",
        "[jwt]",
        "secret",
        "public_key",
        "issuer",
        "audience",
        "each_caller",
        "all_callers",
        "failed_logins",
        "origins",
    ];
    let stripped: String = stripped
        .lines()
        .filter(|line| !none.iter().any(|name| line.starts_with(name)))
        .map(|line| format!("{line}\n"))
        .collect();
    let (config, _, problems) = read(&stripped.replace("algorithm =", "[jwt]\nalgorithm ="));
    assert_eq!(problems, [""; 0]);
    let shown = |config: &Config| {
        let Config { name, listen, broker, network, hosts, health, limits, .. } = config;
        format!("{name} {listen:?} {broker} {network} {hosts:?} {health} {limits:?}")
    };
    assert_eq!(shown(&config), shown(&plain));
    assert_eq!(
        config.therms.and_then(|therms| therms.max_body),
        Some(trunkline::Therms::default().body_limit())
    );
}

#[test]
fn the_documentation_lists_every_setting_with_its_variable() {
    for key in read("").1 {
        let variable = super::settings::variable(key);
        assert!(DOCUMENT.contains(&format!("| `{key}` | `{variable}` |")), "| `{key}` | `{variable}` |");
    }
}

#[test]
fn what_cannot_be_changed_while_connections_are_open_is_named() {
    let (was, ..) = read("");
    let (mut now, ..) = read(
        "name = \"n\"\n[listen]\ntcp = \"127.0.0.1:1\"\n[broker]\nnetwork = \"x\"\n[limits]\nmax_batch = 1\n",
    );
    assert_eq!(now.wants_restart(&was), ["name", "listen.http", "listen.tcp", "broker.network"]);
    now.keep(&was);
    assert_eq!(now.wants_restart(&was), [""; 0]);
    assert_eq!(now.limits.max_batch, 1);
}
