//! [`Trace`]: where in a distributed trace a call stands, as W3C has it.
//!
//! <https://www.w3.org/TR/trace-context/>: what is not spelled as it says there, and
//! what is too long, is as good as absent. So whatever a stranger sends, no more than
//! some 600 bytes are kept of it, without control characters.

use crate::payload::Payload;
use http::{HeaderMap, HeaderName};
use memchr::memmem;
use serde::Deserialize;
use std::{borrow::Cow, fmt, sync::Arc};

/// The name of what says in which trace a call is made, and by which of its spans: a
/// header, and a member of messages.
pub const TRACEPARENT: &str = "traceparent";

/// The name of what systems that take part in a trace tell each other besides.
pub const TRACESTATE: &str = "tracestate";

/// The most that has to be passed on of a trace state (section 3.3.1.5).
const LONGEST_STATE: usize = 512;

/// Where in a distributed trace a call stands: the trace, and the span that made it.
/// Cheap to clone.
///
/// ```
/// # use trunkline_core::trace::Trace;
/// let trace = Trace::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
/// assert!(trace.is_sampled());
/// assert_eq!(trace.to_string(), "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
/// assert_eq!(Trace::parse("00-nonsense"), None);
/// ```
#[derive(Clone, Eq, PartialEq)]
pub struct Trace(Arc<Place>);

#[derive(Clone, Eq, PartialEq)]
struct Place {
    trace: [u8; 16],
    span: [u8; 8],
    flags: u8,
    state: Box<str>,
}

impl Trace {
    /// A place in a trace; `None` if one of the ids is all zeros, which is none.
    #[must_use]
    pub fn new(trace_id: [u8; 16], span_id: [u8; 8], sampled: bool) -> Option<Self> {
        Self::of_parts(trace_id, span_id, u8::from(sampled))
    }

    /// The same with all of its [flags](Self::flags); those without a meaning are left out.
    #[must_use]
    pub fn of_parts(trace_id: [u8; 16], span_id: [u8; 8], flags: u8) -> Option<Self> {
        // sampled, and a trace id that is random
        let (flags, is_one) = (flags & 0b11, trace_id != [0; 16] && span_id != [0; 8]);
        is_one.then(|| Self(Arc::new(Place { trace: trace_id, span: span_id, flags, state: "".into() })))
    }

    /// Reads a `traceparent`; `None` if it is none. Of versions to come what this
    /// one knows is read (section 4.3).
    #[must_use]
    pub fn parse(traceparent: &str) -> Option<Self> {
        let bytes = traceparent.as_bytes();
        let (known, rest) = bytes.split_at_checked(55)?;
        let [version] = hex(&known[..2])?;
        let is_whole = match version {
            0 => rest.is_empty(),
            0xff => false,
            _ => rest.is_empty() || rest[0] == b'-',
        };
        if !is_whole || [known[2], known[35], known[52]] != *b"---" {
            return None;
        }
        let [flags] = hex(&known[53..])?;
        Self::of_parts(hex(&known[3..35])?, hex(&known[36..52])?, flags)
    }

    /// The same with a `tracestate`. One that is too long, or holds what no header
    /// may, is left out.
    #[must_use]
    pub fn with_state(mut self, tracestate: &str) -> Self {
        let state = tracestate.trim_ascii();
        if state.len() <= LONGEST_STATE && state.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            Arc::make_mut(&mut self.0).state = state.into();
        }
        self
    }

    /// What the headers of a request say.
    #[must_use]
    pub fn of_headers(headers: &HeaderMap) -> Option<Self> {
        const PARENT: HeaderName = HeaderName::from_static(TRACEPARENT);
        const STATE: HeaderName = HeaderName::from_static(TRACESTATE);
        let mut parents = headers.get_all(PARENT).iter();
        let trace = Self::parse(parents.next()?.to_str().ok()?)?;
        if parents.next().is_some() {
            // nobody knows which of them it is
            return None;
        }
        let mut state = String::new();
        for line in headers.get_all(STATE) {
            let Ok(line) = line.to_str() else { return Some(trace) };
            if state.len() + line.len() > LONGEST_STATE {
                return Some(trace);
            }
            if !state.is_empty() {
                state.push(',');
            }
            state.push_str(line);
        }
        Some(trace.with_state(&state))
    }

    /// What arguments say in the member `_meta`, which is where the Model Context
    /// Protocol puts it (SEP-414). They are read only if they have one.
    #[must_use]
    pub fn of_args(args: &Payload<'_>) -> Option<Self> {
        #[derive(Deserialize)]
        struct Args<'a> {
            #[serde(borrow, rename = "_meta")]
            meta: Option<Meta<'a>>,
        }
        #[derive(Deserialize)]
        struct Meta<'a> {
            #[serde(borrow)]
            traceparent: Option<Cow<'a, str>>,
            #[serde(borrow)]
            tracestate: Option<Cow<'a, str>>,
        }
        let Payload::Json(text) = args;
        if !text.starts_with('{') || memmem::find(text.as_bytes(), b"\"_meta\"").is_none() {
            return None;
        }
        let meta = args.decode::<Args<'_>>().ok()?.meta?;
        let trace = Self::parse(&meta.traceparent?)?;
        Some(match meta.tracestate {
            Some(state) => trace.with_state(&state),
            None => trace,
        })
    }

    /// Which trace.
    #[must_use]
    pub fn trace_id(&self) -> [u8; 16] {
        self.0.trace
    }

    /// Which span of it made the call.
    #[must_use]
    pub fn span_id(&self) -> [u8; 8] {
        self.0.span
    }

    /// The flags, of which two have a meaning: 1, it is recorded; 2, its id is random.
    #[must_use]
    pub fn flags(&self) -> u8 {
        self.0.flags
    }

    /// Whether whoever made the call records the trace.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.0.flags & 1 != 0
    }

    /// What systems that take part tell each other; may be empty.
    #[must_use]
    pub fn state(&self) -> &str {
        &self.0.state
    }
}

/// Lower-case digits, as they must be (section 3.2.2.2).
fn hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

/// As a `traceparent`.
impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { trace, span, flags, .. } = &*self.0;
        let (trace, span) = (u128::from_be_bytes(*trace), u64::from_be_bytes(*span));
        write!(f, "00-{trace:032x}-{span:016x}-{flags:02x}")
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trace({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn what_is_spelled_otherwise_is_none() {
        assert_eq!(Trace::parse(GOOD).unwrap().to_string(), GOOD);
        let later = format!("cc{}-what-comes", &GOOD[2..]);
        assert_eq!(Trace::parse(&later).unwrap().to_string(), GOOD);
        for bad in [
            "",
            "00",
            &GOOD.to_uppercase(),
            &GOOD[..54],
            &format!("{GOOD}-more"),
            &format!("{GOOD} "),
            &format!("ff{}", &GOOD[2..]),
            &GOOD.replace('-', "_"),
            &GOOD.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            &GOOD.replace("00f067aa0ba902b7", &"0".repeat(16)),
            &GOOD.replace("4bf9", "4b\n9"),
            &GOOD.replace("4bf", "4ü"),
            &"0".repeat(1 << 20),
        ] {
            assert_eq!(Trace::parse(bad), None, "{}", &bad[..bad.len().min(80)]);
        }
    }

    /// T41: whatever it is, it is bounded, and no line of a log is made by it.
    #[test]
    fn a_state_that_is_no_header_is_left_out() {
        let trace = Trace::parse(GOOD).unwrap();
        assert_eq!(trace.clone().with_state(" a=1,b=2 ").state(), "a=1,b=2");
        for bad in [&"x".repeat(513), "a=\n1", "a=\x1b[31m", "a=ü"] {
            assert_eq!(trace.clone().with_state(bad).state(), "");
        }
    }

    #[test]
    fn arguments_may_say_it() {
        let of = |text: &str| Trace::of_args(&Payload::Json(text)).map(|trace| trace.to_string());
        assert_eq!(
            of(&format!(r#"{{"a":1,"_meta":{{"traceparent":"{GOOD}","b":2}}}}"#)).as_deref(),
            Some(GOOD)
        );
        for none in [
            "{}",
            "[]",
            r#"{"_meta":7}"#,
            r#"{"_meta":{}}"#,
            r#"{"_meta":{"traceparent":7}}"#,
            r#"{"_meta":{"traceparent":"7"}}"#,
            &format!(r#"{{"a":{{"_meta":{{"traceparent":"{GOOD}"}}}}}}"#),
        ] {
            assert_eq!(of(none), None, "{none}");
        }
    }

    #[test]
    fn headers_say_it_once() {
        let mut headers = HeaderMap::new();
        assert_eq!(Trace::of_headers(&headers), None);
        headers.insert(TRACEPARENT, HeaderValue::from_static(GOOD));
        headers.append(TRACESTATE, HeaderValue::from_static("a=1"));
        headers.append(TRACESTATE, HeaderValue::from_static("b=2"));
        let trace = Trace::of_headers(&headers).unwrap();
        assert_eq!((trace.to_string().as_str(), trace.state()), (GOOD, "a=1,b=2"));
        headers.append(TRACESTATE, HeaderValue::from_str(&"x".repeat(1 << 20)).unwrap());
        assert_eq!(Trace::of_headers(&headers).unwrap().state(), "");
        headers.append(TRACEPARENT, HeaderValue::from_static(GOOD));
        assert_eq!(Trace::of_headers(&headers), None);
    }
}
