//! Who is told what there is.

#[path = "../../examples/interop/demo.rs"]
mod demo;
#[path = "../../../../tests/openrpc/valid.rs"]
pub(crate) mod openrpc;

use self::openrpc::assert_valid;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use trunkline::{Client, Fault, FaultKind, Open, RawArgs, Router, Server, handler, testing::TestServer};

fn client(server: Server) -> Client {
    TestServer::new(server).client()
}

async fn document(router: Router) -> Value {
    let server = Server::new(router).name("a demo").version("1.2.3").discoverable();
    client(server).call("rpc.discover", ()).await.unwrap()
}

fn method<'a>(document: &'a Value, name: &str) -> &'a Value {
    document["methods"].as_array().unwrap().iter().find(|method| method["name"] == name).unwrap()
}

fn names(document: &Value) -> Vec<&str> {
    let methods = document["methods"].as_array().unwrap().iter();
    methods.map(|method| method["name"].as_str().unwrap()).collect()
}

/// A server that has something to hide.
fn secretive() -> Router {
    let admin = Router::new()
        .procedure("wipe", async || ())
        .procedure("sweep", handler(async || ()).internal())
        .guard(|_| Err(Fault::new(FaultKind::Forbidden, "not for you")));
    Router::new().scope("admin", admin)
}

#[tokio::test]
async fn nobody_is_told_unless_the_server_says_so() {
    let fault = client(Server::new(secretive())).call::<Value>("rpc.discover", ()).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::NotFound);
    let document = document(secretive()).await;
    assert_eq!(document["info"], json!({"title": "a demo", "version": "1.2.3"}));
    assert_eq!(names(&document), ["admin.wipe"], "also what the caller may not call, but nothing internal");
}

#[tokio::test]
async fn a_program_may_describe_itself() {
    let own = Router::new().extension("rpc.discover", async || "nothing to see here");
    assert_eq!(document(own).await, "nothing to see here");
}

#[tokio::test]
async fn the_service_that_clients_are_tried_on_is_described() {
    let document = document(demo::router()).await;
    assert_valid(&document);
    assert_eq!(names(&document), demo::router().names());
    let subtract = method(&document, "subtract");
    assert_eq!(subtract["paramStructure"], "either");
    let params: Vec<_> =
        subtract["params"].as_array().unwrap().iter().map(|it| (&it["name"], &it["required"])).collect();
    assert_eq!(params, [(&json!("minuend"), &json!(true)), (&json!("subtrahend"), &json!(true))]);
    assert_eq!(subtract["result"]["schema"]["type"], "number");
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(tag = "kind")]
enum Figure {
    Circle { radius: f64 },
    Group(Vec<Self>),
    Within { outer: Box<Self>, at: (i64, i64) },
}

#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only its schema matters")]
struct Draw {
    /// What to draw.
    figure: Figure,
    #[serde(flatten)]
    options: BTreeMap<String, Value>,
    #[deprecated]
    colour: Option<String>,
}

#[tokio::test]
async fn whatever_types_are_taken_the_document_is_valid() {
    let by_hand = json!({
        "type": "object",
        "properties": {"tree": {"$ref": "#/$defs/tree"}, "name": {"type": "string", "minLength": 1}},
        "required": ["tree"],
        "$defs": {"tree": {"type": "array", "items": {"$ref": "#/$defs/tree"}}},
    });
    let draw = handler(async |_: Draw| Ok::<Vec<Figure>, Fault>(vec![]))
        .description("Draws.\n\nAnything.")
        .group("drawing")
        .deprecated("paint")
        .version("2")
        .idempotent()
        .ordered()
        .fault(Fault::from("no ink").with_code(7).with_data([1]));
    let router = Router::new()
        .procedure("draw", draw)
        .procedure("tell", handler(async |_: Option<Figure>| ()).notification())
        .procedure(
            "plant/~ 1%",
            handler(async |_: Open<Value>| 1).args_schema(by_hand.clone()).result_schema(by_hand).unchecked(),
        )
        .procedure("tuple", async |_: (u8, Option<Figure>, [i8; 3])| (1, "two"))
        .procedure("list", async |figures: Vec<Figure>| Ok::<_, Fault>(figures))
        .procedure("map", async |map: BTreeMap<String, u64>| map)
        .procedure("raw", async |RawArgs(args): RawArgs| args)
        .procedure("value", async |value: Value| value)
        .procedure("nothing", async || ());
    let document = document(router.clone()).await;
    assert_valid(&document);
    assert_eq!(method(&document, "tell").get("result"), None);
    assert_eq!(method(&document, "draw")["tags"], json!([{"name": "drawing"}]));

    let bundle = router.catalog().json_schema();
    jsonschema::draft202012::meta::validate(&bundle).unwrap();
    let mut args = bundle["properties"]["draw"]["properties"]["args"].clone();
    args["$defs"] = bundle["$defs"].clone();
    let args = jsonschema::validator_for(&args).unwrap();
    let circle = |radius: Value| json!({"figure": {"kind": "Circle", "radius": radius}});
    assert!(args.is_valid(&circle(json!(1.5))));
    assert!(!args.is_valid(&circle(json!("wide"))));
}

/// Some value that a schema admits.
fn sample(schema: &Value, document: &Value) -> Value {
    if let Some(target) = schema["$ref"].as_str() {
        return sample(document.pointer(target.strip_prefix('#').unwrap()).unwrap(), document);
    }
    let choice = ["anyOf", "oneOf", "allOf", "enum"].iter().find_map(|key| schema[*key].get(0));
    if let Some(choice) = choice {
        return if schema.get("enum").is_some() { choice.clone() } else { sample(choice, document) };
    }
    let kind = schema["type"].get(0).unwrap_or(&schema["type"]);
    match (schema.get("const"), kind.as_str()) {
        (Some(value), _) => value.clone(),
        (None, Some("string")) => json!("a"),
        (None, Some("boolean")) => json!(true),
        (None, Some("integer" | "number")) => json!(1),
        (None, Some("array")) => match schema["items"].as_array() {
            Some(items) => items.iter().map(|item| sample(item, document)).collect(),
            None => (0..schema["minItems"].as_u64().unwrap_or(2))
                .map(|_| sample(&schema["items"], document))
                .collect(),
        },
        (None, Some("object")) => {
            let properties = schema["properties"].as_object().into_iter().flatten();
            Value::Object(properties.map(|(name, schema)| (name.clone(), sample(schema, document))).collect())
        }
        _ => Value::Null,
    }
}

#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only what it is decoded from matters")]
struct Walk {
    to: Figure,
    #[serde(default)]
    by: u8,
    #[serde(rename = "atLast", alias = "last")]
    at_last: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only what it is decoded from matters")]
struct Within(Walk);

/// What a client makes of the document is understood: every parameter list, with
/// all parameters and with those only that are required, by name and by position.
#[tokio::test]
async fn who_does_as_the_document_says_is_understood() {
    let router = Router::new()
        .procedure("struct", async |_: Walk| ())
        .procedure("within", async |_: Within| ())
        .procedure("maybe", async |_: Option<Walk>| ())
        .procedure("tuple", async |_: (u8, Option<Walk>, [i8; 3])| ())
        .procedure("one", async |_: (Vec<u8>,)| ())
        .procedure("list", async |_: Vec<u8>| ())
        .procedure("figures", async |_: Vec<Figure>| ())
        .procedure("three", async |_: [bool; 3]| ())
        .procedure("string", async |_: String| ())
        .procedure("number", async |_: Option<f64>| ())
        .procedure("nothing", async || ())
        .procedure("unit", async |(): ()| ());
    let document = document(router.clone()).await;
    let client = client(Server::new(router));
    for method in document["methods"].as_array().unwrap() {
        let (name, structure) =
            (method["name"].as_str().unwrap(), method["paramStructure"].as_str().unwrap());
        assert_eq!(method.get("x-params-schema"), None, "{name}");
        let params = method["params"].as_array().unwrap();
        let required = params.iter().rposition(|param| param["required"] == true).map_or(0, |last| last + 1);
        for count in required..=params.len() {
            let given = params.iter().take(count);
            let values =
                given.map(|param| (param["name"].as_str().unwrap(), sample(&param["schema"], &document)));
            let mut spellings = Vec::new();
            if structure != "by-position" {
                spellings.push(Value::Object(
                    values.clone().map(|(name, value)| (name.to_owned(), value)).collect(),
                ));
            }
            if structure != "by-name" {
                spellings.push(values.map(|(_, value)| value).collect());
            }
            for spelling in spellings {
                let answer = client.call::<()>(name, &spelling).await;
                assert!(answer.is_ok(), "{name} {spelling}: {answer:?}");
            }
        }
    }
}
