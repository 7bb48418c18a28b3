//! `--batch`: the calls of a file, in one message.

use crate::{
    failure::Failure,
    params::{self, Params},
    print::{self, Layout},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use trunkline::{Client, Fault, Limits};

/// A call or a notification.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Item {
    method: String,
    #[serde(default)]
    params: Params,
    #[serde(default)]
    notify: bool,
}

/// What came of a call, as one line of JSON.
#[derive(Serialize)]
struct Outcome<'a> {
    method: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Refusal<'a>>,
}

#[derive(Serialize)]
struct Refusal<'a> {
    code: Option<i64>,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
}

/// Reads a file of calls.
pub(super) fn read(path: &str) -> Result<Vec<Item>, Failure> {
    let items = parse(&params::read_file(path)?).map_err(|error| {
        Failure::usage(format!("`{path}` is no batch: {error}"))
            .hint(r#"objects such as {"method": "add", "params": [2, 3]}, one a line or in an array"#)
    })?;
    if items.is_empty() {
        return Err(Failure::usage(format!("`{path}` is no batch: there is no call in it")));
    }
    let limit = Limits::default().max_batch;
    if items.len() > limit {
        return Err(Failure::usage(format!("`{path}` has {} calls, and a batch up to {limit}", items.len()))
            .hint("several smaller batches"));
    }
    Ok(items)
}

fn parse(text: &str) -> Result<Vec<Item>, serde_json::Error> {
    let items: Result<Vec<Item>, _> = match text.trim_ascii_start().starts_with('[') {
        true => serde_json::from_str(text),
        false => serde_json::Deserializer::from_str(text).into_iter().collect(),
    };
    let mut items = items?;
    for item in &mut items {
        item.params = item.params.take().map(params::positional);
    }
    Ok(items)
}

/// Sends the calls, and prints what came of each.
pub(super) async fn send(client: &Client, items: &[Item]) -> Result<(), Failure> {
    let mut batch = client.batch();
    for Item { method, params, notify } in items {
        batch = match notify {
            true => batch.notify(method, params)?,
            false => batch.call(method, params)?,
        };
    }
    let answers = batch.send().await?;
    let calls = items.iter().filter(|item| !item.notify);
    let mut refused = 0;
    for (index, item) in calls.enumerate() {
        let answer = answers.get::<Box<RawValue>>(index);
        refused += usize::from(answer.is_err());
        print::line(&print::json(&outcome(&item.method, &answer), Layout::Line))?;
    }
    match refused {
        0 => Ok(()),
        _ => Err(Failure::fault(format!("{refused} of {} calls failed", answers.len()))),
    }
}

fn outcome(method: &str, answer: &Result<Box<RawValue>, Fault>) -> String {
    let data: Option<Box<RawValue>> = answer.as_ref().err().and_then(Fault::data);
    let outcome = Outcome {
        method,
        result: answer.as_deref().ok(),
        error: answer.as_ref().err().map(|fault| Refusal {
            code: fault.code(),
            message: fault.message(),
            data: data.as_deref(),
        }),
    };
    serde_json::to_string(&outcome).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_and_lines_are_the_same() {
        let array = r#" [{"method":"a","params":[1]}, {"method":"b","params":5,"notify":true}]"#;
        let lines = "{\"method\":\"a\",\"params\":[1]}\n\n{\"method\":\"b\",\"params\":5,\"notify\":true}\n";
        for text in [array, lines] {
            let items = parse(text).unwrap();
            let [a, b] = &*items else { panic!("{items:?}") };
            assert_eq!((&*a.method, a.params.as_ref().unwrap().get(), a.notify), ("a", "[1]", false));
            assert_eq!((&*b.method, b.params.as_ref().unwrap().get(), b.notify), ("b", "[5]", true));
        }
    }

    #[test]
    fn what_is_no_call_is_refused_with_its_place() {
        let error = parse("{\"method\":\"a\"}\n{\"params\":[]}").unwrap_err().to_string();
        assert!(error.contains("`method`") && error.contains("line 2"), "{error}");
        let error = parse(r#"[{"method":"a","id":1}]"#).unwrap_err().to_string();
        assert!(error.contains("`id`"), "{error}");
    }

    #[test]
    fn an_outcome_is_a_result_or_an_error() {
        let result = RawValue::from_string("1.50".into()).unwrap();
        assert_eq!(outcome("a", &Ok(result)), r#"{"method":"a","result":1.50}"#);
        let fault = Fault::from("no").with_code(7).with_data([1]);
        assert_eq!(
            outcome("a", &Err(fault)),
            r#"{"method":"a","error":{"code":7,"message":"no","data":[1]}}"#
        );
    }
}
