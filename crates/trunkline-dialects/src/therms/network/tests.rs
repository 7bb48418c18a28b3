//! What was recorded of the original, in `tests/vectors/therms`, and what goes between two of ours.

use super::*;
use crate::therms::{self, Therms, write::Form};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use trunkline_core::{
    About, Call, Connection, Context, Dialect, Extract, Fault, FaultKind, Frame, Identity, Key, Language,
    Outbox, Payload, Signal, Trace,
    framing::{Framing, Lines},
    router::{Unknown, Why},
};

/// Kinds of faults, of which there may be more than we know.
pub(crate) const KINDS: [FaultKind; 15] = [
    FaultKind::Failed,
    FaultKind::InvalidArgs,
    FaultKind::NotFound,
    FaultKind::InvalidRequest,
    FaultKind::Unauthenticated,
    FaultKind::Forbidden,
    FaultKind::RateLimited,
    FaultKind::Internal,
    FaultKind::Unavailable,
    FaultKind::Cancelled,
    FaultKind::DeadlineExceeded,
    FaultKind::RequestTooLarge,
    FaultKind::ReplyTooLarge,
    FaultKind::Disconnected,
    FaultKind::InvalidReply,
];

/// An id as nodes make them up.
const ID: &str = "0123456789abcdef0123456789ABCDEF";

/// What was recorded, message by message, by the file it is in.
fn messages() -> Vec<(String, Value)> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/therms");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if !file.starts_with("amqp-") {
            continue;
        }
        let document: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let messages = document["messages"].as_array().into_iter().flatten();
        found.extend(messages.map(|message| (file.clone(), message.clone())));
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    found
}

/// Messages of this type that peers have published, by the file they are in.
fn recorded(kind: &str) -> Vec<(String, Value)> {
    let published =
        |message: &Value| message["dir"] == "peer2broker" && message["amqp"]["properties"]["type"] == kind;
    let messages = messages().into_iter().filter(|(_, message)| published(message));
    messages.map(|(file, mut message)| (file, message["body"].take())).collect()
}

fn text<'v>(value: &'v Value, member: &str) -> &'v str {
    value[member].as_str().unwrap()
}

fn trace_id(request: &Value) -> &str {
    text(&request["trace"], "id")
}

/// The message that asks for a call.
fn spelled(asked: &Asked<'_>) -> String {
    let mut body = Vec::new();
    Network.request(asked, &mut body);
    String::from_utf8(body).unwrap()
}

/// The same, read; and it is called as its trace says.
fn said(asked: &Asked<'_>) -> Value {
    let said: Value = serde_json::from_str(&spelled(asked)).unwrap();
    assert_eq!(Network.correlation(asked), trace_id(&said["request"]));
    said
}

/// The response that a client is given of a result.
fn success(value: &[u8]) -> Vec<u8> {
    let mut out = Outbox::new(Lines::default().marking());
    let reply = Form::default().open(&mut out);
    out.body().extend_from_slice(value);
    Form::default().close(&mut out, reply);
    out.into_bytes()
}

fn open(body: &str) -> Opened {
    Network.open(body.as_bytes(), &Limits::default()).unwrap_or_else(|| panic!("not a request: {body}"))
}

/// What a dialect hears in the message that it was opened with: what is called, with what
/// arguments, and what is said besides.
fn heard(dialect: &mut dyn Dialect, body: &str) -> (String, Option<String>, About) {
    let mut out = Outbox::new(Lines::default().marking());
    let mut frame = Frame::text(body);
    let Some(Signal::Call { procedure, args, about, .. }) = dialect.hear(&mut frame, &mut out) else {
        panic!("no call: {body}")
    };
    let args = args.map(|args| String::from_utf8(args.borrow().as_bytes().to_vec()).unwrap());
    assert!(dialect.hear(&mut frame, &mut out).is_none() && out.is_empty(), "it is heard once");
    (procedure.into_owned(), args, *about.unwrap())
}

/// What the handler of a call is told of it.
fn told(context: &Context, procedure: &str) -> therms::Request {
    let states = Arc::default();
    therms::Request::extract(&Call::new(procedure, None, context, &states)).unwrap()
}

/// The answer that a dialect gives.
fn answered(dialect: &mut dyn Dialect, outcome: Result<&str, &Fault>) -> Vec<u8> {
    let mut out = Outbox::new(Lines::default().marking());
    let id = trunkline_core::CallId { spelling: "", tag: 0 };
    match outcome {
        Ok(data) => {
            let reply = dialect.open(&id, &mut out);
            out.body().extend_from_slice(data.as_bytes());
            dialect.close(&id, reply, &mut out);
        }
        Err(fault) => dialect.fault(&id, fault, &mut out),
    }
    out.into_bytes()
}

#[test]
fn requests_that_were_recorded_are_heard_as_calls() {
    let requests = recorded("request");
    assert_eq!(requests.len(), 21, "requests in the files");
    for (file, body) in requests {
        let text = body.to_string();
        let mut opened = open(&text);
        let request = &body["request"];
        assert_eq!(*opened.id, *request["trace"]["id"].as_str().unwrap(), "{file}");
        assert_eq!(opened.internal, request["trace"]["internal"] == true, "{file}");
        assert_eq!(opened.context.depth(), usize::from(opened.internal), "{file}");
        let remote = opened.context.connection().remote().map(|remote| remote.ip().to_string());
        assert_eq!(remote.as_deref(), request["trace"]["ipAddress"].as_str(), "{file}");
        let (name, args, about) = heard(&mut *opened.dialect, &text);
        assert_eq!(args, request.get("args").map(Value::to_string), "{file}");
        assert_eq!(about.timeout, None, "{file}");
        let context = opened.context.with_about(&about);
        let therms::Request { scope, procedure, version, correlation_id, identity, trace } =
            told(&context, &name);
        let mut told = json!({"scope": scope, "procedure": procedure, "version": version, "trace": trace});
        if let Some(id) = correlation_id {
            told["correlationId"] = id;
        }
        if let Some(identity) = identity {
            told["identity"] = json!(identity);
        }
        let mut expected = request.clone();
        expected.as_object_mut().unwrap().remove("args");
        assert_eq!(told, expected, "{file}");
        let caller = trace.caller.strip_prefix("RPCServer.call ");
        assert_eq!(context.caller().map(Key::of), caller.map(Key::of), "{file}");
    }
}

/// What clients say comes to the requests that were recorded, but for what we say besides.
#[test]
fn requests_are_asked_as_they_were_recorded() {
    let mut asked = 0;
    for (file, message) in messages() {
        if message["dir"] != "c2s" {
            continue;
        }
        let transport = if message["ws"].is_object() { "websocket" } else { "http" };
        let (mut hearing, _) = Therms::default().converse(&Limits::default());
        if transport == "http" {
            hearing = Therms::default().exchange(&Limits::default());
        }
        let (name, args, about) = heard(&mut *hearing, &message["body"].to_string());
        let connection = Connection::new(transport, "therms").with_remote("127.0.0.1:80".parse().ok());
        let client = Context::from(Arc::new(connection)).with_about(&about);
        let inner = client.inner().unwrap().called_by(&*name);
        for (in_file, body) in recorded("request") {
            let request = &body["request"];
            let named =
                Key { scope: text(request, "scope"), procedure: text(request, "procedure"), version: "1" };
            let internal = request["trace"]["internal"] == true;
            if in_file != file || internal != (named.name().as_deref() != Some(&name)) {
                continue;
            }
            let context = if internal { &inner } else { &client };
            let args = args.as_deref().filter(|_| !internal).map(Payload::Json);
            let timeout = Duration::from_secs(30);
            let mut given = said(&Asked {
                id: ID,
                key: &named,
                args,
                context,
                identified: false,
                timeout,
                repeated: false,
            });
            let trace = given["request"]["trace"].as_object_mut().unwrap();
            assert_eq!(trace.remove("key"), Some(ID.into()));
            assert_eq!(trace.remove("timeout"), Some(30_000.into()));
            if internal {
                assert_eq!(trace.remove("depth"), Some(1.into()));
                trace.remove("parentId");
            }
            let mut expected = body.clone();
            if !trace_id(request).starts_with(char::is_alphabetic) {
                assert_eq!(trace_id(&given["request"]), &ID[..24], "{file}");
                expected["request"]["trace"]["id"] = ID[..24].into();
            }
            assert_eq!(given, expected, "{file}");
            asked += 1;
        }
    }
    assert_eq!(asked, 20, "all but that of `amqp-basic-return`, whose client is not recorded");
}

/// Of 18 responses three are not written as they were recorded:
///
/// - arguments are repeated as they came, not as a validator has changed them
///   (`amqp-coerced-args`): those who ask look at nothing there but the id;
/// - a failure of a call that a handler makes, which it hands on, is answered with the ids
///   of the outer call, as all else is (`amqp-internal-call-fails`, `…-missing`).
#[test]
fn responses_that_were_recorded_are_understood_and_given() {
    let responses = recorded("response");
    assert_eq!(responses.len(), 18, "responses in the files");
    let requests = recorded("request");
    let mut same = 0;
    for (file, body) in responses {
        let answer = body.to_string();
        let answer = Network.answer(answer.as_bytes()).unwrap();
        let response = &body["response"];
        assert_eq!(answer.id, trace_id(&body["request"]), "{file}");
        // as it is told to a client
        let mut told = Vec::new();
        match &answer.outcome {
            Ok(value) => told = success(value.borrow().as_bytes()),
            Err(fault) => {
                let by = therms::fault::By { caller: "", internal: false };
                therms::fault::write(&mut told, &Form::default(), fault, by);
            }
        }
        let mut expected = response.clone();
        for name in ["trace", "correlationId"] {
            expected.as_object_mut().unwrap().remove(name);
        }
        assert_eq!(serde_json::from_slice::<Value>(&told).unwrap(), expected, "{file}");
        let asked = requests.iter().find(|(in_file, asked)| {
            *in_file == file && trace_id(&asked["request"]) == trace_id(&body["request"])
        });
        let asked = asked.unwrap_or_else(|| panic!("{file}: no request")).1.to_string();
        let outcome = match &answer.outcome {
            Ok(value) => Ok(std::str::from_utf8(value.borrow().as_bytes()).unwrap().to_owned()),
            Err(fault) => Err(fault),
        };
        let given: Value = serde_json::from_slice(&answered(
            &mut *open(&asked).dialect,
            outcome.as_deref().map_err(|it| *it),
        ))
        .unwrap();
        let mut expected = body;
        match file.as_str() {
            "amqp-coerced-args" => {
                expected["request"] = serde_json::from_str::<Value>(&asked).unwrap()["request"].take();
            }
            "amqp-internal-call-fails" | "amqp-internal-call-missing" => {
                expected["response"]["trace"]["id"] = expected["request"]["trace"]["id"].clone();
                expected["response"]["correlationId"] = expected["request"]["correlationId"].clone();
            }
            _ => same += 1,
        }
        assert_eq!(given, expected, "{file}");
    }
    assert_eq!(same, 15);
}

#[test]
fn what_one_of_ours_asks_another_hears() {
    let trace = Trace::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
    let connection = Connection::new("websocket", "jsonrpc").with_remote("192.0.2.7:80".parse().ok());
    let ada = Identity::new("ada\"").with_group("staff").with_claim("tenant", [7]);
    let client = Context::from(Arc::new(connection))
        .with_identity(ada.clone())
        .with_trace(Some(trace.clone().with_state("a=1")));
    let inner = client.clone().at_depth(3).called_by("outer.one@2");
    let mut asked = Asked {
        id: ID,
        key: &Key::of("math.add@2"),
        args: Some(Payload::Json("[1, 2]")),
        context: &inner,
        identified: true,
        timeout: Duration::from_millis(1500),
        repeated: true,
    };
    let mut body = Vec::new();
    let place = Network.request(&asked, &mut body);
    let text = String::from_utf8(body).unwrap();
    assert_eq!(&text[place.unwrap()], "[1, 2]");
    let mut opened = open(&text);
    assert_eq!((&*opened.id, &*opened.procedure, opened.internal), (ID, "math.add@2", true));
    assert!(opened.repeated && opened.understands);
    assert_eq!((opened.context.identity(), opened.context.depth()), (&ada, 3));
    assert_eq!(opened.context.caller(), Some("outer.one@2"));
    let (name, args, about) = heard(&mut *opened.dialect, &text);
    assert_eq!((&*name, args.as_deref()), ("math.add@2", Some("[1, 2]")), "as it is spelled");
    assert_eq!(
        (about.timeout, about.trace.clone()),
        (Some(Duration::from_millis(1500)), Some(trace.with_state("a=1")))
    );
    let context = opened.context.with_about(&about);
    let traced = told(&context, &name).trace;
    assert_eq!(
        (&*traced.caller, &*traced.id, traced.internal),
        ("RPCServer.call outer::one::2", &ID[..24], true)
    );
    let traced = told(&context.inner().unwrap().called_by(&*name), "x").trace;
    assert_eq!(
        (&*traced.caller, traced.parent_id.as_deref()),
        ("RPCServer.call math::add::2", Some(&ID[..24]))
    );
    let given = |data: &str| String::from_utf8(answered(&mut *open(&text).dialect, Ok(data))).unwrap();
    assert_eq!(
        given("[3]").trim_end(),
        format!(
            r#"{{"request":{{"trace":{{"id":"{}","key":"{ID}"}}}},"response":{{"code":200,"data":[3],"success":true,"trace":{{"id":"{}"}}}}}}"#,
            &ID[..24],
            &ID[..24]
        )
    );
    let there_and_back = |data: &str| {
        let given = given(data);
        let answer = Network.answer(given.as_bytes()).unwrap();
        assert_eq!(answer.id, ID);
        String::from_utf8(answer.outcome.unwrap().borrow().as_bytes().to_vec()).unwrap()
    };
    for data in ["null", "[3]", "\x00204\0\0", "\x00201\0\"made\"\x001"] {
        assert_eq!(there_and_back(data), data, "{data:?}");
    }

    (asked.context, asked.args, asked.repeated) = (&client, None, false);
    let mut body = Vec::new();
    assert_eq!(Network.request(&asked, &mut body), None);
    let text = String::from_utf8(body).unwrap();
    let mut opened = open(&text);
    assert_eq!((opened.internal, opened.context.depth()), (false, 0), "strangers have nothing around them");
    assert!(!opened.repeated);
    assert_eq!(opened.context.connection().remote().unwrap().ip().to_string(), "192.0.2.7");
    assert_eq!(heard(&mut *opened.dialect, &text).1, None);
}

#[test]
fn a_fault_comes_back_as_what_it_was() {
    let context = Context::local();
    let key = Key::of("ping");
    let timeout = Duration::from_secs(1);
    let asked = Asked {
        id: ID,
        key: &key,
        args: None,
        context: &context,
        identified: false,
        timeout,
        repeated: false,
    };
    let text = spelled(&asked);
    let there_and_back = |fault: &Fault| {
        let given = answered(&mut *open(&text).dialect, Err(fault));
        Network.answer(&given).unwrap().outcome.unwrap_err()
    };
    for kind in KINDS {
        let fault = Fault::new(kind, "why \"not\"").with_source("secret");
        assert_eq!(there_and_back(&fault), fault);
        for coded in [fault.clone().with_code(500), fault.with_code(-7).with_data([1])] {
            assert_eq!(there_and_back(&coded), coded);
        }
    }
    for why in [Why::Absent, Why::Internal, Why::Version, Why::Nowhere] {
        let unknown = Unknown::new("users.get@2", why);
        assert_eq!(Unknown::of(&there_and_back(&unknown.clone().into())), Some(&unknown));
    }
}

/// As a client in this dialect is told, so is another node.
#[test]
fn an_identity_that_is_none_is_refused() {
    let body = r#"{"request":{"procedure":"p","identity":"me","correlationId":5,"trace":{"id":"1"}}}"#;
    let (mut out, mut frame) = (Outbox::new(Lines::default().marking()), Frame::binary(body.as_bytes()));
    assert!(open(body).dialect.hear(&mut frame, &mut out).is_none());
    let told: Value = serde_json::from_slice(out.bytes()).unwrap();
    assert_eq!((&told["response"]["code"], &told["response"]["correlationId"]), (&json!(400), &json!(5)));
}

#[test]
fn what_is_said_of_an_answer_is_understood() {
    let text =
        r#"{"request":{"procedure":"ping","trace":{"id":"1","key":"0123456789abcdef0123456789ABCDEF"}}}"#;
    for outcome in [Ok("7"), Err(&Fault::from("no").with_code(-3).with_data([1]))] {
        let plain = answered(&mut *open(text).dialect, outcome);
        let plain = plain.trim_ascii_end();
        assert_eq!(Network.answer(plain).unwrap().remark, None);
        for remark in [Remark::NotStarted, Remark::Idempotent] {
            let mut said = plain.to_vec();
            Network.remark(&mut said, remark);
            let (before, after) = (Network.answer(plain).unwrap(), Network.answer(&said).unwrap());
            assert_eq!(after.remark, Some(remark));
            assert_eq!(format!("{:?}", after.outcome), format!("{:?}", before.outcome));
        }
    }
}

#[test]
fn a_client_that_its_gateway_does_not_know_says_who_it_is() {
    let authorization = |request: &str| {
        open(&format!(r#"{{"request":{{"procedure":"ping",{request}}}}}"#)).authorization.map(String::from)
    };
    let token = r#""identity":{"authorization":"jwt","deviceName":"phone"}"#;
    assert_eq!(authorization(&format!(r#"{token},"trace":{{"id":"1"}}"#)).as_deref(), Some("jwt"));
    for found_out in [r#""identity":{}"#, r#""anonymous":true"#] {
        assert_eq!(authorization(&format!(r#"{token},"trace":{{"id":"1",{found_out}}}"#)), None);
    }
    for identity in ["null", "7", "{}", r#"{"authorization":""}"#, r#"{"authorization":{}}"#, r#""jwt""#] {
        assert_eq!(
            authorization(&format!(r#""identity":{identity},"trace":{{"id":"1"}}"#)),
            None,
            "{identity}"
        );
    }
}

#[test]
fn what_is_no_message_of_the_protocol_is_none() {
    for body in [
        "",
        "not json",
        "null",
        "{}",
        r#"{"request":5}"#,
        r#"{"request":{"procedure":"ping"}}"#,
        r#"{"request":{"procedure":"","trace":{"id":"1"}}}"#,
        r#"{"request":{"procedure":7,"trace":{"id":"1"}}}"#,
        r#"{"request":{"procedure":"ping","trace":{"id":1}}}"#,
        r#"{"request":["ping",null,null,null,null,null,null,{"id":"1"}]}"#,
        r#"{"request":{"procedure":"ping","trace":{"id":"1"}}"#,
        r#"{"request":{"procedure":"ping","trace":{"id":"1"}}}}"#,
        r#"{"request":{"procedure":"ping","trace":{"id":"1"}},"request":{}}"#,
    ] {
        assert!(Network.open(body.as_bytes(), &Limits::default()).is_none(), "{body}");
        assert!(Network.answer(body.as_bytes()).is_none(), "{body}");
    }
    assert!(
        Network
            .open(b"{\"request\":{\"procedure\":\"\xff\",\"trace\":{\"id\":\"1\"}}}", &Limits::default())
            .is_none()
    );
    assert!(Network.answer(br#"{"request":{"trace":{"id":"1"}}}"#).is_none(), "no response");
    for (request, name) in [
        (r#"{"procedure":"p","scope":null,"version":"","trace":{"id":"1"}}"#, "p"),
        (
            r#"{"procedure":"p","version":2,"trace":{"id":"1","ipAddress":"nonsense","internal":"true"}}"#,
            "p@2",
        ),
        (r#"{"procedure":"a.b","scope":"s","trace":{"id":"1"}}"#, "s::a.b::1"),
    ] {
        let opened = open(&format!(r#"{{"request":{request}}}"#));
        assert_eq!((&*opened.procedure, opened.internal), (name, false));
    }
    for body in [
        r#"{"request":{"procedure":"p","args":[1],"trace":{"id":"1"}},"more":{"request":{}}}"#,
        r#" { "more": 1, "request" : {"procedure":"p","args":[1],"trace":{"id":"1"}} } "#,
    ] {
        let mut opened = open(body);
        assert_eq!(heard(&mut *opened.dialect, body).1.as_deref(), Some("[1]"), "{body}");
        let answer = answered(&mut *opened.dialect, Ok("2"));
        let request = r#"{"request":{"procedure":"p","args":[1],"trace":{"id":"1"}},"response":"#;
        assert!(answer.starts_with(request.as_bytes()), "{}", String::from_utf8_lossy(&answer));
    }
    let minimal = r#"{"request":{"trace":{"id":"1"}},"response":{"code":"odd","success":1}}"#;
    let fault = Network.answer(minimal.as_bytes()).unwrap().outcome.unwrap_err();
    assert_eq!((fault.kind(), fault.code(), fault.message()), (FaultKind::Failed, None, ""));
}

#[test]
fn what_is_nested_too_deeply_is_none() {
    let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    for member in ["args", "identity", "correlationId"] {
        let body = |levels| {
            let value = nested(levels);
            format!(r#"{{"request":{{"procedure":"p","{member}":{value},"trace":{{"id":"1"}}}}}}"#)
        };
        let is_read = |body: String| Network.open(body.as_bytes(), &Limits::default().max_depth(4)).is_some();
        // the object of the request is the first
        assert!(is_read(body(3)) && !is_read(body(4)), "{member}");
    }
}
