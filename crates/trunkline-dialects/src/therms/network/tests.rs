//! What was recorded of the original, in `tests/vectors/therms`, and what goes between two of ours.

use super::*;
use serde_json::{Value, json, value::RawValue};
use std::{sync::Arc, time::Duration};
use trunkline_core::{
    Connection, Context, Dialect, Fault, FaultKind, Frame, Identity, Key, Outbox, Payload, Signal, Trace,
    framing::{Framing, Lines},
};

/// Messages of this type that peers have published, by the file they are in.
fn recorded(kind: &str) -> Vec<(String, Value)> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/therms");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if !file.starts_with("amqp-") {
            continue;
        }
        let document: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        for message in document["messages"].as_array().into_iter().flatten() {
            if message["dir"] == "peer2broker" && message["amqp"]["properties"]["type"] == kind {
                found.push((file.clone(), message["body"].clone()));
            }
        }
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    found
}

fn open(body: &str) -> Opened {
    Network.open(body.as_bytes(), &Limits::default()).unwrap_or_else(|| panic!("not a request: {body}"))
}

/// What a dialect hears in the message that it was opened with: args, and for how long.
fn heard(dialect: &mut dyn Dialect, body: &str) -> (String, Option<String>, Option<Duration>) {
    let mut out = Outbox::new(Lines::default().marking());
    let mut frame = Frame::binary(body.as_bytes());
    let Some(Signal::Call { procedure, args, about, .. }) = dialect.hear(&mut frame, &mut out) else {
        panic!("no call: {body}")
    };
    let args = args.map(|args| {
        let Payload::Json(text) = args.borrow() else { unreachable!("nothing but JSON") };
        text.to_owned()
    });
    assert!(dialect.hear(&mut frame, &mut out).is_none() && out.is_empty(), "it is heard once");
    (procedure.into_owned(), args, about.and_then(|about| about.timeout))
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
        let (procedure, args, timeout) = heard(&mut *opened.dialect, &text);
        let key = Key::of(&procedure);
        let named = json!([key.scope, key.procedure, key.version]);
        assert_eq!(named, json!([request["scope"], request["procedure"], request["version"]]), "{file}");
        assert_eq!(args, request.get("args").map(Value::to_string), "{file}");
        assert_eq!(timeout, None, "{file}");
    }
}

/// Of 18 responses four are not written as they were recorded:
///
/// - a success has the code 200 (`amqp-no-data` has 204);
/// - arguments are repeated as they came, not as a validator has changed them
///   (`amqp-coerced-args`);
/// - a failure of a call that a handler makes, which it hands on, is answered with the ids
///   of the outer call, as all else is (`amqp-internal-call-fails`, `…-missing`).
#[test]
fn responses_that_were_recorded_are_understood_and_given() {
    let responses = recorded("response");
    assert_eq!(responses.len(), 18, "responses in the files");
    let requests = recorded("request");
    let mut same = 0;
    for (file, body) in responses {
        let text = body.to_string();
        let answer = Network.answer(text.as_bytes()).unwrap();
        let response = &body["response"];
        assert_eq!(answer.id, body["request"]["trace"]["id"].as_str().unwrap(), "{file}");
        let data: Option<Box<RawValue>> =
            response.get("data").map(|data| serde_json::value::to_raw_value(data).unwrap());
        match &answer.outcome {
            Ok(Payload::Json(found)) => {
                assert_eq!(*found, data.as_deref().map_or("null", RawValue::get), "{file}");
            }
            Ok(_) => unreachable!("nothing but JSON"),
            Err(fault) => {
                assert_eq!(response["success"], false, "{file}");
                assert_eq!(
                    (fault.code(), fault.message()),
                    (response["code"].as_i64(), response["message"].as_str().unwrap_or_default()),
                    "{file}"
                );
                assert_eq!(fault.raw_data(), data.as_deref().map(RawValue::get), "{file}");
            }
        }
        let asked = requests.iter().find(|(in_file, asked)| {
            *in_file == file && asked["request"]["trace"]["id"] == body["request"]["trace"]["id"]
        });
        let asked = asked.unwrap_or_else(|| panic!("{file}: no request")).1.to_string();
        let outcome = match &answer.outcome {
            Ok(Payload::Json(data)) => Ok(*data),
            Ok(_) => unreachable!("nothing but JSON"),
            Err(fault) => Err(fault),
        };
        let given: Value = serde_json::from_slice(&answered(&mut *open(&asked).dialect, outcome)).unwrap();
        let mut expected = body;
        match file.as_str() {
            "amqp-no-data" => expected["response"]["code"] = 200.into(),
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
    assert_eq!(same, 14);
}

#[test]
fn what_one_of_ours_asks_another_hears() {
    let trace = Trace::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
    let connection = Connection::new("websocket", "jsonrpc").with_remote("192.0.2.7:80".parse().ok());
    let ada = Identity::new("ada\"").with_group("staff").with_claim("tenant", [7]);
    let context = Context::from(Arc::new(connection))
        .with_identity(ada.clone())
        .with_trace(Some(trace.clone().with_state("a=1")))
        .at_depth(3);
    let mut asked = Asked {
        id: "deadbeef",
        key: &Key::of("math.add@2"),
        args: Some(Payload::Json("[1, 2]")),
        context: &context,
        timeout: Duration::from_millis(1500),
        internal: true,
        parent: Some("before"),
        repeated: true,
    };
    let mut body = Vec::new();
    let args = Network.request(&asked, &mut body);
    let text = String::from_utf8(body).unwrap();
    assert_eq!(&text[args.unwrap()], "[1, 2]");
    let mut opened = open(&text);
    assert_eq!((&*opened.id, &*opened.procedure, opened.internal), ("deadbeef", "math.add@2", true));
    assert!(opened.repeated && opened.understands);
    assert_eq!(opened.context.identity(), &ada);
    assert_eq!(opened.context.depth(), 3);
    let said = heard(&mut *opened.dialect, &text);
    let args = Some("[1, 2]".to_owned());
    assert_eq!(said, ("math.add@2".to_owned(), args, Some(Duration::from_millis(1500))), "as it is spelled");
    let given = answered(&mut *opened.dialect, Ok("[3]"));
    assert_eq!(
        String::from_utf8(given).unwrap().trim_end(),
        r#"{"request":{"trace":{"id":"deadbeef"}},"response":{"code":200,"data":[3],"success":true,"trace":{"id":"deadbeef"}}}"#
    );
    let given = answered(&mut *opened.dialect, Ok("null"));
    assert!(!String::from_utf8(given).unwrap().contains("data"), "nothing is not said");

    (asked.internal, asked.args, asked.repeated) = (false, None, false);
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
        id: "1",
        key: &key,
        args: None,
        context: &context,
        timeout,
        internal: false,
        parent: None,
        repeated: false,
    };
    let mut body = Vec::new();
    Network.request(&asked, &mut body);
    let text = String::from_utf8(body).unwrap();
    let there_and_back = |fault: &Fault| {
        let given = answered(&mut *open(&text).dialect, Err(fault));
        Network.answer(&given).unwrap().outcome.unwrap_err()
    };
    for kind in [
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
    ] {
        let fault = Fault::new(kind, "why \"not\"").with_source("secret");
        assert_eq!(there_and_back(&fault), fault);
        for coded in [fault.clone().with_code(500), fault.with_code(-7).with_data([1])] {
            assert_eq!(there_and_back(&coded), coded);
        }
    }
}

#[test]
fn what_is_said_of_an_answer_is_understood() {
    let text = r#"{"request":{"procedure":"ping","trace":{"id":"1","timeout":5}}}"#;
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
    assert_eq!(authorization(&format!(r#"{token},"trace":{{"id":"1","identity":{{}}}}"#)), None);
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
    let minimal = r#"{"request":{"trace":{"id":"1"}},"response":{"code":"odd","success":1}}"#;
    let fault = Network.answer(minimal.as_bytes()).unwrap().outcome.unwrap_err();
    assert_eq!((fault.kind(), fault.code(), fault.message()), (FaultKind::Failed, None, ""));
}
