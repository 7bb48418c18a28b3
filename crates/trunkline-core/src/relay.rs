//! Peers by name: what is said when one far end of a server calls another.
//!
//! A server that [relays](crate::Security::may_send_to_peer) keeps a table of names,
//! and passes on what is sent to one of them. The procedures below are the words for
//! that; the same words go from a caller to the server and from the server to the
//! peer that is called, which is told besides [from whom](CallingPeer) they come.
//! Dialects that have other words for them say these to the engine.

use crate::{
    call::Call,
    extract::Extract,
    fault::{Fault, FaultKind},
    payload::OwnedPayload,
};
use serde::{Deserialize, Serialize};

/// By which a far end takes a name: takes a [`Name`], gives nothing.
pub const REGISTER: &str = "rpc.peer.register";
/// By which it gives the name back: takes a [`Name`], gives whether it had it.
pub const UNREGISTER: &str = "rpc.peer.unregister";
/// Calls a procedure of a peer: takes a [`Relayed`], gives what the procedure does.
pub const CALL: &str = "rpc.peer.call";
/// Notifies a peer: takes a [`Relayed`], gives nothing as soon as it is passed on.
pub const NOTIFY: &str = "rpc.peer.notify";
/// Opens the stream of a peer's procedure: takes a [`Relayed`], gives the stream.
pub const SUBSCRIBE: &str = "rpc.peer.subscribe";

/// Bytes of the longest name.
pub const LONGEST_NAME: usize = 128;

/// The name that a far end takes, or gives back.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "it is what is said, and more would not be understood")]
pub struct Name {
    /// The name.
    pub name: String,
}

/// What is to be called, and at whom.
///
/// ```
/// # use trunkline_core::{Format, OwnedPayload, relay::Relayed};
/// let said = r#"{"peer":"alice","method":"whisper","params":["psst"]}"#;
/// let relayed: Relayed = OwnedPayload::Json(said.into()).decode()?;
/// assert_eq!((&*relayed.peer, &*relayed.method), ("alice", "whisper"));
/// assert_eq!(OwnedPayload::encode(&relayed, Format::Json).unwrap(), OwnedPayload::Json(said.into()));
/// # Ok::<(), trunkline_core::DecodeError>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "it is what is said, and more would not be understood")]
pub struct Relayed {
    /// The name of the peer that is called.
    pub peer: String,
    /// The procedure, among those that it serves to peers.
    pub method: String,
    /// Its arguments, still encoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub params: Option<OwnedPayload>,
    /// Who calls, as the server knows it. A server does not believe what it is told
    /// here: it says it itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<CallingPeer>,
}

/// The peer that a call comes from, which the server at the far end has passed on.
///
/// As an extractor it tells a handler who calls, and is the server's word for it: no
/// peer can say it of itself. A call that comes from the server itself has none, and
/// fails. Whoever takes both looks at the [context](crate::Context::extensions).
///
/// ```
/// # use trunkline_core::{Router, relay::CallingPeer};
/// let for_peers = Router::new().procedure("whisper", async |from: CallingPeer, text: String| {
///     format!("{} says {text}", from.name.as_deref().unwrap_or("somebody"))
/// });
/// ```
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CallingPeer {
    /// The first of the names that it is registered under, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who the server knows it to be, if it does: the subject of its identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}

impl CallingPeer {
    /// A peer that is registered under `name` and known as `subject`.
    #[must_use]
    pub fn new(name: Option<String>, subject: Option<String>) -> Self {
        Self { name, subject }
    }
}

impl Extract for CallingPeer {
    fn extract(call: &Call<'_>) -> Result<Self, Fault> {
        let from = call.context.extensions().get::<Self>().cloned();
        from.ok_or_else(|| Fault::from("only peers may call this, by way of the server"))
    }
}

/// Whether a far end may be called so: 1 to [`LONGEST_NAME`] bytes, and no control
/// characters.
///
/// # Errors
///
/// Fails with what whoever says such a name is told; the name is not repeated.
pub fn check_name(name: &str) -> Result<(), Fault> {
    if (1..=LONGEST_NAME).contains(&name.len()) && !name.contains(char::is_control) {
        return Ok(());
    }
    Err(Fault::new(FaultKind::InvalidArgs, "Invalid params")
        .with_data(format!("the name of a peer has 1 to {LONGEST_NAME} bytes and no control characters")))
}

/// What is said where nobody has a name: the fault `UnknownPeer`.
#[must_use]
pub fn unknown_peer(peer: &str) -> Fault {
    about("UnknownPeer", peer, format!("no peer is registered as `{peer}`"))
}

/// What is said where somebody else has a name: the fault `NameTaken`.
#[must_use]
pub fn name_taken(peer: &str) -> Fault {
    about("NameTaken", peer, format!("another peer is registered as `{peer}`"))
}

/// What is said of a call whose answer cannot come any more: the fault `PeerGone`.
#[must_use]
pub fn peer_gone(peer: &str) -> Fault {
    let message = format!("the peer `{peer}` has disconnected: whether the procedure ran is not known");
    about("PeerGone", peer, message)
}

/// What is said where a peer has as much to do as it may have: the fault `PeerBusy`.
#[must_use]
pub fn peer_busy(peer: &str) -> Fault {
    about("PeerBusy", peer, format!("the peer `{peer}` is busy, try again later"))
}

fn about(name: &str, peer: &str, message: String) -> Fault {
    #[derive(Serialize)]
    struct Who<'a> {
        peer: &'a str,
    }
    Fault::new(FaultKind::Unavailable, message).with_name(name, Who { peer })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::{Format, Payload};

    #[test]
    fn names_are_short_and_printable() {
        let longest = "x".repeat(LONGEST_NAME);
        for name in ["a", "alice", "ünïcödé", "with space", &longest] {
            assert_eq!(check_name(name), Ok(()));
        }
        let too_long = "x".repeat(LONGEST_NAME + 1);
        for name in ["", "a\nb", "\0", "\u{7f}", "\u{9b}31m", &too_long] {
            let fault = check_name(name).unwrap_err();
            assert_eq!(fault.kind(), FaultKind::InvalidArgs);
            assert!(name.is_empty() || !fault.data::<String>().unwrap().contains(name));
        }
    }

    #[test]
    fn what_is_relayed_is_said_by_name_or_by_position() {
        let by_position = Payload::Json(r#"["alice","whisper",{ "a":1.0 }]"#).decode::<Relayed>().unwrap();
        assert_eq!(by_position.params, Some(OwnedPayload::Json(r#"{ "a":1.0 }"#.into())));
        let bare = Payload::Json(r#"["alice","whisper"]"#).decode::<Relayed>().unwrap();
        let null = r#"{"method":"whisper","peer":"alice","params":null}"#;
        assert_eq!(Payload::Json(null).decode::<Relayed>().unwrap(), bare);
        let written = OwnedPayload::encode(&bare, Format::Json).unwrap();
        assert_eq!(written.borrow(), Payload::Json(r#"{"peer":"alice","method":"whisper"}"#));
    }
}
