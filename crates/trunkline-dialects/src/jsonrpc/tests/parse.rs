//! `parse.json`: what a text is read as.

use serde_json::{Value, json};

use super::vectors;
use crate::jsonrpc::{
    Document, ErrorObject, Failure, Id, Item, Message, Notification, Params, Request, Rules, Success, code,
    read,
};

#[test]
fn every_text_is_read_as_the_vector_says() {
    for vector in vectors::load("parse.json", "vectors", 91) {
        let name = vector["name"].as_str().unwrap();
        match read(vector["text"].as_str().unwrap(), &Rules::default()) {
            Err(problem) => {
                assert_eq!(vector["error"]["code"], code::PARSE_ERROR, "{name}: {problem}");
                assert_eq!(vector.get("id"), None, "{name}");
            }
            Ok(Document::One(item)) => assert_item(item, &vector, name),
            Ok(Document::Batch(batch)) => {
                assert_eq!(vector["kind"], "batch", "{name}");
                let items = vector["items"].as_array().unwrap();
                assert_eq!(batch.len(), items.len(), "{name}");
                for (item, expected) in batch.zip(items) {
                    assert_item(item, expected, name);
                }
            }
            Ok(Document::TooLarge { .. }) => panic!("{name}: too large"),
        }
    }
}

#[track_caller]
fn assert_item(item: Item<'_>, expected: &Value, name: &str) {
    let kind = |kind: &str| assert_eq!(expected["kind"], kind, "{name}");
    match item {
        Err(invalid) => {
            let error = ErrorObject::from(&invalid);
            assert_eq!(expected["error"]["code"], error.code, "{name}: {}", invalid.reason);
            assert_eq!(expected["error"]["message"], *error.message, "{name}");
            assert_id(invalid.id.as_ref(), &expected["id"], name);
        }
        Ok(Message::Request(request)) => {
            kind("request");
            assert_id(Some(&request.id), &expected["id"], name);
            assert_eq!(expected["method"], *request.method, "{name}");
            assert_eq!(expected.get("params"), decoded(request.params).as_ref(), "{name}");
        }
        Ok(Message::Notification(notification)) => {
            kind("notification");
            assert_eq!(expected["method"], *notification.method, "{name}");
            assert_eq!(expected.get("params"), decoded(notification.params).as_ref(), "{name}");
        }
        Ok(Message::Success(success)) => {
            kind("success");
            assert_id(Some(&success.id), &expected["id"], name);
            assert_eq!(expected["result"], success.result.decode::<Value>().unwrap(), "{name}");
        }
        Ok(Message::Failure(failure)) => {
            kind("error_response");
            assert_id(failure.id.as_ref(), &expected["id"], name);
            let ErrorObject { code, message, data } = failure.error;
            let mut error = json!({"code": code, "message": message});
            if let Some(data) = data {
                error["data"] = data.decode().unwrap();
            }
            assert_eq!(expected["error_object"], error, "{name}");
        }
    }
}

/// No id stands for null, in the vector as in the message.
#[track_caller]
fn assert_id(id: Option<&Id<'_>>, expected: &Value, name: &str) {
    let spelled = expected["$text"].as_str().map_or_else(|| expected.to_string(), str::to_owned);
    assert_eq!(id.map_or("null", Id::as_raw), spelled, "{name}: id");
}

fn decoded(params: Option<Params<'_>>) -> Option<Value> {
    params.map(|params| params.decode().unwrap())
}

/// What jsonrpc-lib writes we write, except where section 2 and 4 say otherwise.
#[test]
fn generated_messages_are_spelled_as_jsonrpc_lib_spells_them() {
    let request = |id: Id<'static>, params: Value| Message::Request(Request::new(id, "a", &params).unwrap());
    let failure = |error| Message::Failure(Failure::new(Id::from(1), error));
    let success = |result: Value| Message::Success(Success::new(1, &result).unwrap());
    for vector in vectors::load("parse.json", "generated", 14) {
        let name = vector["name"].as_str().unwrap();
        let theirs = vector["serialized"].as_str().unwrap().to_owned();
        let (message, expected) = match name {
            "request" => (request(Id::from(1), json!([1])), theirs),
            "request, no params" => (request(Id::from(1), Value::Null), theirs),
            // Null params mean none, and several servers refuse them.
            "request, null params" => {
                (request(Id::from("x"), Value::Null), theirs.replace(r#","params":null"#, ""))
            }
            "notification" => {
                (Message::Notification(Notification::new("n", &json!({"a": 1})).unwrap()), theirs)
            }
            "success" => (success(json!(5)), theirs),
            // A result is always written: its absence leaves some clients hanging.
            "success, undefined result" => (success(Value::Null), theirs.replace('}', r#","result":null}"#)),
            "success, null result" => (success(Value::Null), theirs),
            "error parseError" => (failure(ErrorObject::parse_error()), theirs),
            // The official text has a capital R.
            "error invalidRequest" => (
                failure(ErrorObject::invalid_request()),
                theirs.replace("Invalid request", "Invalid Request"),
            ),
            "error methodNotFound" => (failure(ErrorObject::method_not_found()), theirs),
            "error invalidParams" => (failure(ErrorObject::invalid_params()), theirs),
            "error internalError" => (failure(ErrorObject::internal_error()), theirs),
            "error with data" => {
                let error = ErrorObject::method_not_found().with_data("d").unwrap();
                (Message::Failure(Failure::new(Id::from("x"), error)), theirs)
            }
            "error, null id" => (Message::Failure(Failure::new(None, ErrorObject::parse_error())), theirs),
            other => panic!("no test for the vector {other:?}"),
        };
        assert_eq!(message.to_string(), expected, "{name}");
        assert_eq!(Message::parse(&expected).unwrap(), message, "{name}");
    }
}
