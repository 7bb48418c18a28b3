//! What is published is what is served: results fit their schemas, and arguments
//! that a schema refuses are refused by the server.
//!
//! The judge is a validator of its own, which knows nothing but the document that
//! `rpc.discover` answers with.

use jsonschema::Validator;
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashSet},
};
use trunkline::{Fault, FaultKind, Open, Router, Server, handler, testing::TestServer};

/// What procedures take, and give back as it is.
macro_rules! taken {
    ($($(#[$meta:meta])* $kind:ident $name:ident $body:tt)*) => {
        $(
            #[derive(Debug, Deserialize, JsonSchema, Serialize)]
            $(#[$meta])*
            $kind $name $body
        )*
    };
}

taken! {
    enum Colour { Red, Green }
    struct Point { x: i32, y: i32 }
    enum Figure { Nothing, Dot(Point), Line { from: Point, to: Point }, Of(Colour, u8) }
    #[serde(tag = "kind")]
    enum Tagged { Dot { at: u8 }, Group { of: Vec<Self> } }
    struct Plain {
        id: u64,
        small: u8,
        colour: Colour,
        figure: Figure,
        tagged: Tagged,
        tags: Vec<String>,
        numbers: BTreeMap<String, i16>,
        perhaps: Option<bool>,
        #[serde(default)]
        fraction: f64,
    }
    #[serde(deny_unknown_fields)]
    struct Closed { a: u8, b: Option<String> }
    struct Even { #[schemars(extend("multipleOf" = 2))] even: u8 }
    struct Walk {
        #[schemars(range(min = 1, max = 10))]
        steps: u32,
        #[schemars(length(min = 1, max = 3), regex(pattern = "^[a-z]*$"))]
        name: String,
        set: HashSet<u8>,
        colour: Option<Colour>,
        #[serde(default)]
        within: Option<Even>,
        figures: Vec<Figure>,
    }
    #[schemars(extend("additionalProperties" = false))]
    struct Stiff { a: u8, b: Option<Point> }
}

fn router() -> Router {
    let weight = json!({
        "type": "object",
        "properties": {"weight": {"type": "number", "exclusiveMinimum": 0}, "unit": {"enum": ["kg", "lb"]}},
        "required": ["weight"],
        "additionalProperties": false,
    });
    let either = json!({
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "string", "minLength": 1}},
        "anyOf": [{"required": ["a"]}, {"required": ["b"]}],
    });
    let pair = json!({"type": "array", "prefixItems": [{"type": "integer", "minimum": 3}, {"type": "boolean"}],
        "minItems": 1, "maxItems": 2});
    let own = |schema: Value| {
        handler(async |Open(value): Open<Value>| Open(value))
            .args_schema(schema.clone())
            .result_schema(schema)
    };
    Router::new()
        .procedure("plain", async |it: Plain| Ok::<_, Fault>(it))
        .procedure("closed", async |it: Closed| Ok::<_, Fault>(it))
        .procedure("walk", async |it: Walk| Ok::<_, Fault>(it))
        .procedure("stiff", async |it: Stiff| Ok::<_, Fault>(it))
        .procedure("tuple", async |it: (Even, Option<u8>)| Ok::<_, Fault>(it))
        .procedure("types", async |it: (Point, Colour, [u8; 2])| Ok::<_, Fault>(it))
        .procedure("weigh", own(weight))
        .procedure("either", own(either))
        .procedure("pair", own(pair))
}

/// Knows what the document says of one procedure.
struct Judge {
    name: String,
    structure: String,
    params: Vec<Param>,
    all: Option<Validator>,
    result: Validator,
}

struct Param {
    name: String,
    required: bool,
    schema: Value,
    validator: Validator,
}

impl Judge {
    fn of(method: &Value, document: &Value) -> Self {
        let compile = |schema: &Value| {
            let document = json!({
                "$schema": "http://json-schema.org/draft-07/schema#",
                "allOf": [schema],
                "components": document["components"],
            });
            jsonschema::options().should_validate_formats(false).build(&document).unwrap()
        };
        let param = |param: &Value| Param {
            name: param["name"].as_str().unwrap().to_owned(),
            required: param["required"] == true,
            schema: param["schema"].clone(),
            validator: compile(&param["schema"]),
        };
        Self {
            name: method["name"].as_str().unwrap().to_owned(),
            structure: method["paramStructure"].as_str().unwrap().to_owned(),
            params: method["params"].as_array().unwrap().iter().map(param).collect(),
            all: method.get("x-params-schema").map(compile),
            result: compile(&method["result"]["schema"]),
        }
    }

    /// Whether the document allows these arguments; `None` if it does not say.
    fn allows(&self, args: &Value) -> Option<bool> {
        let given: Vec<(&Param, Option<&Value>)> = match args {
            Value::Object(named) => self.params.iter().map(|param| (param, named.get(&param.name))).collect(),
            Value::Array(list) if list.len() > self.params.len() => return Some(false),
            Value::Array(list) => self.params.iter().enumerate().map(|(at, it)| (it, list.get(at))).collect(),
            other => panic!("{other} is no list of arguments"),
        };
        let fits = given.iter().all(|(param, value)| match value {
            Some(value) => param.validator.is_valid(value),
            None => !param.required,
        });
        let all = self.all.as_ref().is_none_or(|all| {
            let named =
                given.iter().filter_map(|(param, value)| Some((param.name.clone(), (*value)?.clone())));
            match self.structure.as_str() {
                "by-position" => all.is_valid(args),
                _ if args.is_array() => all.is_valid(&Value::Object(named.collect())),
                _ => all.is_valid(args),
            }
        });
        let known = |name: &String| self.params.iter().any(|param| param.name == *name);
        let strays = args.as_object().is_some_and(|named| !named.keys().all(known));
        (!(fits && all && strays)).then_some(fits && all)
    }
}

/// Where decisions come from.
struct Choices<'a>(std::iter::Cycle<std::slice::Iter<'a, u16>>);

impl Choices<'_> {
    fn below(&mut self, count: usize) -> usize {
        usize::from(*self.0.next().unwrap()) % count.max(1)
    }

    fn of<T: Clone>(&mut self, among: &[T]) -> T {
        among[self.below(among.len())].clone()
    }

    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

/// A value that most often is as the schema says.
fn some(schema: &Value, document: &Value, choices: &mut Choices<'_>, depth: usize) -> Value {
    if let Some(target) = schema["$ref"].as_str() {
        return some(document.pointer(target.trim_start_matches('#')).unwrap(), document, choices, depth);
    }
    if let Some(among) = schema["enum"].as_array() {
        return choices.of(among);
    }
    if let Some(value) = schema.get("const") {
        return value.clone();
    }
    if let Some(among) = ["allOf", "anyOf", "oneOf"].iter().find_map(|key| schema[*key].as_array()) {
        // the first is the one without itself inside
        let chosen = if depth > 4 { among[0].clone() } else { choices.of(among) };
        if !schema["properties"].is_object() {
            return some(&chosen, document, choices, depth + 1);
        }
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => choices.of(kinds),
        kind => kind.clone(),
    };
    let bound = |key: &str| schema[key].as_i64();
    match kind.as_str() {
        Some("string") => json!(choices.of(&["a", "ab", "xyz", "a", "ab", "abcd", "Ab", ""])),
        Some("boolean") => json!(choices.once_in(2)),
        Some("integer") => {
            let number = choices.of(&[0, 2, 4, 3, 1, 6, 10, 11, 200, -1]);
            let within = number.max(bound("minimum").unwrap_or(-9)).min(bound("maximum").unwrap_or(300));
            json!(if choices.once_in(12) { number } else { within })
        }
        Some("number") => json!(choices.of(&[0.5, 1.5, 1e300, -0.5])),
        Some("array") => match schema["items"].as_array() {
            Some(items) => items.iter().map(|item| some(item, document, choices, depth)).collect(),
            None => {
                let most = if depth > 4 { 1 } else { 4 };
                let count =
                    bound("minItems").map_or_else(|| choices.below(most), |it| it.try_into().unwrap());
                (0..count).map(|_| some(&schema["items"], document, choices, depth + 1)).collect()
            }
        },
        Some("object") => {
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            let properties = schema["properties"].as_object().into_iter().flatten();
            let mut object = serde_json::Map::new();
            for (name, schema) in properties {
                if required.contains(&json!(name)) || choices.once_in(2) {
                    object.insert(name.clone(), some(schema, document, choices, depth + 1));
                }
            }
            if schema["additionalProperties"].is_object() {
                object
                    .insert("k".into(), some(&schema["additionalProperties"], document, choices, depth + 1));
            }
            object.into()
        }
        _ => Value::Null,
    }
}

/// Changes something somewhere in a value.
fn mutate(value: &mut Value, choices: &mut Choices<'_>) {
    let down = !choices.once_in(3);
    match value {
        Value::Object(members) if down && !members.is_empty() => {
            let name = members.keys().nth(choices.below(members.len())).unwrap().clone();
            match choices.below(8) {
                0 => drop(members.remove(&name)),
                1 => drop(members.insert("stray".into(), json!(1))),
                _ => mutate(&mut members[&name], choices),
            }
        }
        Value::Array(items) if down && !items.is_empty() => {
            let at = choices.below(items.len());
            match choices.below(8) {
                0 => drop(items.remove(at)),
                1 => items.push(items[at].clone()),
                _ => mutate(&mut items[at], choices),
            }
        }
        // whole numbers with a fraction of nothing, and beyond 64 bits, are integers to a schema alone
        _ => {
            let others = json!([null, true, -1, 0, 3, 11, 255, 256, 65536, 1.5, "", "a", "abcd", "A", "Red",
                [], [1], [[]], {}, {"Red": 1}, {"stray": 1}, {"kind": "Dot"}, {"even": 3}]);
            *value = choices.of(others.as_array().unwrap());
        }
    }
}

/// The arguments of one call.
fn arguments(judge: &Judge, document: &Value, choices: &mut Choices<'_>) -> Value {
    let by_position = match judge.structure.as_str() {
        "by-name" => false,
        "by-position" => true,
        _ => choices.once_in(2),
    };
    let some = |param: &Param, choices: &mut Choices<'_>| some(&param.schema, document, choices, 0);
    let mut args: Value = if by_position {
        let count = choices.below(3).saturating_sub(1);
        let params = &judge.params[..judge.params.len() - count.min(judge.params.len())];
        params.iter().map(|param| some(param, choices)).collect()
    } else {
        let mut named = serde_json::Map::new();
        for param in &judge.params {
            if param.required || choices.once_in(2) {
                named.insert(param.name.clone(), some(param, choices));
            }
        }
        named.into()
    };
    if choices.once_in(2) {
        let shape = args.is_array();
        let before = args.clone();
        mutate(&mut args, choices);
        // arguments stay a list or names, or they would not be a call
        if args.is_array() != shape || !(args.is_array() || args.is_object()) {
            args = before;
        }
    }
    args
}

#[test]
fn the_server_refuses_what_its_document_refuses_and_gives_what_it_says() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = runtime.block_on(async { TestServer::new(Server::new(router()).discoverable()).client() });
    let document: Value = runtime.block_on(client.call("rpc.discover", ()).into_future()).unwrap();
    super::discovery::openrpc::assert_valid(&document);
    let judges: Vec<Judge> =
        document["methods"].as_array().unwrap().iter().map(|method| Judge::of(method, &document)).collect();
    assert_eq!(judges.len(), router().names().len());

    // which ways of giving arguments were taken, and which refused
    let seen = RefCell::new(BTreeSet::new());
    let config = Config { cases: 3_000, failure_persistence: None, ..Config::default() };
    let case = (0..judges.len(), prop::collection::vec(any::<u16>(), 48));
    let checked = TestRunner::new(config).run(&case, |(at, choices)| {
        let judge = &judges[at];
        let args = arguments(judge, &document, &mut Choices(choices.iter().cycle()));
        let answer = runtime.block_on(client.call::<Value>(&judge.name, &args).into_future());
        let told = format!("{} {args}: {answer:?}", judge.name);
        if let Ok(result) = &answer {
            prop_assert!(judge.result.is_valid(result), "not as published: {}", told);
        }
        match (judge.allows(&args), answer) {
            (Some(true), answer) => prop_assert!(answer.is_ok(), "refused: {}", told),
            (Some(false), Ok(_)) => prop_assert!(false, "taken: {}", told),
            (Some(false), Err(fault)) => prop_assert_eq!(fault.kind(), FaultKind::InvalidArgs, "{}", told),
            (None, _) => return Ok(()),
        }
        seen.borrow_mut().insert((at, args.is_array(), judge.allows(&args)));
        Ok(())
    });
    checked.unwrap();
    for (at, judge) in judges.iter().enumerate() {
        for (is_array, not) in [(false, "by-position"), (true, "by-name")] {
            let both = [true, false].map(|taken| seen.borrow().contains(&(at, is_array, Some(taken))));
            assert!(judge.structure == not || both == [true; 2], "{} {is_array}: {both:?}", judge.name);
        }
    }
}

/// What serde takes besides: shapes that no schema shows, of the very same values.
/// Where something is checked they are refused, for then the schema decides.
#[tokio::test]
async fn what_a_type_reads_besides() {
    let router = Router::new()
        .procedure("free", async |(point, colour): (Point, Colour)| Ok::<_, Fault>((point, colour)))
        .procedure("checked", async |(point, colour, _): (Point, Colour, HashSet<u8>)| {
            Ok::<_, Fault>((point, colour))
        });
    let client = TestServer::new(router).client();
    let (list, name) = (json!([1, 2]), json!({"Red": null}));
    let read: Value = client.call("free", (&list, &name)).await.unwrap();
    assert_eq!(read, json!([{"x": 1, "y": 2}, "Red"]));
    let refused = client.call::<Value>("checked", (&list, &name, [0; 0])).await.unwrap_err();
    let data: Value = refused.data().unwrap();
    let paths = data["violations"].as_array().unwrap().iter().map(|it| it["path"].as_str().unwrap());
    assert_eq!(paths.collect::<BTreeSet<_>>(), BTreeSet::from(["/0", "/1"]));
}

#[tokio::test]
async fn every_violation_is_told_with_its_path() {
    let client = TestServer::new(router()).client();
    let args = json!({"steps": 0, "name": "", "set": [1, 1], "figures": [{"Of": ["Red", 256]}]});
    let fault = client.call::<Value>("walk", &args).await.unwrap_err();
    assert_eq!((fault.kind(), fault.code()), (FaultKind::InvalidArgs, Some(-32602)));
    assert!(fault.message().ends_with("(and 3 more)"), "{}", fault.message());
    let data: Value = fault.data().unwrap();
    let told: BTreeSet<(&str, &str)> = data["violations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["path"].as_str().unwrap(), it["keyword"].as_str().unwrap()))
        .collect();
    let expected = [
        ("/figures/0/Of/1", "maximum"),
        ("/name", "minLength"),
        ("/set", "uniqueItems"),
        ("/steps", "minimum"),
    ];
    assert_eq!(told, BTreeSet::from(expected));
}
