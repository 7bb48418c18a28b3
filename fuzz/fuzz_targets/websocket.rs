//! WebSocket, both ends, plain and carrying a stream: cut alike however the bytes
//! were split, bounded, what it answers can be understood, and what was cut can be
//! sent and cut again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use trunkline_core::{
    Outbox,
    framing::{Framing, Lines, Mux},
};
use trunkline_fuzz::{
    choices::{Choices, split},
    cutting::{Heard, Piece, cut},
};
use trunkline_net::ws::{Role, WebSocket};

const LIMITS: [usize; 4] = [1 << 20, 300, 8, 0];
/// The longest header, and the longest payload of a control frame.
const HEAD: usize = 14;
const CONTROL: usize = 125;
/// First bytes: whole messages, the frames of one in several, and control frames.
const FIRST: [u8; 11] = [0x81, 0x82, 0x01, 0x02, 0x00, 0x80, 0x89, 0x8a, 0x88, 0x08, 0xc1];

/// How a WebSocket is set up.
#[derive(Clone, Copy, Debug)]
struct Setup {
    limit: usize,
    binary: bool,
    /// What is carried, of three kinds, or nothing.
    carried: usize,
}

impl Setup {
    fn make(self, role: Role) -> WebSocket {
        let websocket = match role {
            Role::Server => WebSocket::server(),
            Role::Client => WebSocket::client(),
        };
        let websocket = websocket.limit(self.limit);
        let websocket = if self.binary { websocket.binary() } else { websocket };
        match self.carried {
            1 => websocket.carrying(Box::new(Lines::default().limit(self.limit))),
            2 => websocket.carrying(Box::new(Lines::default().limit(self.limit).only_newlines())),
            3 => websocket.carrying(Box::new(Mux::default().limit(self.limit).with_newline())),
            _ => websocket,
        }
    }

    fn hear<'p>(self, role: Role, pieces: impl IntoIterator<Item = &'p [u8]>) -> Heard {
        let heard = cut(&mut self.make(role), pieces, HEAD + self.limit.max(CONTROL));
        if self.carried > 0 { heard.trimmed() } else { heard }
    }
}

fuzz_target!(|input: &[u8]| {
    let (stream, mut choices) = split(input);
    let limit = LIMITS[choices.below(LIMITS.len())];
    let setup = Setup { limit, binary: choices.below(2) == 1, carried: choices.below(4) };
    for (role, far) in [(Role::Server, Role::Client), (Role::Client, Role::Server)] {
        for stream in [stream, &frames(stream, role, &mut choices.clone())] {
            let whole = setup.hear(role, [stream]);
            let pieces = setup.hear(role, choices.clone().pieces(stream));
            assert_eq!(whole.pieces, pieces.pieces, "in one piece and in several");
            assert_eq!(whole.answered.len(), pieces.answered.len());
            if role == Role::Server {
                // what a client sends is masked, differently each time
                assert_eq!(whole.answered, pieces.answered);
            }
            let plain = Setup { limit: CONTROL, binary: false, carried: 0 };
            let understood = plain.hear(far, [&whole.answered[..]]).pieces;
            assert!(matches!(understood[..], [Piece::End]), "{role:?} answered what makes {understood:?}");
            sent_again(&whole, setup, role, far);
        }
    }
});

/// What the far side hears of messages that are sent on.
fn sent_again(heard: &Heard, setup: Setup, role: Role, far: Role) {
    for binary in [false, true] {
        let setup = Setup { binary, limit: setup.limit + 1, ..setup };
        for channel in 0..2 {
            let bodies = heard.pieces.iter().filter_map(|piece| match piece {
                Piece::Frame { channel: on, text, body } => {
                    let fits = match setup.carried {
                        0 => *text != binary,
                        // the same may come as text, if it is
                        _ => binary || std::str::from_utf8(body).is_ok(),
                    };
                    (fits && *on == channel).then_some(&body[..])
                }
                _ => None,
            });
            let bodies: Vec<&[u8]> = bodies.collect();
            if setup.carried == 3 && !binary && bodies.iter().any(|body| body.len() > 0x7f) {
                // the length of a piece of the mux would not be text
                continue;
            }
            let mut out = Outbox::new(setup.make(role).marking());
            for body in &bodies {
                out.frame(channel, |into| into.extend_from_slice(body));
            }
            let again = setup.hear(far, [out.bytes()]);
            assert!(again.answered.is_empty());
            assert_eq!(again.bodies(channel).collect::<Vec<_>>(), bodies, "sent again");
            assert_eq!(again.pieces.len(), bodies.len() + 1, "{again:?}");
        }
    }
}

/// Frames of which the payloads stand between bytes 0xfe in `stream`.
fn frames(stream: &[u8], role: Role, choices: &mut Choices<'_>) -> Vec<u8> {
    let mut frames = Vec::new();
    for payload in stream.split(|&byte| byte == 0xfe) {
        frames.push(FIRST[choices.below(FIRST.len())]);
        let masked = if role == Role::Server { 0x80 } else { 0 };
        match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
            (Ok(len @ ..126), _) => frames.push(masked | len),
            (_, Ok(len)) => {
                frames.push(masked | 126);
                frames.extend_from_slice(&len.to_be_bytes());
            }
            _ => {
                frames.push(masked | 127);
                frames.extend_from_slice(&(payload.len() as u64).to_be_bytes());
            }
        }
        if masked == 0 {
            frames.extend_from_slice(payload);
            continue;
        }
        let key = [choices.byte(), choices.byte(), 0xa5, 0];
        frames.extend_from_slice(&key);
        frames.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    }
    frames
}
