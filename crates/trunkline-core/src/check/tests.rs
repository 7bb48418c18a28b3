//! What is checked and what is not, and what is told of it.

use super::*;
use crate::{Context, FaultKind, Router, handler::handler};
use futures_util::FutureExt;
use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned};
use std::collections::{BTreeMap, HashSet};

/// Where the schema of a type says what the type does not enforce.
fn first<A: DeserializeOwned + JsonSchema>() -> Option<String> {
    let mut schemas = Schemas::default();
    let schema = schemas.of_args::<A>();
    let definitions = schemas.finish(std::iter::empty());
    constraints::find(&schema, &definitions, &|path| crate::args::asked::<A>(path)).first
}

macro_rules! types {
    ($($(#[$meta:meta])* $kind:ident $name:ident $body:tt)*) => {
        $(
            #[derive(Deserialize, JsonSchema)]
            #[allow(dead_code, reason = "only what is said of them matters")]
            $(#[$meta])*
            $kind $name $body
        )*
    };
}

types! {
    enum Colour { Red, Green }
    enum Described {
        /// It is red.
        Red,
        /// It is green.
        Green,
    }
    enum Figure { Nothing, Dot(u8), Line { from: Colour, to: Box<Self> }, Pair(Colour, u8) }
    #[serde(tag = "kind")]
    enum Tagged { Dot { at: u8 }, Line { of: Vec<Self> } }
    #[serde(tag = "t", content = "c")]
    enum Adjacent { Dot(u8), Nothing }
    #[serde(untagged)]
    enum Untagged { Number(u32), Text(String), Pair { left: u8 } }
    #[serde(deny_unknown_fields)]
    struct Closed { inside: Option<Box<Self>> }
    struct Many {
        small: u8,
        signed: i16,
        large: u64,
        size: usize,
        fraction: f64,
        text: String,
        initial: char,
        colour: Colour,
        perhaps: Option<Colour>,
        described: Vec<Described>,
        figure: Figure,
        tagged: Option<Tagged>,
        adjacent: Adjacent,
        untagged: Untagged,
        tuple: (u8, String),
        array: [u8; 4],
        map: BTreeMap<String, Colour>,
        numbered: BTreeMap<u32, u8>,
        #[serde(default)]
        closed: Vec<Closed>,
        #[serde(flatten)]
        rest: BTreeMap<String, serde_json::Value>,
    }
    struct Ranged { #[schemars(range(min = 1, max = 10))] steps: u32 }
    struct Deep { within: Vec<Option<Ranged>> }
    struct Long { #[schemars(length(min = 1))] name: String }
    struct Like { #[schemars(regex(pattern = "^a"))] name: String }
    struct Fixed { #[schemars(length(equal = 3))] list: Vec<u8> }
    struct Set { set: HashSet<u8> }
    #[schemars(extend("additionalProperties" = false))]
    struct Stiff { a: Option<u8> }
    struct Listed { #[schemars(extend("enum" = ["a", "b"]))] name: String }
    struct Insists { #[schemars(required)] a: Option<u8> }
    struct Counts { #[schemars(extend("multipleOf" = 2))] even: u8 }
    enum Chosen { One { #[schemars(range(max = 3))] a: u8 } }
    struct Aliased { #[serde(alias = "n")] #[schemars(range(min = 1))] count: u8, other: Option<u8> }
}

#[test]
fn a_type_that_decides_alone_is_not_checked() {
    assert_eq!(first::<Many>(), None);
    for none in [
        first::<()>(),
        first::<u8>(),
        first::<(i64, i64)>(),
        first::<[u8; 3]>(),
        first::<Colour>(),
        first::<Option<Closed>>(),
        first::<Vec<Figure>>(),
        first::<serde_json::Value>(),
    ] {
        assert_eq!(none, None);
    }
    let plain = handler(async |_: Many| ());
    assert!(Arc::ptr_eq(&around(&plain), &plain.procedure));
}

#[test]
fn what_a_type_does_not_enforce_is_found() {
    assert_eq!(first::<Ranged>().as_deref(), Some("/properties/steps/maximum"));
    assert_eq!(first::<Deep>().as_deref(), Some("/$defs/Ranged/properties/steps/maximum"));
    assert_eq!(first::<Long>().as_deref(), Some("/properties/name/minLength"));
    assert_eq!(first::<Like>().as_deref(), Some("/properties/name/pattern"));
    assert_eq!(first::<Fixed>().as_deref(), Some("/properties/list/maxItems"));
    assert_eq!(first::<Set>().as_deref(), Some("/properties/set/uniqueItems"));
    assert_eq!(first::<Stiff>().as_deref(), Some("/additionalProperties"));
    assert_eq!(first::<Listed>().as_deref(), Some("/properties/name/enum"));
    assert_eq!(first::<Insists>().as_deref(), Some("/properties/a"));
    assert_eq!(first::<Counts>().as_deref(), Some("/properties/even/multipleOf"));
    assert!(first::<Chosen>().is_some_and(|place| place.ends_with("/a/maximum")));
    assert!(first::<(u8, Ranged)>().is_some());
}

#[cfg(not(feature = "validate"))]
#[test]
fn without_the_feature_it_is_said_that_nothing_checks() {
    let router = || Router::new().procedure("wait", async |_: Ranged| ());
    let sealed = std::panic::catch_unwind(|| router().seal()).unwrap_err();
    let told = sealed.downcast_ref::<String>().unwrap();
    assert!(told.contains("procedure `wait`") && told.contains("/properties/steps/maximum"), "{told}");
    assert!(told.contains("turn on the feature `validate`, or say `.unchecked()`"), "{told}");
    let refused = router().call("wait", None, &Context::local()).now_or_never();
    assert_eq!(refused.unwrap().unwrap_err().kind(), FaultKind::Internal);
    let _ = Router::new().procedure("wait", handler(async |_: Ranged| ()).unchecked()).seal();
}

#[cfg(feature = "validate")]
mod checking {
    use super::*;
    use crate::{Open, RawArgs};
    use serde_json::json;

    fn told(procedure: Registration, args: Option<&str>) -> Result<(), Fault> {
        let router = Router::new().procedure("it", procedure).seal();
        let here = Context::local();
        let called = router.call("it", args.map(Payload::Json), &here).now_or_never();
        called.expect("nothing waits").map(drop)
    }

    #[track_caller]
    fn passes(procedure: Registration, args: &str) {
        told(procedure, Some(args)).unwrap();
    }

    /// The message, and path and keyword of each violation.
    #[track_caller]
    fn refused(procedure: Registration, args: Option<&str>) -> (String, Vec<[String; 2]>) {
        let fault = told(procedure, args).unwrap_err();
        assert_eq!(fault.kind(), FaultKind::InvalidArgs);
        let data: Value = fault.data().unwrap();
        let violations = data["violations"].as_array().cloned().unwrap_or_default();
        let text = |violation: &Value, key: &str| violation[key].as_str().unwrap().to_owned();
        let short = violations.iter().map(|it| [text(it, "path"), text(it, "keyword")]).collect();
        (fault.message().to_owned(), short)
    }

    fn ranged() -> Registration {
        handler(async |_: Ranged| ())
    }

    fn by_hand(schema: Value) -> Registration {
        handler(async |_: Open<Value>| ()).args_schema(schema)
    }

    #[test]
    fn by_name_and_by_position() {
        passes(ranged(), r#"{"steps":1}"#);
        passes(ranged(), "[10]");
        for args in [r#"{"steps":0}"#, "[0]"] {
            let (message, violations) = refused(ranged(), Some(args));
            assert_eq!(message, "Invalid params: /steps: value is less than the minimum of 1");
            assert_eq!(violations, [["/steps", "minimum"]]);
        }
        passes(ranged().unchecked(), "[0]");
    }

    #[test]
    fn all_that_is_wrong_is_told_also_what_the_type_would_refuse() {
        #[derive(Deserialize, JsonSchema)]
        #[expect(dead_code, reason = "only what is said of it matters")]
        struct Walk {
            #[schemars(range(min = 1))]
            steps: u8,
            name: String,
            on: Option<Ranged>,
        }
        let walk = || handler(async |_: Walk| ());
        let (message, violations) = refused(walk(), Some(r#"{"steps":0,"name":5,"on":{"steps":11}}"#));
        let expected = [["/steps", "minimum"], ["/name", "type"], ["/on/steps", "maximum"]];
        assert_eq!(violations.iter().collect::<HashSet<_>>().len(), 3);
        assert!(expected.iter().all(|it| violations.contains(&it.map(str::to_owned))), "{violations:?}");
        assert!(message.ends_with("(and 2 more)"), "{message}");
        assert_eq!(refused(walk(), Some("[1]")).1, [["", "required"]]);
        assert_eq!(refused(walk(), None).1.len(), 2);
        passes(walk(), r#"[1,"Ada"]"#);
        // nothing that the schema could say
        let twice = told(walk(), Some(r#"{"steps":1,"name":"","steps":1}"#)).unwrap_err();
        assert!(twice.data::<String>().unwrap().starts_with("duplicate field"));
    }

    #[test]
    fn what_is_left_out_is_as_the_type_has_it() {
        let (message, violations) =
            refused(handler(async |_: (Ranged, Option<u8>)| ()), Some(r#"[{"steps":0}]"#));
        assert_eq!(violations, [["/0/steps", "minimum"]], "{message}");
        passes(handler(async |_: (Ranged, Option<u8>)| ()), r#"[{"steps":1}]"#);
        let missing = told(handler(async |_: (Ranged, u8)| ()), Some(r#"[{"steps":1}]"#)).unwrap_err();
        assert_eq!(missing.kind(), FaultKind::InvalidArgs);
        #[derive(Deserialize, JsonSchema)]
        #[expect(dead_code, reason = "only what is said of it matters")]
        struct All {
            #[schemars(range(max = 3))]
            a: Option<u8>,
        }
        assert!(told(handler(async |_: All| ()), None).is_ok());
        passes(handler(async |_: All| ()), "[]");
        passes(handler(async |_: Option<All>| ()), "[3]");
        assert_eq!(refused(handler(async |_: Option<All>| ()), Some("[4]")).1, [["/a", "maximum"]]);
    }

    #[test]
    fn a_value_that_is_not_a_list_is_taken_out_of_one() {
        let short = || handler(async |_: String| ()).args_schema(json!({"type": "string", "maxLength": 3}));
        passes(short(), r#"["Ada"]"#);
        assert_eq!(refused(short(), Some(r#"["Adam"]"#)).1, [["", "maxLength"]]);
        assert_eq!(refused(short(), Some("[5]")).1, [["", "type"]]);
    }

    #[test]
    fn what_the_handler_gets_is_what_was_checked() {
        let string = || by_hand(json!({"type": "string"}));
        // a value of any kind would be given the list itself
        assert_eq!(refused(string(), Some(r#"["Ada"]"#)).1, [["", "type"]]);
        let raw = || handler(async |_: RawArgs| ()).args_schema(json!({"type": "object", "required": ["a"]}));
        passes(raw(), r#"{"a":1}"#);
        for args in [Some("{}"), Some("[1]"), None] {
            assert_eq!(refused(raw(), args).1.len(), 1);
        }
    }

    /// Whoever is handed the text may take the one or the other.
    #[test]
    fn no_value_goes_unchecked_beside_another_of_its_name() {
        let raw = || handler(async |_: RawArgs| ()).args_schema(json!({"properties": {"a": {"minimum": 1}}}));
        for args in [r#"{"a":0,"a":1}"#, r#"{"a":1,"a":0}"#, r#"{"a":{"b":0,"b":1}}"#] {
            let (message, violations) = refused(raw(), Some(args));
            assert_eq!(message, "Invalid params: two members of an object have the same name", "{args}");
            assert!(violations.is_empty());
        }
        // where it is known which members there are, each is looked at
        let known = || {
            let schema = json!({"type": "object", "properties": {"a": {"minimum": 1}}});
            handler(async |_: RawArgs| ()).args_schema(schema)
        };
        passes(known(), r#"{"a":1,"a":2}"#);
        for args in [r#"{"a":0,"a":1}"#, r#"{"a":1,"a":0}"#] {
            refused(known(), Some(args));
        }
    }

    #[test]
    fn no_value_goes_unchecked_under_another_name() {
        let aliased = || handler(async |_: Aliased| ());
        passes(aliased(), r#"{"count":1,"other":0}"#);
        passes(aliased(), "[1,0]");
        assert_eq!(refused(aliased(), Some(r#"{"n":0}"#)).1.len(), 2);
        assert_eq!(refused(aliased(), Some("[0,0]")).1, [["/count", "minimum"]]);
        told(aliased(), Some("[1,0,0]")).unwrap_err();
    }

    #[test]
    fn a_schema_by_hand_is_always_checked() {
        let tree = json!({
            "type": "object",
            "properties": {"label": {"$ref": "#/$defs/label"}, "child": {"$ref": "#"}},
            "required": ["label"],
            "additionalProperties": false,
            "$defs": {"label": {"type": "string", "minLength": 1}},
        });
        passes(by_hand(tree.clone()), r#"{"label":"a","child":{"label":"b"}}"#);
        let (_, violations) = refused(by_hand(tree.clone()), Some(r#"{"label":"a","child":{"label":""}}"#));
        assert_eq!(violations, [["/child/label", "minLength"]]);
        assert_eq!(refused(by_hand(tree), Some(r#"{"label":"a","b":1}"#)).1, [["", "additionalProperties"]]);
    }

    #[test]
    #[should_panic(expected = "the schema of its arguments is not valid at `/type`")]
    fn a_schema_that_makes_no_sense_is_heard_of_at_start_up() {
        let _ = Router::new().procedure("it", by_hand(json!({"type": "strin"}))).seal();
    }

    #[test]
    #[should_panic(expected = "the schema of its arguments is not valid")]
    fn patterns_that_would_have_to_be_tried_again_and_again_are_refused() {
        let _ = Router::new().procedure("it", by_hand(json!({"pattern": "^(?=a)b"}))).seal();
    }

    #[test]
    #[should_panic(expected = "the schema of its arguments is not valid")]
    fn a_schema_that_is_elsewhere_is_not_fetched() {
        let _ =
            Router::new().procedure("it", by_hand(json!({"$ref": "https://localhost/schema.json"}))).seal();
    }

    #[test]
    fn nothing_that_was_given_is_repeated_and_all_is_bounded() {
        let secret = "hunter2".repeat(1_000);
        let numbers = || by_hand(json!({"additionalProperties": {"type": "integer"}}));
        let args: BTreeMap<String, &str> = (0..100).map(|at| (format!("{at:0300}"), &*secret)).collect();
        let fault = told(numbers(), Some(&json!(args).to_string()[..])).unwrap_err();
        assert!(!fault.message().contains("hunter") && fault.message().len() < 600);
        assert!(fault.raw_data().is_some_and(|data| !data.contains("hunter") && data.len() < 16 * 1024));
        // too much of it is not looked at twice
        assert_eq!(fault.data::<Value>().unwrap()["violations"], json!([]));
        let args: BTreeMap<String, &str> = (0..100).map(|at| (format!("{at:0300}"), "hunter2")).collect();
        let fault = told(numbers(), Some(&json!(args).to_string()[..])).unwrap_err();
        let data: Value = fault.data().unwrap();
        assert_eq!((data["violations"].as_array().unwrap().len(), &data["more"]), (16, &json!(84)));
        assert!(!fault.raw_data().unwrap().contains("hunter") && fault.raw_data().unwrap().len() < 16 * 1024);
    }

    #[test]
    fn those_who_may_not_call_learn_nothing_of_arguments() {
        struct Nobody;
        impl crate::Extract for Nobody {
            fn extract(_: &Call<'_>) -> Result<Self, Fault> {
                Err(Fault::new(FaultKind::Forbidden, "not for you"))
            }
        }
        let fault = told(handler(async |_: Nobody, _: Ranged| ()), Some("[0]")).unwrap_err();
        assert_eq!(fault.kind(), FaultKind::Forbidden);
    }

    #[test]
    fn a_middleware_is_within_what_is_checked() {
        async fn raise(mut call: crate::OwnedCall, next: crate::Next) -> crate::Answer {
            call.args = Some(crate::OwnedPayload::Json("[11]".into()));
            next.run(call).await
        }
        let router = Router::new().procedure("it", ranged()).layer(raise).seal();
        let here = Context::local();
        let fault = router.call("it", Some(Payload::Json("[1]")), &here).now_or_never().unwrap().unwrap_err();
        assert_eq!(fault.kind(), FaultKind::InvalidArgs);
    }

    /// A few hundred bytes that are looked at twice for each level above them.
    #[test]
    fn saying_what_is_wrong_comes_to_an_end() {
        types! {
            #[serde(tag = "kind")]
            enum Two {
                Left { at: Option<Box<Self>> },
                Right { at: Option<Box<Self>>, #[schemars(range(min = 1))] x: Option<u8> },
            }
        }
        let tree = || handler(async |_: Two| ());
        let nested = |depth: usize, leaf: &str| {
            format!(
                r#"{}{{"kind":"Right","x":{leaf}}}{}"#,
                r#"{"kind":"Right","at":"#.repeat(depth),
                "}".repeat(depth)
            )
        };
        passes(tree(), &nested(3, "1"));
        let (message, violations) = refused(tree(), Some(&nested(3, "0")));
        assert_eq!(violations, [["/at/at/at/x", "minimum"]], "{message}");
        let (message, violations) = refused(tree(), Some(&nested(100, "0")));
        assert!(violations.is_empty() && message.contains("too much of them to say where"), "{message}");
        passes(tree(), &nested(100, "1"));
    }

    #[test]
    fn a_long_list_of_what_contains_itself_is_checked_whole() {
        types! {
            struct Tree { #[schemars(range(min = 1))] leaves: u8, within: Vec<Self> }
        }
        let list = |last: u8| {
            let tree = r#"{"leaves":1,"within":[]},"#;
            format!(r#"[[{}{{"leaves":{last},"within":[]}}]]"#, tree.repeat(10_000))
        };
        let trees = || handler(async |(_,): (Vec<Tree>,)| ());
        passes(trees(), &list(1));
        assert!(refused(trees(), Some(&list(0))).0.contains("too much of them to say where"));
    }
}
