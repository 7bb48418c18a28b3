//! The form, what is none, and that it says what the spelling of therms says.

mod form;
mod same;

use super::*;
use trunkline_core::{About, CallId, Dialect, Fault, Frame, Outbox, Signal, framing::Whole};

/// An id as nodes make them up.
const SOME_ID: &str = "0123456789abcdef0123456789ABCDEF";

/// What a dialect hears in the message that it was opened with.
fn heard(dialect: &mut dyn Dialect, body: &[u8]) -> (String, Option<String>, About) {
    let mut out = Outbox::new(Box::new(Whole));
    let mut frame = Frame::binary(body);
    let Some(Signal::Call { procedure, args, about, .. }) = dialect.hear(&mut frame, &mut out) else {
        panic!("no call: {body:?}")
    };
    let args = args.map(|args| String::from_utf8(args.borrow().as_bytes().to_vec()).unwrap());
    assert!(dialect.hear(&mut frame, &mut out).is_none() && out.is_empty(), "it is heard once");
    (procedure.into_owned(), args, *about.unwrap())
}

/// The answer that a dialect gives.
fn answered(dialect: &mut dyn Dialect, outcome: Result<&str, &Fault>) -> Vec<u8> {
    let mut out = Outbox::new(Box::new(Whole));
    let id = CallId { spelling: "", tag: 0 };
    match outcome {
        Ok(value) => {
            let reply = dialect.open(&id, &mut out);
            out.body().extend_from_slice(value.as_bytes());
            dialect.close(&id, reply, &mut out);
        }
        Err(fault) => dialect.fault(&id, fault, &mut out),
    }
    out.into_bytes()
}

fn open(body: &[u8]) -> Option<Opened> {
    Native.open(body, &Limits::default())
}
