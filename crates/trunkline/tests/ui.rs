//! What the compiler says to those who get the macros wrong.
//!
//! Each file in `ui/` is a mistake, or several. Its last lines are what has to be said of
//! it, `//~ 3:41 …`: an error that stands at that line and column, and among whose
//! words these are. There may be other words, since those of the compiler change with
//! its versions, but no error at another place.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use serde_json::Value;
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// An error of the compiler.
struct Told {
    /// The line and the column, `3:41`.
    place: String,
    text: String,
}

#[test]
fn mistakes_are_told_with_their_mend() {
    let cases = cases();
    assert!(cases.len() > 25, "there are {} mistakes", cases.len());
    let told = check(&cases);
    let mut wrong = String::new();
    for (name, path) in &cases {
        let text = fs::read_to_string(path).unwrap();
        let expected: Vec<(&str, &str)> =
            text.lines().filter_map(|line| line.strip_prefix("//~ ")?.split_once(' ')).collect();
        assert!(!expected.is_empty(), "{name} does not say what the compiler has to");
        let told = told.get(name).map_or(&[][..], Vec::as_slice);
        for (place, words) in &expected {
            if !told.iter().any(|it| it.place == *place && it.text.contains(words)) {
                writeln!(wrong, "{name}: nobody says at {place}: {words}").unwrap();
            }
        }
        for stray in told.iter().filter(|it| !expected.iter().any(|(place, _)| it.place == *place)) {
            writeln!(wrong, "{name}: who would expect at {}:\n{}", stray.place, stray.text).unwrap();
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// The mistakes, by name.
fn cases() -> BTreeMap<String, PathBuf> {
    let files = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui")).unwrap();
    let named = |path: PathBuf| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path);
    files.map(|file| named(file.unwrap().path())).collect()
}

/// What the compiler says of each, as programs of one package that uses trunkline.
fn check(cases: &BTreeMap<String, PathBuf>) -> BTreeMap<String, Vec<Told>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ui");
    fs::create_dir_all(&package).unwrap();
    let mut manifest = format!(
        "[package]\nname = 'ui'\nversion = '0.0.0'\nedition = '2024'\nautobins = false\n\n\
         [workspace]\n\n\
         [dependencies]\nfutures-util = {{ version = '0.3', default-features = false }}\nschemars = '1'\nserde = '1'\n\
         trunkline = {{ path = '{}', default-features = false }}\n",
        here.display()
    );
    for (name, path) in cases {
        write!(manifest, "\n[[bin]]\nname = '{name}'\npath = '{}'\n", path.display()).unwrap();
    }
    fs::write(package.join("Cargo.toml"), manifest).unwrap();
    fs::copy(here.join("../../Cargo.lock"), package.join("Cargo.lock")).unwrap();
    let checked = Command::new(env!("CARGO"))
        .args(["check", "--offline", "--keep-going", "--message-format=json"])
        .current_dir(&package)
        .env("CARGO_TARGET_DIR", package.join("target"))
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .output()
        .unwrap();
    let mut told: BTreeMap<String, Vec<Told>> = BTreeMap::new();
    for line in String::from_utf8(checked.stdout).unwrap().lines() {
        let message: Value = serde_json::from_str(line).unwrap();
        if let (Some(name), Some(error)) = (message["target"]["name"].as_str(), error(&message["message"])) {
            told.entry(name.to_owned()).or_default().push(error);
        }
    }
    assert!(told.len() >= cases.len(), "{}", String::from_utf8_lossy(&checked.stderr));
    told
}

/// An error, if it is one, and has a place.
fn error(message: &Value) -> Option<Told> {
    let error = Some(message).filter(|it| it["level"] == "error")?;
    let spans = error["spans"].as_array()?;
    let span = spans.iter().find(|it| it["is_primary"] == true)?;
    let place = format!("{}:{}", span["line_start"], span["column_start"]);
    Some(Told { place, text: error["rendered"].as_str()?.to_owned() })
}
