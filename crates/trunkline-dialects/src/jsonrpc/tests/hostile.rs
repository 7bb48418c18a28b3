//! `hostile.json`, as far as it can be told from reading alone.

use serde_json::Value;

use super::vectors;
use crate::jsonrpc::{Document, Message, Rules, code, read_bytes};

/// What a reader can tell about a document.
#[derive(Debug)]
enum Seen {
    /// It will be refused, with this code and the id as spelled.
    Refused(i64, String),
    /// There is a request to answer, with this id as spelled.
    Asked(String),
    /// A batch of so many elements, and whether all of them are invalid.
    Batch(usize, bool),
}

#[test]
fn hostile_documents_are_read_as_the_vectors_allow() {
    let mut judged = 0;
    for vector in vectors::load("hostile.json", "vectors", 84) {
        let name = vector["name"].as_str().unwrap();
        // A document over max_message never gets here, and lines are cut before.
        if name.starts_with("size: ") && name != "size: 9 MiB of text is accepted" {
            continue;
        }
        let text = generate(&vector["parts"]);
        let seen = match read_bytes(&text, &Rules::default()) {
            Err(_) => Seen::Refused(code::PARSE_ERROR, "null".to_owned()),
            Ok(Document::TooLarge { limit, .. }) => {
                assert_eq!(limit, 1024);
                Seen::Refused(code::BATCH_TOO_LARGE, "null".to_owned())
            }
            Ok(Document::Batch(batch)) => Seen::Batch(batch.len(), batch.clone().all(|item| item.is_err())),
            Ok(Document::One(Ok(Message::Request(request)))) => Seen::Asked(request.id.as_raw().to_owned()),
            Ok(Document::One(Ok(other))) => panic!("{name}: {other:?}"),
            Ok(Document::One(Err(invalid))) => {
                let id = invalid.id.map_or_else(|| "null".to_owned(), |id| id.as_raw().to_owned());
                Seen::Refused(code::INVALID_REQUEST, id)
            }
        };
        let expected = vector["expect"].as_array().unwrap();
        assert!(expected.iter().any(|outcome| agrees(&seen, outcome)), "{name}: {seen:?}, not {expected:?}");
        judged += 1;
    }
    assert_eq!(judged, 78);
}

/// Whether `seen` can lead to `outcome`.
fn agrees(seen: &Seen, outcome: &Value) -> bool {
    let same_id = |id: &str| {
        outcome["id_any"] == true
            || outcome["id_text"] == id
            || serde_json::from_str::<Value>(id).is_ok_and(|id| outcome.get("id") == Some(&id))
            || outcome["id_repeat"][0].as_str().is_some_and(|unit| {
                let times = usize::try_from(outcome["id_repeat"][1].as_u64().unwrap()).unwrap();
                id.trim_matches('"') == unit.repeat(times)
            })
    };
    match (seen, outcome["error"].as_i64()) {
        (Seen::Refused(code, id), Some(error)) => *code == error && same_id(id),
        // A request may still fail, but not for its form.
        (Seen::Asked(id), Some(error)) => {
            ![code::PARSE_ERROR, code::INVALID_REQUEST].contains(&error) && same_id(id)
        }
        (Seen::Asked(id), None) => same_id(id),
        (Seen::Batch(len, all_invalid), None) if outcome["none"] == true => *len > 0 && !all_invalid,
        (Seen::Batch(len, all_invalid), None) => {
            outcome["batch_of"] == *len && *all_invalid == (outcome["all_error"] == code::INVALID_REQUEST)
        }
        _ => false,
    }
}

fn generate(parts: &Value) -> Vec<u8> {
    let mut text = Vec::new();
    for part in parts.as_array().unwrap() {
        let times = part["times"].as_u64().unwrap_or(1);
        let unit = vectors::bytes(part);
        if !unit.windows(2).any(|pair| pair == b"%i") {
            text.extend(unit.repeat(usize::try_from(times).unwrap()));
            continue;
        }
        let unit = String::from_utf8(unit).unwrap();
        (0..times).for_each(|i| text.extend(unit.replace("%i", &i.to_string()).bytes()));
    }
    text
}
