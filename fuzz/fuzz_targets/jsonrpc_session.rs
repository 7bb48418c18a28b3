//! JSON-RPC sessions: frames heard by a conversation and by a series of exchanges,
//! with calls that are answered at once, later, with faults, in any order.

#![no_main]

use libfuzzer_sys::fuzz_target;
use trunkline_core::{
    BatchItem, Encode, Format, Language, Limits, Outbox,
    framing::{Framing, Lines},
};
use trunkline_dialects::jsonrpc::{Document, JsonRpc, Message, NullId, Rules, read_bytes};
use trunkline_fuzz::{
    choices::{Choices, split},
    session::{Session, Setup},
};

fuzz_target!(|input: &[u8]| {
    let (stream, mut choices) = split(input);
    let which = choices.byte();
    for two_way in [true, false] {
        let mut choices = choices.clone();
        let mut session = Session::new(setup(which), two_way);
        for frame in frames(stream) {
            session.hear(frame, &mut choices);
            match choices.below(8) {
                1 => session.answer_some(1, &mut choices),
                2 => session.answer_some(usize::MAX, &mut choices),
                3 => session.flush(),
                4 => session.oversize(),
                _ => {}
            }
        }
        session.end(&mut choices);
    }
    said(stream, which, choices);
});

/// The frames in a stream: between bytes 0xfe, or lines if there are none.
fn frames(stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    let separator = if stream.contains(&0xfe) { 0xfe } else { b'\n' };
    stream.split(move |&byte| byte == separator)
}

fn setup(which: u8) -> Setup {
    let (mut rules, mut silent, mut small_replies) = (Rules::default(), false, false);
    let mut limits = Limits::default();
    let language = match which % 8 {
        1 => {
            rules.reject_null_params = true;
            JsonRpc::strict()
        }
        2 => {
            (rules.any_version, rules.wrap_scalar_params, silent) = (true, true, true);
            rules.null_id = NullId::Notification;
            JsonRpc::default().any_version().wrap_scalar_params().silent_invalid().null_id(rules.null_id)
        }
        3 => {
            rules.wrap_scalar_params = true;
            JsonRpc::json_rpc_stream()
        }
        4 => JsonRpc::mux(),
        5 => {
            rules.wrap_scalar_params = true;
            rules.null_id = NullId::Reject;
            JsonRpc::ws_rpc_messaging().null_id(rules.null_id)
        }
        6 => {
            (rules.max_depth, rules.max_batch, small_replies) = (4, 3, true);
            limits = limits.max_depth(4).max_batch(3).max_reply(50);
            JsonRpc::default()
        }
        7 => JsonRpc::rpc_websockets().plain_error_code(7).mux_peer_server(1),
        _ => JsonRpc::default(),
    };
    Setup { language, limits, rules, silent, small_replies }
}

/// What this side says of its own accord is read as what was said, or is not said at all.
fn said(stream: &[u8], which: u8, mut choices: Choices<'_>) {
    let Setup { language, limits, .. } = setup(which);
    let mut speaker = language.converse(&limits).1;
    let mut out = Outbox::new(Lines::default().marking());
    out.keep_frames_apart();
    let unwritable = std::collections::BTreeMap::from([(vec![1], 1)]);
    for (number, frame) in frames(stream).take(8).enumerate() {
        let name = String::from_utf8_lossy(frame);
        let list = [&*name];
        let args: [&dyn Encode; 5] = [&(), &name, &list, &5, &unwritable];
        let args = args[choices.below(args.len())];
        let writable = args.encode(Format::Json, &mut Vec::new()).is_ok();
        let id = (choices.below(2) == 1).then_some(number as u64 + 1);
        let items =
            [BatchItem { id, procedure: &name, args }, BatchItem { id: None, procedure: "b", args: &list }];
        let written = match (choices.below(2), id) {
            (1, _) => speaker.batch(&items, &mut out),
            (_, Some(id)) => speaker.call(id, &name, args, &mut out),
            (_, None) => speaker.notify(&name, args, &mut out),
        };
        assert_eq!(written.is_ok(), writable);
        let sent = out.take_frames();
        assert_eq!(sent.len(), usize::from(writable));
        for document in sent {
            let messages = match read_bytes(&document, &Rules::default()).expect("what is said is JSON") {
                Document::One(message) => vec![message],
                Document::Batch(messages) => messages.collect(),
                Document::TooLarge { len, .. } => panic!("{len} messages"),
            };
            match messages.first() {
                Some(Ok(Message::Request(request))) => {
                    assert_eq!((request.id.as_u64(), &*request.method), (id, &*name));
                }
                Some(Ok(Message::Notification(notification))) => {
                    assert_eq!((None, &*notification.method), (id, &*name));
                }
                other => panic!("{other:?}"),
            }
        }
    }
}
