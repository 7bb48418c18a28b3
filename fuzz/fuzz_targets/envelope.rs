//! What comes from a broker: a request is heard as one call and its answer is read again;
//! what is asked on goes to the other side as it is; an answer has a value that is JSON. In
//! either spelling.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;
use std::time::Duration;
use trunkline_core::{
    CallId, Envelope, Fault, FaultKind, Frame, Key, Limits, Outbox, Payload, Signal,
    envelope::{Asked, Opened, Remark},
    framing::Whole,
    response::Written,
};
use trunkline_dialects::{native::Native, therms::Network};
use trunkline_fuzz::choices::split;

/// An id as nodes make them up.
const ID: &str = "0123456789abcdef0123456789abcdef";

/// The spellings, of which each is read by itself.
const SPELLINGS: [&dyn Envelope; 2] = [&Network, &Native];

fuzz_target!(|input: &[u8]| {
    let (body, mut choices) = split(input);
    let outcome = match choices.below(3) {
        0 => Ok(b"[7]".to_vec()),
        1 => Ok(made()),
        _ => Err(Fault::new(FaultKind::Unavailable, "not \"now\"").with_code(9).with_data([1])),
    };
    for mut asked in read(body, &outcome) {
        // what is well-formed but for a few bytes, in a form that is hard to guess
        for _ in 0..choices.below(4) {
            let at = usize::from(choices.byte()) % asked.len();
            asked[at] = choices.byte();
        }
        read(&asked, &outcome);
    }
});

/// Reads a message in each of the spellings; gives what the handler of the call that it is asks.
fn read(body: &[u8], outcome: &Result<Vec<u8>, Fault>) -> Vec<Vec<u8>> {
    let (mut asked, mut times) = (Vec::new(), 0);
    for envelope in SPELLINGS {
        if let Some(answered) = envelope.answer(body)
            && let Ok(value) = &answered.outcome
        {
            assert!(is_result(value.borrow().as_bytes()), "a value: {value:?}");
        }
        let Some(mut opened) = envelope.open(body, &Limits::default()) else { continue };
        times += 1;
        // whoever is told that it was given up, or that it waits, is told so by this
        assert!(opened.id.len() <= body.len());
        let heard = answer(envelope, &mut opened, body, outcome);
        if let Some(args) = heard {
            asked.extend(SPELLINGS.iter().filter_map(|other| ask_on(*other, &opened, args.as_deref())));
        }
    }
    assert!(times <= 1, "a message is of one spelling");
    asked
}

fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(text).is_ok()
}

/// Of the form in which results with codes are written.
fn is_result(written: &[u8]) -> bool {
    match Written::read(written) {
        Some(Written { code, message, data }) => {
            [Some(code), message, data].into_iter().flatten().all(|part| is_json(part.as_bytes()))
        }
        None => is_json(written),
    }
}

/// A result with a code and a message.
fn made() -> Vec<u8> {
    let mut written = Vec::new();
    Written { code: "201", message: Some(r#""made""#), data: None }.write(&mut written);
    written
}

/// Hears the call and answers it; gives its arguments, unless it was refused.
fn answer(
    envelope: &dyn Envelope,
    opened: &mut Opened,
    body: &[u8],
    outcome: &Result<Vec<u8>, Fault>,
) -> Option<Option<String>> {
    let mut out = Outbox::new(Box::new(Whole));
    let mut frame = Frame::binary(body);
    let heard = match opened.dialect.hear(&mut frame, &mut out) {
        Some(Signal::Call { procedure, args, .. }) => {
            assert_eq!(*procedure, *opened.procedure);
            Some(args.map(|args| String::from_utf8(args.borrow().as_bytes().to_vec()).expect("text")))
        }
        Some(other) => panic!("{other:?} is no call"),
        None => None,
    };
    assert!(opened.dialect.hear(&mut frame, &mut out).is_none(), "it is heard once");
    let id = CallId { spelling: "", tag: 0 };
    match (&heard, outcome) {
        (None, _) => assert!(!out.is_empty(), "a refusal is told"),
        (Some(_), Ok(value)) => {
            let reply = opened.dialect.open(&id, &mut out);
            out.body().extend_from_slice(value);
            opened.dialect.close(&id, reply, &mut out);
        }
        (Some(_), Err(fault)) => opened.dialect.fault(&id, fault, &mut out),
    }
    let mut answer = out.into_bytes();
    if opened.understands {
        envelope.remark(&mut answer, Remark::NotStarted);
    }
    assert!(envelope.name() != Network.name() || is_json(&answer), "{}", String::from_utf8_lossy(&answer));
    let read = envelope.answer(&answer).expect("what we answer is an answer");
    if opened.understands {
        assert_eq!((&*read.id, read.remark), (&*opened.id, Some(Remark::NotStarted)));
    }
    if let (Some(_), true, Err(fault)) = (&heard, opened.understands, outcome) {
        let told = read.outcome.expect_err("a fault");
        assert_eq!((told.kind(), told.message(), told.code()), (fault.kind(), fault.message(), fault.code()));
    }
    heard
}

/// The handler asks another node for the same; gives the message.
fn ask_on(envelope: &dyn Envelope, opened: &Opened, args: Option<&str>) -> Option<Vec<u8>> {
    let key = Key::of(&opened.procedure);
    // what has no name, nobody serves; and that of therms has three parts
    let is_whole = [key.scope, key.procedure, key.version].iter().all(|part| !part.is_empty());
    if !is_whole || key.name().as_deref() != Some(&*opened.procedure) {
        return None;
    }
    let asked = Asked {
        id: ID,
        key: &key,
        args: args.map(Payload::Json),
        context: &opened.context,
        identified: opened.repeated,
        timeout: Duration::from_secs(1),
        repeated: opened.repeated,
    };
    let mut body = Vec::new();
    let place = envelope.request(&asked, &mut body);
    if let (Some(place), Some(args)) = (place, args) {
        assert_eq!(&body[place], args.as_bytes(), "as it is spelled");
    }
    let mut again = envelope.open(&body, &Limits::default()).expect("what we ask is a request");
    assert_eq!((&*again.id, &*again.procedure), (ID, &*opened.procedure));
    assert_eq!((again.repeated, again.understands), (opened.repeated, true));
    assert_eq!(again.context.identity().subject(), opened.context.identity().subject());
    let heard = answer(envelope, &mut again, &body, &Ok(b"null".to_vec()));
    assert_eq!(heard.as_ref().map(Option::as_deref), Some(args));
    Some(body)
}
