//! The corpus that fuzzing starts from: the vectors, and lines that a target has of its own.
//!
//! A vector's bytes stand in it under one of a few names: a whole message, the `chunks` of a stream,
//! or the `steps` in which frames arrive. What is not valid for a target is a seed as well: libFuzzer
//! keeps whatever reaches new code. So each comes a second time with choices behind it, for the
//! targets that take some; they stand behind a byte 0xff.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hasher as _};
use std::path::Path;

use serde_json::Value;

/// How many bytes of choices a seed gets: enough to set a target up and to begin splitting.
const CHOICES: u8 = 16;

/// Writes each seed as a file of its own into `corpus` and says how many there are. Those besides
/// the vectors are the lines of the file `own`, if it is there.
pub(super) fn plant(vectors: &Path, own: &Path, corpus: &Path) -> Result<usize, String> {
    let mut seeds = BTreeMap::new();
    read_folder(vectors, &mut seeds)?;
    if own.exists() {
        let text =
            fs::read_to_string(own).map_err(|error| format!("cannot read {}: {error}", own.display()))?;
        text.lines().for_each(|line| add(line.into(), &mut seeds));
    }
    let with_choices: Vec<_> = seeds.values().map(|seed| choosing(seed)).collect();
    with_choices.into_iter().for_each(|seed| add(seed, &mut seeds));
    let failed = |error: std::io::Error| format!("cannot write to {}: {error}", corpus.display());
    fs::create_dir_all(corpus).map_err(failed)?;
    for (name, bytes) in &seeds {
        fs::write(corpus.join(name), bytes).map_err(failed)?;
    }
    Ok(seeds.len())
}

/// Seeds by the names of their files, which are hashes of what they hold.
type Seeds = BTreeMap<String, Vec<u8>>;

fn read_folder(folder: &Path, seeds: &mut Seeds) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("cannot read {}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            read_folder(&path, seeds)?;
        } else if path.extension().is_some_and(|it| it == "json") {
            let text = fs::read_to_string(&path)
                .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            let file: Value =
                serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
            collect(&file, seeds);
        }
    }
    Ok(())
}

/// Finds what has bytes, at any depth.
fn collect(value: &Value, seeds: &mut Seeds) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, seeds)),
        Value::Object(members) => {
            for (name, member) in members {
                match name.as_str() {
                    "in" | "body" | "bytes" | "serialized" => add(bytes(member).unwrap_or_default(), seeds),
                    "chunks" => add(items(member).filter_map(bytes).flatten().collect(), seeds),
                    "steps" => {
                        let frames = items(member).flat_map(items).filter_map(Value::as_str);
                        add(frames.filter_map(unhex).flatten().collect(), seeds);
                    }
                    _ => {}
                }
                collect(member, seeds);
            }
            add(bytes(value).unwrap_or_default(), seeds);
        }
        _ => {}
    }
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn add(seed: Vec<u8>, seeds: &mut Seeds) {
    if !seed.is_empty() {
        seeds.insert(format!("{:016x}", hash(&seed)), seed);
    }
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

/// The seed with choices behind it, always the same for the same seed.
fn choosing(seed: &[u8]) -> Vec<u8> {
    let choices = (0..CHOICES).map(|number| hash(&[seed, &[number]].concat()).to_le_bytes()[0]);
    // a 0xff among them would end the seed there
    seed.iter().copied().chain([0xff]).chain(choices.map(|choice| choice & 0x7f)).collect()
}

/// What `"…"`, `{"text": "…"}` and `{"hex": "…"}` spell.
fn bytes(value: &Value) -> Option<Vec<u8>> {
    let text = value.as_str().or_else(|| value["text"].as_str());
    text.map(|text| text.as_bytes().to_vec()).or_else(|| unhex(value["hex"].as_str()?))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    digits?.chunks(2).map(|pair| u8::try_from(pair.first()? * 16 + pair.get(1)?).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_found_wherever_they_stand() {
        let file = serde_json::json!({"format": "f", "vectors": [
            {"name": "a", "in": "{}"},
            {"name": "b", "chunks": ["[", {"text": "1"}, {"hex": "5d0a"}]},
            {"name": "c", "steps": [["00ff"], ["01", "02"]]},
        ]});
        let mut seeds = Seeds::new();
        collect(&file, &mut seeds);
        let mut found: Vec<&[u8]> = seeds.values().map(Vec::as_slice).collect();
        found.sort_unstable();
        assert_eq!(found, [&b"\x00\xff\x01\x02"[..], b"1", b"[1]\n", b"]\n", b"{}"]);
    }

    #[test]
    fn choices_stand_behind_the_last_0xff() {
        let seed = choosing(b"\xff{}");
        assert_eq!(seed[..4], *b"\xff{}\xff");
        assert_eq!((seed.len(), seed.iter().rposition(|&byte| byte == 0xff)), (4 + 16, Some(3)));
        assert_ne!(seed[4..], choosing(b"[]")[3..]);
    }

    #[test]
    fn what_is_not_hex_is_no_seed() {
        assert_eq!(unhex("0g"), None);
        assert_eq!(unhex("000"), None);
        assert_eq!(unhex("00ff"), Some(vec![0, 255]));
    }

    #[test]
    fn the_vectors_of_the_project_give_seeds() {
        let mut seeds = Seeds::new();
        read_folder(&crate::process::root().join("tests/vectors"), &mut seeds).unwrap();
        assert!(seeds.len() > 500, "only {} seeds", seeds.len());
    }
}
