//! Where trunkline does something else than the reference server, and why.

use crate::load::text;
use serde_json::Value;

/// What trunkline answers in place of what was recorded, message by message.
pub(super) struct Difference {
    pub(super) scenario: &'static str,
    pub(super) answers: &'static [&'static str],
    pub(super) reason: &'static str,
}

const fn differs(
    scenario: &'static str,
    answers: &'static [&'static str],
    reason: &'static str,
) -> Difference {
    Difference { scenario, answers, reason }
}

const IDENTITY: &str = r#"{"code":400,"message":"identity is an object of at most 16 KiB, whose authorization and deviceName are strings, and whose metadata is an object","success":false}"#;
const IDENTITY_OF_1: &str = r#"{"code":400,"correlationId":"1","message":"identity is an object of at most 16 KiB, whose authorization and deviceName are strings, and whose metadata is an object","success":false}"#;
const NO_PROCEDURE: &str =
    r#"{"code":400,"message":"unable to parse request body as a valid CallRequest","success":false}"#;
const UNPARSEABLE: &str = r#"{"code":400,"message":"unable to parse & handle request","success":false}"#;
const EMPTY: &str = r#"{"code":400,"message":"Empty request body received","success":false}"#;
const BINARY: &str = r#"{"code":400,"message":"messages are text, and this one was binary","success":false}"#;
const SURVIVED: &str = "the reference server ends";
const UNSAID: &str = "the reference server says nothing, and its client waits";
const NAMES: &str = "names are texts";

pub(super) const DIFFERENCES: [Difference; 29] = [
    differs(
        "amqp-broker-unreachable",
        &[
            r#"{"code":503,"correlationId":"s","data":"the call has waited for it for nine tenths of its time, and was not sent","message":"the broker of this network cannot be reached","success":false}"#,
        ],
        "the reference server ends",
    ),
    differs(
        "amqp-correlation-collision",
        &[
            r#"{"code":200,"correlationId":"same","data":{"slept":300,"tag":"client-A-private"},"success":true}"#,
            r#"{"code":200,"correlationId":"same","data":{"slept":600,"tag":"client-B"},"success":true}"#,
        ],
        "each client gets its own answer",
    ),
    differs(
        "amqp-hostile-correlation",
        &[r#"{"code":501,"correlationId":5,"message":"no registered handlers for RPC","success":false}"#],
        "the network has an id of its own for the call, and so it is sent",
    ),
    differs(
        "amqp-internal-call-missing",
        &[r#"{"code":200,"correlationId":"a-10","data":{"code":501,"success":false},"success":true}"#],
        "the service tells only code and success",
    ),
    differs(
        "amqp-two-handlers",
        &[r#"{"code":200,"correlationId":"dup-1","data":{"displayName":"trunkline"},"success":true}"#],
        "one of them runs it, and they are called as the kit's service calls itself",
    ),
    differs("http-content-type-form", &[EMPTY], "any web page may send a form without asking"),
    differs("http-health-bad-body", &["ok"], "it is the server that is asked for, not the body"),
    differs("http-identity-string", &[IDENTITY], "an identity is an object"),
    differs(
        "http-internal-call-fails",
        &[r#"{"code":418,"correlationId":"n3","message":"inner","success":false}"#],
        "the correlation id is the client's own, whatever has failed",
    ),
    differs(
        "http-internal-call-missing",
        &[r#"{"code":200,"correlationId":"n4","data":{"code":501,"success":false},"success":true}"#],
        "the service tells only code and success",
    ),
    differs(
        "http-no-procedure",
        &[
            r#"{"code":400,"correlationId":"x","message":"unable to parse request body as a valid CallRequest","success":false}"#,
        ],
        "the correlation id is told where it can be read",
    ),
    differs(
        "http-procedure-empty",
        &[
            r#"{"code":400,"correlationId":"x","message":"unable to parse request body as a valid CallRequest","success":false}"#,
        ],
        "the correlation id is told where it can be read",
    ),
    differs("http-procedure-number", &[NO_PROCEDURE], NAMES),
    differs("http-procedure-object", &[NO_PROCEDURE], NAMES),
    differs(
        "http-unknown-fields",
        &[
            r#"{"jsonrpc":"2.0","id":3,"error":{"code":-32600,"message":"Invalid Request","data":"there is no `method`, and no `result` or `error` either"}}"#,
        ],
        "members are sent in the order of the alphabet here, and `jsonrpc` before `procedure` shows JSON-RPC",
    ),
    differs("ws-array", &[NO_PROCEDURE], UNSAID),
    differs(
        "ws-connection-events",
        &[
            r#"{"code":200,"correlationId":"1","success":true}"#,
            r#"{"code":200,"correlationId":"2","success":true}"#,
            r#"{"code":200,"correlationId":"3","success":true}"#,
            r#"{"serverMessage":{"connectionId":"a6823daf-e984-44a6-9dc5-c436aa5087eb","echo":{"m":1},"identity":{"authorization":"jwt-1","metadata":{"v":2}}}}"#,
        ],
        "what a client has asked for before it closes the connection is answered",
    ),
    differs("ws-empty-object", &[EMPTY], UNSAID),
    differs("ws-hostile-binary-frame", &[BINARY], SURVIVED),
    differs("ws-hostile-json-null", &[UNPARSEABLE], SURVIVED),
    differs("ws-hostile-json-number", &[UNPARSEABLE], SURVIVED),
    differs("ws-hostile-json-string", &[UNPARSEABLE], SURVIVED),
    differs("ws-hostile-json-true", &[UNPARSEABLE], SURVIVED),
    differs("ws-identity-invalid", &[IDENTITY_OF_1], UNSAID),
    differs("ws-identity-invalid-in-call", &[IDENTITY_OF_1], UNSAID),
    differs(
        "ws-identity-string",
        &[IDENTITY_OF_1, r#"{"code":200,"correlationId":"2","data":{"identity":null},"success":true}"#],
        "an identity is an object",
    ),
    differs(
        "ws-internal-call-fails",
        &[r#"{"code":418,"correlationId":"lost","message":"inner","success":false}"#],
        "the correlation id is the client's own, whatever has failed",
    ),
    differs(
        "ws-malformed-json",
        &[UNPARSEABLE, r#"{"code":200,"correlationId":"still-alive","data":"pong","success":true}"#],
        UNSAID,
    ),
    differs(
        "ws-no-procedure",
        &[
            r#"{"code":400,"correlationId":"x","message":"unable to parse request body as a valid CallRequest","success":false}"#,
        ],
        UNSAID,
    ),
];

/// What is not played: JavaScript has ways of its own to throw, which Rust has not.
pub(super) const UNPLAYED: [&str; 4] =
    ["http-error-throw-dto", "http-error-throw-extra", "http-error-throw-null", "http-error-throw-undefined"];

/// What a WebSocket over memory has not: handshakes, and what is not told of pings. A
/// subprotocol is agreed on that the endpoint names; and a port that speaks HTTP too takes
/// a request without an upgrade for a call.
pub(super) const HANDSHAKES: [&str; 3] = ["ws-ping", "ws-plain-http", "ws-subprotocol"];

/// What was recorded of RabbitMQ itself, or of messages that it brings back.
pub(super) const OF_THE_BROKER: [&str; 3] = ["amqp-basic-return", "amqp-reconnect", "amqp-topology"];

/// The difference that there is in a scenario, if there is one.
pub(super) fn of(scenario: &str) -> Option<&'static Difference> {
    DIFFERENCES.iter().find(|difference| difference.scenario == scenario)
}

/// Those of the vectors that are played. Each row of the tables is about one that there is.
#[track_caller]
pub(super) fn played(vectors: Vec<Value>, prefix: &str) -> Vec<Value> {
    let is_known = |name: &str| vectors.iter().any(|vector| vector["scenario"] == name);
    let named = DIFFERENCES.iter().map(|difference| difference.scenario);
    let named = named.chain(UNPLAYED).chain(HANDSHAKES).chain(OF_THE_BROKER);
    for name in named.filter(|name| name.starts_with(prefix)) {
        assert!(is_known(name), "there is no scenario {name}");
    }
    let left_out = |vector: &Value| {
        let name = text(vector, "scenario");
        [&UNPLAYED[..], &HANDSHAKES, &OF_THE_BROKER].concat().contains(&name)
    };
    vectors.into_iter().filter(|vector| !left_out(vector)).collect()
}
