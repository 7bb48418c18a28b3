//! [`Requests`]: calls encoded before the clock starts, so that sending them costs the generator a copy at most.

use anyhow::{Result, bail};

/// How many different ids go round; more than any window, so no two calls in flight share one.
const IDS: usize = 8_192;

/// The params of `add`.
pub const ADD: &str = r#"{"a":1,"b":2}"#;

/// What is spoken to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// One JSON-RPC message a line.
    Lines,
    /// One JSON-RPC message a WebSocket text frame.
    WebSocket,
    /// One JSON-RPC message an HTTP/1.1 POST.
    Http,
}

impl std::str::FromStr for Wire {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self> {
        Ok(match name {
            "tcp" => Self::Lines,
            "ws" => Self::WebSocket,
            "http" => Self::Http,
            _ => bail!("`{name}` is none of tcp, ws, http"),
        })
    }
}

/// A ring of encoded calls, all of one length.
#[derive(Debug)]
pub struct Requests {
    bytes: Vec<u8>,
    each: usize,
}

impl Requests {
    /// Encodes calls of `method` with `params`, to be sent at most `window` at a time.
    #[must_use]
    pub fn encode(wire: Wire, method: &str, params: &str, window: usize) -> Self {
        Self::of(wire, window, |id| {
            format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#)
        })
    }

    /// The same for clients of @therms: `procedure` of `scope`.
    #[must_use]
    pub fn therms(wire: Wire, scope: &str, procedure: &str, args: &str, window: usize) -> Self {
        Self::of(wire, window, |id| therms(scope, procedure, args, id))
    }

    fn of(wire: Wire, window: usize, call: impl Fn(usize) -> String) -> Self {
        let mut bytes = Vec::new();
        // The first `window` calls stand at the end once more: a slice never wraps.
        for n in (0..IDS).chain(0..window) {
            let id = 10_000 + n;
            let call = call(id);
            match wire {
                Wire::Lines => bytes.extend(call.bytes().chain([b'\n'])),
                Wire::WebSocket => push_frame(&mut bytes, call.as_bytes(), id),
                Wire::Http => bytes.extend(
                    format!(
                        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                         content-length: {}\r\n\r\n{call}",
                        call.len()
                    )
                    .bytes(),
                ),
            }
        }
        Self { each: bytes.len() / (IDS + window), bytes }
    }

    /// The next `count` calls after the first `sent`; `count` is at most the window.
    #[must_use]
    pub fn batch(&self, sent: u64, count: usize) -> &[u8] {
        let first = usize::try_from(sent % IDS as u64).unwrap_or(0) * self.each;
        &self.bytes[first..first + count * self.each]
    }

    /// The bytes of one call.
    #[must_use]
    pub const fn each(&self) -> usize {
        self.each
    }
}

/// One call of a client of @therms.
#[must_use]
pub fn therms(scope: &str, procedure: &str, args: &str, id: usize) -> String {
    format!(r#"{{"correlationId":"{id}","scope":"{scope}","procedure":"{procedure}","args":{args}}}"#)
}

/// A masked text frame; the mask comes from `seed`, so that frames differ as they would in life.
pub fn push_frame(out: &mut Vec<u8>, text: &[u8], seed: usize) {
    let mask = u32::try_from(seed).unwrap_or(0).wrapping_mul(0x9E37_79B9).to_be_bytes();
    out.push(0x81);
    match u8::try_from(text.len()) {
        Ok(short @ ..126) => out.push(0x80 | short),
        _ => {
            out.push(0x80 | 126);
            out.extend(u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
        }
    }
    out.extend(mask);
    out.extend(text.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_follow_one_another_round_the_ring() {
        let requests = Requests::encode(Wire::Lines, "add", ADD, 64);
        let first = r#"{"jsonrpc":"2.0","id":10000,"method":"add","params":{"a":1,"b":2}}"#;
        assert_eq!(requests.batch(0, 1), format!("{first}\n").as_bytes());
        assert_eq!(requests.batch(IDS as u64, 64), requests.batch(0, 64));
        let ends = requests.batch(IDS as u64 - 1, 2);
        assert!(ends.ends_with(format!("{first}\n").as_bytes()));
        assert!(String::from_utf8_lossy(ends).contains("18191"));
    }

    #[test]
    fn a_frame_is_masked_text() {
        let requests = Requests::encode(Wire::WebSocket, "add", ADD, 1);
        let frame = requests.batch(0, 1);
        assert_eq!((frame[0], frame[1] & 0x80), (0x81, 0x80));
        assert_eq!(usize::from(frame[1] & 0x7f) + 6, frame.len());
        assert_eq!(frame[6] ^ frame[2], b'{');
    }
}
