use super::*;
use crate::{Fault, Open, handler::handler};
use schemars::JsonSchema;
use serde_json::json;

#[derive(serde::Deserialize, serde::Serialize, JsonSchema)]
struct Guest {
    name: String,
    #[serde(default)]
    age: u8,
}

#[derive(serde::Deserialize, JsonSchema)]
struct Join {
    room: String,
    guest: Guest,
}

async fn join(ask: Join) -> Result<Vec<Guest>, Fault> {
    if ask.room.is_empty() { Err("which room?".into()) } else { Ok(vec![ask.guest]) }
}

fn only(router: &Router) -> (Entry, Map<String, Value>) {
    let mut catalog = router.catalog();
    assert_eq!(catalog.procedures.len(), 1);
    (catalog.procedures.remove(0), catalog.definitions)
}

#[test]
fn types_describe_themselves_once() {
    let (join, definitions) = only(&Router::new().procedure("join", join));
    assert_eq!(join.signature.args.get("required"), Some(&json!(["room", "guest"])));
    assert_eq!(join.signature.args.get("properties").unwrap()["guest"], json!({"$ref": "#/$defs/Guest"}));
    assert_eq!(definitions["Guest"]["required"], json!(["name"]));
    // what is left out is filled in, so the result has it always
    assert_eq!(join.signature.result.get("items").unwrap(), &json!({"$ref": "#/$defs/GuestResult"}));
    assert_eq!(definitions["GuestResult"]["required"], json!(["name", "age"]));
}

#[test]
fn what_is_internal_is_nobody_elses_business() {
    let router = Router::new()
        .procedure("hidden", handler(async || 1).internal())
        .extension("rpc.own", async || 1)
        .procedure("shown", async || 1);
    let (shown, _) = only(&router);
    assert_eq!(&*shown.name, "shown");
    assert_eq!(shown.signature.args, false);
    assert_eq!(shown.signature.result.get("type"), Some(&json!("integer")));
}

#[test]
fn what_is_said_by_hand_has_precedence() {
    let weigh = handler(async |Open(value): Open<Value>| value)
        .description("Weighs.")
        .group("scales")
        .data("unit", "kg")
        .args_schema(json!({"type": "object", "required": ["thing"]}));
    let (weigh, _) = only(&Router::new().scope("shop", Router::new().procedure("weigh", weigh)));
    assert_eq!(&*weigh.name, "shop.weigh");
    assert_eq!(weigh.signature.args.get("required"), Some(&json!(["thing"])));
    assert_eq!(weigh.signature.result, true);
    assert_eq!(weigh.details.groups, ["scales"]);
    assert_eq!(weigh.details.data["unit"], "kg");
}

async fn untouched(call: crate::OwnedCall, next: crate::Next) -> crate::Answer {
    next.run(call).await
}

#[test]
fn a_layer_changes_nothing_of_it() {
    let bare = Router::new().procedure("join", join);
    assert_eq!(bare.clone().layer(untouched).seal().catalog(), bare.catalog());
}

#[derive(serde::Deserialize, serde::Serialize, JsonSchema)]
struct Room {
    host: Guest,
    within: Option<Box<Self>>,
}

#[test]
fn what_refers_to_what_differs_differs() {
    let (swap, definitions) = only(&Router::new().procedure("swap", async |(room,): (Room,)| (room,)));
    assert_eq!(swap.signature.args.pointer("/prefixItems/0/$ref").unwrap(), "#/$defs/Room");
    assert_eq!(swap.signature.result.pointer("/prefixItems/0/$ref").unwrap(), "#/$defs/RoomResult");
    let host = |name: &str| definitions[name]["properties"]["host"]["$ref"].clone();
    assert_eq!((host("Room"), host("RoomResult")), (json!("#/$defs/Guest"), json!("#/$defs/GuestResult")));
}

#[test]
fn a_schema_by_hand_refers_to_itself() {
    let tree = json!({
        "type": "object",
        "properties": {"label": {"$ref": "#/$defs/label"}, "child": {"$ref": "#"}},
        "$defs": {"label": {"type": "string"}},
    });
    let grow = handler(async |Open(tree): Open<Value>| tree).args_schema(tree);
    let (grow, definitions) = only(&Router::new().procedure("grow", grow));
    assert_eq!(grow.signature.args.pointer("/properties/child/$ref").unwrap(), "#/$defs/grow.args");
    assert_eq!(definitions["grow.args"]["properties"]["label"]["$ref"], "#/$defs/grow.args/$defs/label");
}

#[test]
fn all_of_it_is_one_schema() {
    let told =
        handler(join).description("Lets somebody in.").deprecated("nobody comes any more").notification();
    let router = Router::new().procedure("told", told).procedure("join", join).procedure("now", async || 1);
    let schema = router.catalog().json_schema();
    assert_eq!(schema["required"], json!(["join", "now", "told"]));
    assert_eq!(schema["properties"]["now"]["required"], json!(["result"]));
    assert_eq!(schema["properties"]["join"]["required"], json!(["args", "result"]));
    assert_eq!(schema["properties"]["told"]["required"], json!(["args"]));
    assert_eq!(schema["properties"]["told"]["description"], "Lets somebody in.");
    assert_eq!(schema["properties"]["told"]["deprecated"], true);
    assert_eq!(schema["$defs"]["Guest"]["properties"]["name"]["type"], "string");
}

#[test]
#[should_panic(expected = "the data `who` has no form in JSON")]
fn data_that_would_be_lost_is_heard_of_at_start_up() {
    let _ = handler(async || ()).data("who", std::collections::HashMap::from([((1, 2), 3)]));
}

#[test]
#[should_panic(expected = "not a JSON Schema")]
fn what_is_no_schema_is_heard_of_at_start_up() {
    let _ = handler(async || ()).result_schema(json!("string"));
}

#[test]
fn types_of_one_name_are_told_apart_and_always_in_the_same_way() {
    fn router() -> Router {
        mod elsewhere {
            #[derive(serde::Deserialize, schemars::JsonSchema)]
            #[expect(dead_code, reason = "only its schema matters")]
            pub(super) struct Guest {
                pub(super) badge: u64,
            }
        }
        let mut router = Router::new().procedure("z", async |_: (elsewhere::Guest,)| ());
        for name in ["a", "b", "c", "d"] {
            router = router.procedure(name, async |_: (Guest,)| ());
        }
        router
    }
    let catalog = router().catalog();
    assert!(catalog.definitions["Guest"]["properties"].get("name").is_some());
    assert!(catalog.definitions["Guest2"]["properties"].get("badge").is_some());
    assert!((0..20).all(|_| router().catalog() == catalog));
}

#[test]
fn a_stream_in_a_scope_is_ended_by_a_procedure_that_is_there() {
    let ticks = handler(async || futures_util::stream::iter([1_u8])).subscription("tick", "stop");
    let router = Router::new().scope("clock", Router::new().procedure("ticks", ticks));
    let catalog = router.catalog();
    let stream = catalog.procedures[0].stream.as_ref().unwrap();
    assert_eq!((&*stream.name, &*stream.unsubscribe), ("tick", "clock.stop"));
    assert!(router.find("clock.stop").is_some());
}
