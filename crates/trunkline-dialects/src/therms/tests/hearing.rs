//! Messages in, signals and answers out.

use super::super::Therms;
use crate::{Mixed, jsonrpc::JsonRpc};
use trunkline_core::{
    CallId, Dialect, Fault, FaultKind, Frame, Language, Limits, Outbox, Signal,
    framing::{Framing, Lines},
};

/// What one message comes to: the signals, spelled, and what was answered at once.
fn heard(dialect: &mut dyn Dialect, frame: Frame<'_>) -> Vec<String> {
    let mut out = Outbox::new(Lines::default().marking());
    let mut frame = frame;
    let mut said = Vec::new();
    while let Some(signal) = dialect.hear(&mut frame, &mut out) {
        said.push(match signal {
            Signal::Call { id, procedure, args, .. } => {
                let args = args.map(|args| format!("{:?}", args.borrow())).unwrap_or_default();
                format!("call {} {procedure} {args}", id.spelling)
            }
            Signal::Notify { procedure, args, .. } => {
                format!("notify {procedure} {:?}", args.as_ref().map(|args| args.borrow()))
            }
            other => format!("{other:?}"),
        });
    }
    said.extend(String::from_utf8(out.into_bytes()).unwrap().lines().map(str::to_owned));
    said
}

fn two_way(language: &impl Language) -> Box<dyn Dialect> {
    language.converse(&Limits::default()).0
}

fn refusal(message: &str) -> String {
    format!(r#"{{"code":400,"message":"{message}","success":false}}"#)
}

#[test]
fn names_are_put_together_from_their_parts() {
    let mut dialect = two_way(&Therms::default());
    for (message, expected) in [
        (r#"{"procedure":"ping"}"#, "call  ping "),
        (r#"{"procedure":"ping","scope":null,"version":""}"#, "call  ping "),
        (r#"{"procedure":"e","scope":"t","version":2,"correlationId":"a"}"#, r#"call "a" t.e@2 "#),
        (r#"{"procedure":"x.y","scope":"t","correlationId":{"a":1}}"#, r#"call {"a":1} t::x.y::1 "#),
        (r#"{"args":null,"procedure":"\u0065","correlationId":0}"#, r#"call  e Json("null")"#),
    ] {
        assert_eq!(heard(&mut *dialect, Frame::text(message)), [expected], "{message}");
    }
}

#[test]
fn what_is_no_call_is_answered_and_forgotten() {
    let mut dialect = two_way(&Therms::default());
    let (empty, unparseable) = ("Empty request body received", "unable to parse & handle request");
    let none = "unable to parse request body as a valid CallRequest";
    for (message, why) in [
        ("", empty),
        (" ", empty),
        ("{ }", empty),
        ("[]", empty),
        ("null", unparseable),
        ("5", unparseable),
        ("\"x\"", unparseable),
        ("{\"procedure\":", unparseable),
        ("{\"procedure\":\"a\",\"procedure\":\"b\"}", unparseable),
        ("{\"procedure\":\"a\",\"proc\\u0065dure\":\"b\"}", unparseable),
        ("{\"procedure\":\"a\",\"trace\":1,\"trace\":1}", unparseable),
        ("{\"procedure\":\"a\",\"\\ud800\":1}", unparseable),
        ("{\"procedure\":\"a\",}", unparseable),
        ("{\"procedure\":\"a\"}}", unparseable),
        ("[{\"procedure\":\"ping\"}]", none),
        ("{\"scope\":\"x\"}", none),
        ("{\"procedure\":{}}", none),
        ("{\"procedure\":\"x\",\"scope\":5}", none),
    ] {
        assert_eq!(heard(&mut *dialect, Frame::text(message)), [refusal(why)], "{message}");
    }
    let binary = heard(&mut *dialect, Frame::binary(br#"{"procedure":"ping"}"#));
    assert_eq!(binary, [refusal("messages are text, and this one was binary")]);
    assert_eq!(heard(&mut *dialect, Frame::text(r#"{"procedure":"ping"}"#)), ["call  ping "]);
}

#[test]
fn how_deep_and_long_messages_may_be_is_limited() {
    let mut dialect = two_way(&Therms::default());
    let deep = |levels| format!(r#"{{"procedure":"p","x":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
    assert_eq!(heard(&mut *dialect, Frame::text(&deep(127))), ["call  p "]);
    for levels in [128, 100_000] {
        let refused = refusal("unable to parse & handle request");
        assert_eq!(heard(&mut *dialect, Frame::text(&deep(levels))), [refused], "{levels}");
    }
    let identity = format!(r#"{{"identity":{{"metadata":{{"x":"{}"}}}}}}"#, "x".repeat(16 << 10));
    assert!(
        heard(&mut *dialect, Frame::text(&identity))[0].starts_with(r#"{"code":400,"message":"identity is"#)
    );
}

#[test]
fn an_identity_stays_until_its_authorization_changes() {
    let mut dialect = two_way(&Therms::default().identity_changes("who"));
    let hear = |dialect: &mut Box<dyn Dialect>, text: &str| heard(&mut **dialect, Frame::text(text));
    let first = hear(&mut dialect, r#"{"identity":{"authorization":"a"},"correlationId":1}"#);
    let changed = "notify who None";
    assert_eq!(first, [changed, r#"{"code":200,"correlationId":1,"success":true}"#]);
    let again = hear(&mut dialect, r#"{"identity":{"authorization":"a"}}"#);
    assert_eq!(again, [r#"{"code":200,"success":true}"#]);
    let other =
        hear(&mut dialect, r#"{"procedure":"x","identity":{"authorization":"b"},"correlationId":"c"}"#);
    let told = "identity.authorization has changed - disconnecting websocket connection";
    let told = format!(r#"{{"code":400,"correlationId":"c","message":"{told}","success":false}}"#);
    assert_eq!(other, ["Leave", &told]);
}

#[test]
fn who_authenticates_is_told_when_that_is_done() {
    let mut dialect = two_way(&Therms::default().authenticating());
    let mut out = Outbox::new(Lines::default().marking());
    let login = heard(&mut *dialect, Frame::text(r#"{"identity":{"authorization":"a"},"correlationId":1}"#));
    assert_eq!(login, [r#"call 1 rpc.authenticate Json("[\"a\"]")"#]);
    let id = CallId { spelling: "1", tag: super::super::hear::INTRODUCTION };
    let reply = dialect.open(&id, &mut out);
    out.body().extend_from_slice(br#"{"subject":"ada"}"#);
    dialect.close(&id, reply, &mut out);
    assert_eq!(out.bytes(), b"{\"code\":200,\"correlationId\":1,\"success\":true}\n");

    let refused = Fault::new(FaultKind::Unauthenticated, "no");
    dialect.fault(&id, &refused, &mut out);
    let another = heard(&mut *dialect, Frame::text(r#"{"procedure":"x","identity":{"authorization":"b"}}"#));
    assert_eq!(another, [r#"call  rpc.authenticate Json("[\"b\"]")"#, "call  x "]);
}

#[test]
fn who_comes_with_a_call_is_asked_for_without_an_answer() {
    let mut dialect = two_way(&Therms::default().authenticating());
    let mut out = Outbox::new(Lines::default().marking());
    let call = r#"{"procedure":"x","identity":{"authorization":"a"}}"#;
    let introduction = r#"{"identity":{"authorization":"a"},"correlationId":1}"#;
    let login = r#"call  rpc.authenticate Json("[\"a\"]")"#;
    let (with_call, alone) = (super::super::hear::LOGIN, super::super::hear::INTRODUCTION);
    let id = |tag| CallId { spelling: "", tag };
    let refused = Fault::new(FaultKind::Unauthenticated, "no");
    let checked = r#"call 1 rpc.authenticate Json("[\"a\"]")"#;

    assert_eq!(heard(&mut *dialect, Frame::text(call)), [login, "call  x "]);
    // while it is not known whose it is, nobody is told that it is known
    assert_eq!(heard(&mut *dialect, Frame::text(call)), ["call  x "]);
    assert_eq!(heard(&mut *dialect, Frame::text(introduction)), [checked]);
    dialect.fault(&id(with_call), &refused, &mut out);
    assert_eq!(out.bytes(), b"", "who has called is not told twice");
    // the last one counts
    let reply = dialect.open(&id(alone), &mut out);
    dialect.close(&id(alone), reply, &mut out);
    let known = [r#"{"code":200,"correlationId":1,"success":true}"#];
    assert_eq!(heard(&mut *dialect, Frame::text(introduction)), known);
    assert_eq!(heard(&mut *dialect, Frame::text(call)), ["call  x "]);
}

#[test]
fn client_messages_go_to_their_procedure() {
    let mut dialect = two_way(&Therms::default().client_messages("said"));
    for (message, args) in
        [(r#"{"clientMessage":null}"#, "null"), (r#"{"clientMessage":1,"procedure":"x"}"#, "1")]
    {
        let expected = format!("notify said Some(Json({args:?}))");
        assert_eq!(heard(&mut *dialect, Frame::text(message)), [expected]);
    }
    let mut deaf = two_way(&Therms::default());
    assert!(heard(&mut *deaf, Frame::text(r#"{"clientMessage":1}"#)).is_empty());
}

#[test]
fn each_message_is_heard_in_its_own_language() {
    let mut mixed = two_way(&Mixed::new(JsonRpc::default(), Therms::default()));
    let not_json = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700"#;
    for (message, expected) in [
        ("null", r#"{"code":400"#),
        (r#"{"jsonrpc":"2.0","id":1,"method":"a"}"#, "call 1 a"),
        ("null", r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600"#),
        ("{", not_json),
        (r#" {"args":{"method":1},"procedure":"b","jsonrpc":"2.0"}"#, "call  b"),
        ("{", r#"{"code":400"#),
        (r#"[{"id":2,"method":"c","jsonrpc":"2.0"}]"#, "call 2 c"),
        (r#"{"identity":{}}"#, r#"{"code":200"#),
    ] {
        let said = heard(&mut *mixed, Frame::text(message));
        assert!(said.len() == 1 && said[0].starts_with(expected), "{message}: {said:?}");
    }
}

#[test]
fn a_code_is_for_those_who_know_codes() {
    let mut mixed = two_way(&Mixed::new(JsonRpc::default(), Therms::default()));
    let mut out = Outbox::new(Lines::default().marking());
    for tag in [0, super::super::hear::OURS] {
        let id = CallId { spelling: "7", tag };
        let reply = mixed.open(&id, &mut out);
        out.body().extend_from_slice(b"\x00201\0\"made\"\0[1]");
        mixed.close(&id, reply, &mut out);
    }
    let said = String::from_utf8(out.into_bytes()).unwrap();
    let expected = [
        r#"{"jsonrpc":"2.0","id":7,"result":[1]}"#,
        r#"{"code":201,"correlationId":7,"data":[1],"message":"made","success":true}"#,
    ];
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
}
