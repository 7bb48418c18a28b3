use super::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use trunkline_core::{FaultKind, Handler, Open, RawArgs, Registration, Router, handler::handler};

#[derive(Deserialize, Serialize, JsonSchema)]
struct Guest {
    /// What to call them.
    name: String,
    #[serde(default)]
    age: u8,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema matters")]
struct Join {
    /// Where to.
    room: String,
    guest: Guest,
    #[serde(alias = "from")]
    door: Option<u8>,
}

#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only its schema matters")]
enum Figure {
    Circle { radius: f64 },
    Square { side: f64 },
}

#[derive(Deserialize, JsonSchema)]
enum Suit {
    /// Red.
    Hearts,
    /// Black.
    Spades,
}

fn document(registration: Registration) -> Value {
    let router = Router::new().procedure("it", registration);
    JsonRpc::default().openrpc(&router.catalog(), "title", "1.2.3")
}

fn method(registration: Registration) -> Value {
    document(registration)["methods"][0].take()
}

/// How parameters are given, and which there are; those in brackets may be left out.
#[track_caller]
fn takes<M>(it: impl Handler<M>, structure: &str, names: &str, unlisted: bool) {
    let method = method(handler(it));
    let name = |param: &Value| match param["required"] == true {
        true => param["name"].as_str().unwrap().to_owned(),
        false => format!("[{}]", param["name"].as_str().unwrap()),
    };
    let list: Vec<String> = method["params"].as_array().unwrap().iter().map(name).collect();
    assert_eq!((method["paramStructure"].as_str().unwrap(), &*list.join(" ")), (structure, names));
    assert_eq!(method.get("x-params-schema").is_some(), unlisted, "{method}");
}

#[test]
fn what_has_names_and_an_order_is_given_either_way() {
    takes(async |_: Join| (), "either", "room guest [door]", false);
    takes(async |_: Box<Join>| (), "either", "room guest [door]", false);
    takes(async |_: Option<Join>| (), "either", "[room] [guest] [door]", false);
    takes(async || (), "either", "", false);
    takes(async |(): ()| (), "either", "", false);
}

#[test]
fn what_has_no_names_is_given_by_position() {
    takes(async |_: (u8, String)| (), "by-position", "arg1 arg2", false);
    takes(async |_: [u8; 2]| (), "by-position", "arg1", false);
    takes(async |_: Vec<u8>| (), "by-position", "arg1", false);
    takes(async |_: String| (), "by-position", "arg1", false);
    takes(async |_: Suit| (), "by-position", "arg1", false);
}

#[test]
fn what_a_list_cannot_say_is_said_beside_it() {
    takes(async |_: Figure| (), "by-name", "", true);
    takes(async |_: BTreeMap<String, u8>| (), "by-name", "", true);
    takes(async |_: Vec<Vec<u8>>| (), "by-position", "", true);
    takes(async |_: Vec<Value>| (), "by-position", "", true);
    takes(async |_: RawArgs| (), "either", "", true);
    takes(async |_: Value| (), "either", "", true);
    let by_hand = json!({
        "type": "object",
        "properties": {"b": {"type": "integer"}, "a": {}},
        "required": ["b"],
        "minProperties": 2,
    });
    takes(handler(async |_: Open<Value>| ()).args_schema(by_hand), "by-name", "[a] b", true);
}

#[test]
fn definitions_are_components() {
    let document = document(handler(async |ask: Join| Ok::<_, Fault>(vec![ask.guest])));
    let join = &document["methods"][0];
    assert_eq!(join["params"][0]["description"], "Where to.");
    assert_eq!(join["params"][1]["schema"], json!({"$ref": "#/components/schemas/Guest"}));
    assert_eq!(join["result"]["schema"]["items"], json!({"$ref": "#/components/schemas/GuestResult"}));
    let guest = &document["components"]["schemas"]["Guest"];
    assert_eq!(guest["properties"]["name"]["description"], "What to call them.");
    assert!(!document.to_string().contains("$defs"));
}

#[test]
fn schemas_are_of_draft_7() {
    let document = document(handler(async |(pairs,): (Vec<(u8, bool)>,)| Ok::<_, Fault>(pairs)));
    let pair = &document["methods"][0]["result"]["schema"]["items"];
    assert_eq!(pair["items"][1]["type"], "boolean");
}

#[test]
fn what_was_said_of_a_procedure_is_told() {
    let full = Fault::new(FaultKind::Failed, "full").with_code(4001).with_data(["lobby"]);
    let it = method(
        handler(async || 1)
            .description("Lets somebody\nin.\n\nOnce.")
            .deprecated("call `enter`")
            .group("rooms")
            .data("role", "kept for ourselves")
            .fault(full)
            .fault(Fault::new(FaultKind::Forbidden, "not you"))
            .version("2")
            .idempotent(),
    );
    assert_eq!(it["summary"], "Lets somebody in.");
    assert_eq!(it["description"], "Lets somebody\nin.\n\nOnce.\n\nDeprecated: call `enter`");
    assert_eq!(it["deprecated"], true);
    assert_eq!(it["tags"], json!([{"name": "rooms"}]));
    assert_eq!(
        it["errors"],
        json!([{"code": 4001, "message": "full", "data": ["lobby"]}, {"code": -32003, "message": "not you"}])
    );
    assert_eq!((&it["x-version"], &it["x-idempotent"]), (&json!("2"), &json!(true)));
    assert!(!it.to_string().contains("ourselves"));
    assert_eq!(method(handler(async || ()).notification()).get("result"), None);
}

#[test]
fn a_stream_tells_what_its_items_are() {
    let ticks = handler(async || futures_util::stream::iter([1_u8])).subscription("tick", "stop");
    let method = method(ticks);
    assert_eq!(method["result"]["schema"], json!({"type": "string"}));
    assert_eq!(method["x-stream"]["item"]["type"], "integer");
    assert_eq!(method["x-stream"]["notification"], "tick");
    assert_eq!(method["x-stream"]["unsubscribe"], "stop");
}

#[test]
fn a_stream_that_is_taken_is_told_too() {
    let sum = handler(async |_: trunkline_core::Incoming<u8>, _: (u64,)| 1);
    let method = method(sum);
    assert_eq!(method["x-incoming"]["item"]["type"], "integer");
    assert_eq!(method["params"].as_array().unwrap().len(), 1, "{method}");
    assert_eq!(method["result"]["schema"]["type"], "integer");
}
