//! Bytes: those that are written, those that are read, and those that are nothing.

use super::*;
use proptest::prelude::*;
use std::{sync::Arc, time::Duration};
use trunkline_core::{
    Connection, Context, FaultKind, Key, Payload,
    router::{Unknown, Why},
};

/// The message that a client's call comes to.
fn usual() -> Vec<u8> {
    let context = Context::from(Arc::new(Connection::new("http", "jsonrpc")));
    let asked = Asked {
        id: SOME_ID,
        key: &Key::of("math.add"),
        args: Some(Payload::Json("[1,2]")),
        context: &context,
        identified: false,
        timeout: Duration::from_secs(30),
        repeated: false,
    };
    let mut body = Vec::new();
    assert_eq!(Native.request(&asked, &mut body), Some(body.len() - 5..body.len()));
    assert_eq!(Native.correlation(&asked), SOME_ID);
    body
}

/// A request with these flags and what is behind its name.
fn request(flags: u8, rest: &[u8]) -> Vec<u8> {
    [b"\x81", SOME_ID.as_bytes(), &[flags], b"\x01\x01p", rest].concat()
}

fn answer(rest: &[u8]) -> Vec<u8> {
    [b"\x82", SOME_ID.as_bytes(), rest].concat()
}

fn is_answer(rest: &[u8]) -> bool {
    Native.answer(&answer(rest)).is_some()
}

/// As it is described in the documentation of the module.
#[test]
fn the_form_is_kept() {
    let body = usual();
    assert_eq!(body, [b"\x81", SOME_ID.as_bytes(), b"\x02\xb0\xea\x01\x08math.add\0[1,2]"].concat());
    let mut opened = open(&body).unwrap();
    assert_eq!((&*opened.id, &*opened.procedure), (SOME_ID, "math.add"));
    let (name, args, about) = heard(&mut *opened.dialect, &body);
    assert_eq!((&*name, args.as_deref()), ("math.add", Some("[1,2]")));
    assert_eq!(about.timeout, Some(Duration::from_secs(30)));
    assert_eq!(answered(&mut *opened.dialect, Ok("3")), answer(b"\x003"));
    let fault = Fault::new(FaultKind::InvalidArgs, "no").with_code(-2).with_data([1]);
    assert_eq!(
        answered(&mut *opened.dialect, Err(&fault)),
        answer(
            b"\x01\x01\x0e\"invalid-args\"\x02\x08\xfe\xff\xff\xff\xff\xff\xff\xff\x03\x02no\x04\x03[1]\0"
        )
    );
    let unknown = Unknown::new("p", Why::Nowhere).into();
    let told = answered(&mut *opened.dialect, Err(&unknown));
    assert!(told.ends_with(b"\x05\x01p\x06\x07nowhere\0"), "{told:?}");
}

#[test]
fn what_is_cut_off_is_none() {
    let body = usual();
    for end in 0..body.len() {
        let has_no_args = end == body.len() - b"[1,2]".len();
        assert_eq!(open(&body[..end]).is_some(), has_no_args, "{end}");
        assert!(Native.answer(&body[..end]).is_none(), "{end}");
    }
    let fault = Unknown::new("p", Why::Version).into();
    for outcome in [Ok("[1]"), Err(&fault)] {
        let answer = answered(&mut *open(&body).unwrap().dialect, outcome);
        for end in 0..answer.len() {
            assert!(Native.answer(&answer[..end]).is_none() && open(&answer[..end]).is_none(), "{end}");
        }
        assert!(Native.answer(&answer).is_some() && open(&answer).is_none());
    }
}

#[test]
fn what_is_no_request_is_none() {
    for (flags, rest) in [
        (0x20, &b"\0"[..]),
        (0x80, b"\0"),
        // a field twice, and two in another order
        (0, b"\x04\x01a\x04\x01b\0"),
        (0, b"\x70\0\x70\0\0"),
        (0, b"\x05\x01a\x04\x01b\0"),
        // longer than all there is, and than anything can be
        (0, b"\x04\x09a\0"),
        (0, b"\x04\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01a\0"),
        (0, b"\x04\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02a\0"),
        (0, b"\x04\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01a\0"),
        // a number with a byte too many
        (0, b"\x04\x81\0a\0"),
        // what each field may not be
        (0, b"\x01\x01x\0"),
        (0, b"\x02\x02[]\0"),
        (0, b"\x03\x01\xff\0"),
        (0, b"\x04\x01\xff\0"),
        (0, b"\x05\x01\xff\0"),
        (0, b"\x06\x05aaaaa\0"),
        (0, b"\x07\x10aaaaaaaaaaaaaaaa\0"),
        (0, b"\x07\x01a\0"),
        (0, b"\x08\x05aaaaa\0"),
        (0, b"\x08\x19\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0aaaaaaaa\x01\0"),
        (0, b"\x08\x1aaaaaaaaaaaaaaaaaaaaaaaaa\x01\xff\0"),
        (0, b"\x09\x02\x01\x01\0"),
        (0, b"\x0a\x01\xff\0"),
        (0, b"\x0b\x01\x02\0"),
        (0, b"\x0b\x02\x01\xff\0"),
        (0, b"\x0c\x02[]\0"),
        // arguments that are none
        (0, b"\0{"),
        (0, b"\x001 2"),
        (0, b"\0\"\xff\""),
        (0, b"\0\0"),
    ] {
        assert!(open(&request(flags, rest)).is_none(), "{flags} {rest:?}");
    }
    for (flags, rest) in [
        (0x1f, &b"\0"[..]),
        (0, b"\x03\x01a\x04\x01b\0 {} "),
        // as a later version may say more
        (0, b"\x0d\x01\xff\xfe\x02\xff\xff\0[]"),
        (1, b"\x09\x01\0\0"),
    ] {
        let opened = open(&request(flags, rest)).unwrap_or_else(|| panic!("{flags} {rest:?}"));
        assert_eq!((&*opened.procedure, opened.internal), ("p", flags & 1 == 1));
    }
    let body = request(0, b"\0");
    let other = |at: usize, byte: u8| {
        let mut other = body.clone();
        other[at] = byte;
        other
    };
    for other in [
        other(0, 0x80),
        other(1, b'g'),
        other(32, 0xc3),
        [&body[..35], b"\0\0"].concat(),
        [&body[..35], b"\x01\xff\0"].concat(),
    ] {
        assert!(open(&other).is_none(), "{other:?}");
    }
}

/// The call of a client is a level, as it is in the other spelling.
#[test]
fn what_is_nested_too_deeply_is_none() {
    let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    let is_read = |body: &[u8]| Native.open(body, &Limits::default().max_depth(4)).is_some();
    for (levels, expected) in [(3, true), (4, false)] {
        let value = nested(levels);
        let (args, length) = ([b"\0", value.as_bytes()].concat(), [u8::try_from(value.len()).unwrap()]);
        assert_eq!(is_read(&request(0, &args)), expected);
        let correlation = [b"\x01", &length[..], value.as_bytes(), b"\0"].concat();
        assert_eq!(is_read(&request(0, &correlation)), expected);
        let value = format!(r#"{{"a":{}}}"#, nested(levels - 1));
        let length = [u8::try_from(value.len()).unwrap()];
        let shown = [b"\x02", &length[..], value.as_bytes(), b"\0"].concat();
        assert_eq!(is_read(&request(0, &shown)), expected);
    }
}

/// What goes on to clients is JSON, or of the form that has a code.
#[test]
fn what_is_no_answer_is_none() {
    let deep = |levels: usize| format!("\0{}{}", "[".repeat(levels), "]".repeat(levels));
    for result in [&b"\0null"[..], b"\0 [1, 2] ", b"\0\x00204\0\0", b"\0\x00-1\0\"made\"\0{}"] {
        assert!(is_answer(result), "{result:?}");
    }
    assert!(is_answer(deep(128).as_bytes()) && is_answer(deep(100_000).as_bytes()), "as it was written");
    for bad in [
        &b""[..],
        b"\0",
        b"\0[",
        b"\x001 2",
        b"\0\"\xff\"",
        b"\0\x00204\0",
        b"\0\x00204\0\0\0",
        b"\0\x00+1\0\0",
        b"\0\x00007\0\0",
        b"\0\x001.5\0\0",
        b"\0\x00\0\0",
        b"\0\x00200\x001\0",
        b"\0\x00200\0\"\0",
        b"\0\x00200\0\0,",
        b"\x061",
        b"\x081",
        b"\x01",
        b"\x01\0\0",
        b"\x01\x02\x01a\0",
        b"\x01\x03\x01\xff\0",
        b"\x01\x04\x01x\0",
        b"\x01\x03\x01a\x03\x01a\0",
        b"\x01\x05\x01\xff\0",
        b"\x01\x06\x01\xff\0",
    ] {
        assert!(!is_answer(bad), "{bad:?}");
    }
    let later = answer(b"\x01\x01\x05\"odd\"\x03\x02no\x09\x01\xff\0");
    let later = Native.answer(&later).unwrap();
    assert_eq!(later.outcome.unwrap_err(), Fault::from("no"), "what a later version says more");
}

#[test]
fn what_is_said_of_an_answer_is_understood() {
    let fault = Fault::from("no").with_code(-3).with_data([1]);
    for outcome in [Ok("7"), Err(&fault)] {
        let plain = answered(&mut *open(&usual()).unwrap().dialect, outcome);
        let before = Native.answer(&plain).unwrap();
        assert_eq!((&*before.id, before.remark), (SOME_ID, None));
        for remark in [Remark::NotStarted, Remark::Idempotent] {
            let mut said = plain.clone();
            Native.remark(&mut said, remark);
            let after = Native.answer(&said).unwrap();
            assert_eq!(after.remark, Some(remark));
            assert_eq!(format!("{:?}", after.outcome), format!("{:?}", before.outcome));
        }
    }
}

/// Nodes of another version, or of another broker, say nothing that could be taken for ours.
#[test]
fn the_other_spelling_is_none() {
    let therms = br#"{"request":{"procedure":"p","trace":{"id":"1"}},"response":{"code":200,"data":1,"success":true}}"#;
    assert!(crate::therms::Network.open(therms, &Limits::default()).is_some());
    assert!(crate::therms::Network.answer(therms).is_some());
    assert!(open(therms).is_none() && Native.answer(therms).is_none());
    let native = usual();
    assert!(crate::therms::Network.open(&native, &Limits::default()).is_none());
    assert!(crate::therms::Network.answer(&answer(b"\x001")).is_none());
}

proptest! {
    /// Of any bytes: where they begin as a message does, and are something, they are heard
    /// and answered.
    #[test]
    fn nothing_panics(kind in 0u8..4, bytes in prop::collection::vec(any::<u8>(), 0..60), cut in any::<prop::sample::Index>(), byte: u8) {
        let body = match kind {
            0 => bytes,
            1 => request(bytes.first().copied().unwrap_or_default(), &bytes),
            2 => answer(&bytes),
            _ => {
                let mut body = usual();
                let at = cut.index(body.len());
                body[at] = byte;
                body
            }
        };
        if let Some(Answered { outcome: Ok(value), .. }) = Native.answer(&body) {
            let value = value.borrow().as_bytes().to_vec();
            prop_assert!(value[0] == 0 || serde_json::from_slice::<serde::de::IgnoredAny>(&value).is_ok());
        }
        if let Some(mut opened) = open(&body) {
            let (name, args, _) = heard(&mut *opened.dialect, &body);
            prop_assert_eq!(&*name, &*opened.procedure);
            prop_assert!(args.is_none_or(|args| serde_json::from_str::<serde::de::IgnoredAny>(&args).is_ok()));
            let answer = answered(&mut *opened.dialect, Ok("1"));
            prop_assert_eq!(&*Native.answer(&answer).unwrap().id, &*opened.id);
        }
    }

    #[test]
    fn numbers_are_read_as_they_are_written(number in any::<u64>(), shift in 0u32..64) {
        let (number, mut out) = (number >> shift, Vec::new());
        fields::number(&mut out, number);
        prop_assert_eq!(fields::Input(&out).number(), Some(number));
        prop_assert_eq!(out.len(), (64 - number.leading_zeros()).div_ceil(7).max(1) as usize);
    }
}
