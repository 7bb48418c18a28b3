//! Messages come out as they went in, however they are cut on the way.

use super::*;
use crate::ws::{Role, write_message};
use proptest::prelude::*;

/// A message, and where its payload is cut into frames.
#[derive(Clone, Debug)]
struct Message {
    body: Result<String, Vec<u8>>,
    cuts: Vec<prop::sample::Index>,
    pings: bool,
}

fn message() -> impl Strategy<Value = Message> {
    let length = prop_oneof![8 => 0..40usize, 2 => 100..300usize, 1 => 65_500..65_600usize];
    let chars = prop::sample::select(vec!["x", "é", "€", "😀", "\0"]);
    let text = (chars, length.clone()).prop_map(|(char, len)| Ok(char.repeat(len / char.len())));
    let binary = (any::<u8>(), length).prop_map(|(byte, len)| Err(vec![byte; len]));
    let cuts = prop::collection::vec(any::<prop::sample::Index>(), 0..4);
    (prop_oneof![text, binary], cuts, any::<bool>()).prop_map(|(body, cuts, pings)| Message {
        body,
        cuts,
        pings,
    })
}

impl Message {
    fn bytes(&self) -> &[u8] {
        self.body.as_ref().map_or_else(|bytes| &bytes[..], |text| text.as_bytes())
    }

    /// As `hear` says it.
    fn words(&self) -> String {
        match &self.body {
            Ok(text) => text.clone(),
            Err(bytes) => format!("{:?}", bytes.escape_ascii().to_string()),
        }
    }

    /// Its frames as a client sends them, perhaps with pings between them.
    fn frames(&self, stream: &mut Vec<u8>) {
        let bytes = self.bytes();
        let mut cuts: Vec<usize> = self.cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.sort_unstable();
        cuts.push(bytes.len());
        let (mut at, last) = (0, cuts.len() - 1);
        for (frame, end) in cuts.into_iter().enumerate() {
            // written as a message of its own, then made a fragment by its first byte
            let start = stream.len();
            write_message(Role::Client, Body::Binary(&bytes[at..end]), stream);
            let opcode = if frame > 0 { 0 } else { 1 + u8::from(self.body.is_err()) };
            stream[start] = opcode | if frame == last { FIN } else { 0 };
            if self.pings {
                stream.extend_from_slice(&masked(PING, b"?"));
            }
            at = end;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn however_it_is_split(
        messages in prop::collection::vec(message(), 0..8),
        sizes in prop::collection::vec(prop_oneof![1..20usize, 1..9000usize], 1..20),
    ) {
        let mut stream = vec![];
        let mut pongs = vec![];
        for message in &messages {
            message.frames(&mut stream);
            let count = if message.pings { message.cuts.len() + 1 } else { 0 };
            pongs.extend(unmasked(PONG, b"?").repeat(count));
        }
        let (mut chunks, mut rest) = (vec![], &stream[..]);
        for size in sizes.into_iter().cycle() {
            let (chunk, after) = rest.split_at(size.min(rest.len()));
            chunks.push(chunk);
            rest = after;
            if rest.is_empty() { break }
        }
        let expected = Heard { seen: messages.iter().map(Message::words).collect(), answered: pongs };
        prop_assert!(hear(&mut WebSocket::server(), [&stream[..]]) == expected, "in one piece");
        prop_assert!(hear(&mut WebSocket::server(), chunks) == expected, "in chunks");
        prop_assert!(hear(&mut WebSocket::server(), stream.chunks(1)) == expected, "byte by byte");
    }

    #[test]
    fn rubbish_is_heard_the_same_however_it_is_split(
        mut stream in prop::collection::vec(any::<u8>(), 0..200),
        first in prop::sample::select(vec![TEXT, BINARY, TEXT_BEGINS, PING, CLOSE]),
        split in any::<prop::sample::Index>(),
    ) {
        // a beginning that is likely to be taken, so that what follows is looked at
        stream.splice(0..0, [first, 0x80 | 3]);
        let make = || WebSocket::server().limit(1000);
        let heard = hear(&mut make(), [&stream[..]]);
        prop_assert_eq!(&hear(&mut make(), stream.chunks(1)), &heard);
        let (head, tail) = stream.split_at(split.index(stream.len()));
        prop_assert_eq!(&hear(&mut make(), [head, tail]), &heard);
    }
}
