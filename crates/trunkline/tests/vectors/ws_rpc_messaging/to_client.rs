//! Messages to somebody whose call is pending.

use super::vectors;
use crate::{
    compare,
    contact::{Contact, documents},
    load::text,
    session::{compare_all, read},
    tally::Tally,
    wire::Wire,
};
use serde_json::{Value, value::RawValue};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinHandle;
use trunkline::{Connection, Fault, FaultKind, JsonRpc, Link, Peer, RawArgs, Router, Service, open};
use trunkline_net::ws::WebSocket;

const OUR_REQUEST: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ask"}"#;

/// What a message does to the one who gets it while a call of his is pending.
enum Effect {
    /// The call succeeds.
    Result(&'static str),
    /// The call fails with an error of the far side.
    Error(i64, &'static str),
    /// The call fails, as the response made no sense.
    Malformed,
    /// The call stays pending, and this many responses were for nobody.
    Pending { unmatched: u64 },
    /// The call stays pending, and this is replied.
    Replies(&'static str),
    /// The call stays pending, and `tick` has run.
    Ticks,
}

use Effect::{Error, Malformed, Pending, Replies, Result as Success, Ticks};

/// Each message to a client, and what it does. Where ws-rpc-messaging leaves a
/// call pending for ever, it is answered or fails here (`docs/jsonrpc.md`).
const TO_CLIENT: &[(&str, Effect)] = &[
    ("to client: result", Success("6")),
    ("to client: result zero", Success("0")),
    ("to client: result false", Success("false")),
    ("to client: result empty string", Success("\"\"")),
    ("to client: result null", Success("null")),
    ("to client: result empty object", Success("{}")),
    ("to client: result empty array", Success("[]")),
    ("to client: result true", Success("true")),
    // no response, and no request either
    (
        "to client: neither result nor error",
        Replies(r#"{"id":1,"error":{"code":-32600,"message":"Invalid Request"}}"#),
    ),
    ("to client: error", Error(-32601, "Method not found")),
    ("to client: error with data", Error(1, "m")),
    ("to client: error a string", Malformed),
    ("to client: error null", Malformed),
    ("to client: result and error", Malformed),
    ("to client: in a batch", Success("6")),
    // the second response is for nobody
    ("to client: twice", Success("6")),
    ("to client: unknown id", Pending { unmatched: 1 }),
    // a complaint that cannot be matched to a call
    ("to client: id null", Pending { unmatched: 0 }),
    ("to client: no version", Malformed),
    ("to client: broken JSON", Replies(r#"{"id":null,"error":{"code":-32700,"message":"Parse error"}}"#)),
    ("to client: server request", Replies(r#"{"id":"s1","result":"pong"}"#)),
    // ids of theirs have nothing to do with ids of ours
    ("to client: server request, id 1", Replies(r#"{"id":1,"result":"pong"}"#)),
    ("to client: server request, id 0", Replies(r#"{"id":0,"result":"pong"}"#)),
    ("to client: server notification", Ticks),
];

/// Somebody who has dialled and waits for the answer to a call.
struct Calling {
    contact: Contact,
    peer: Peer,
    call: JoinHandle<Result<Box<RawValue>, Fault>>,
    ticks: Arc<AtomicUsize>,
}

impl Calling {
    /// The far end has heard the request; the caller has ids of its own, so
    /// `"ID"` in a message is the number that it gave.
    async fn begin() -> Result<Self, String> {
        let ticks: Arc<AtomicUsize> = Arc::default();
        let ticking = ticks.clone();
        let router = Router::new().procedure("hello", async |RawArgs(_): RawArgs| "pong").procedure(
            "tick",
            move |RawArgs(_): RawArgs| {
                ticking.fetch_add(1, Ordering::Relaxed);
                async {}
            },
        );
        let (here, there) = tokio::io::duplex(64 << 10);
        // the masking of a client is for its own tests; what it understands is the same
        let link = Link::new(here, WebSocket::server(), Connection::new("in process", "jsonrpc"));
        let (peer, driver) = open(link, &Service::new(router, JsonRpc::default()), Duration::from_secs(3600));
        tokio::spawn(driver);
        let mut contact = Contact::new(there, Wire::WebSocket);
        let caller = peer.clone();
        let call = tokio::spawn(async move { caller.call("ask", ()).await });
        let request = contact.document().await?;
        compare_all(&[request], &[read(OUR_REQUEST)])?;
        Ok(Self { contact, peer, call, ticks })
    }

    async fn hear(mut self, vector: &Value, effect: &Effect) -> Result<(), String> {
        let heard = text(&vector["message"], "text").replace("\"ID\"", "1");
        self.contact.raw(&Wire::WebSocket.wrap(heard.as_bytes())).await?;
        let (arrivals, ended) = self.contact.until_quiet().await;
        let replies = documents(arrivals)?;
        if ended {
            return Err("the connection ended".to_owned());
        }
        match effect {
            Replies(reply) => compare::set(&[read(reply)], replies)?,
            _ => compare::set(&[], replies)?,
        }
        let ticks = self.ticks.load(Ordering::Relaxed);
        if ticks != usize::from(matches!(effect, Ticks)) {
            return Err(format!("`tick` ran {ticks} times"));
        }
        let unmatched = match effect {
            Pending { unmatched } => *unmatched,
            _ => u64::from(text(vector, "name") == "to client: twice"),
        };
        if self.peer.unmatched_replies() != unmatched {
            return Err(format!(
                "{} responses for nobody, expected {unmatched}",
                self.peer.unmatched_replies()
            ));
        }
        if let Pending { .. } | Replies(_) | Ticks = effect {
            if self.call.is_finished() {
                return Err(format!("the call ended: {:?}", self.call.await));
            }
            self.contact.raw(&Wire::WebSocket.wrap(br#"{"jsonrpc":"2.0","id":1,"result":"late"}"#)).await?;
            self.contact.settle().await;
        }
        if !self.call.is_finished() {
            return Err("the call is still pending".to_owned());
        }
        let outcome = self.call.await.map_err(|error| error.to_string())?;
        let fits = match (effect, &outcome) {
            (Success(result), Ok(got)) => got.get() == *result,
            (Error(code, message), Err(fault)) => fault.code() == Some(*code) && fault.message() == *message,
            (Malformed, Err(fault)) => fault.kind() == FaultKind::InvalidReply,
            (Pending { .. } | Replies(_) | Ticks, Ok(got)) => got.get() == "\"late\"",
            _ => false,
        };
        if fits { Ok(()) } else { Err(format!("the call ended with {outcome:?}")) }
    }
}

#[tokio::test(start_paused = true)]
async fn messages_to_a_client() {
    let vectors = vectors("client", 24);
    let mut tally = Tally::default();
    for (vector, (name, effect)) in vectors.iter().zip(TO_CLIENT) {
        assert_eq!(text(vector, "name"), *name);
        let outcome = match Calling::begin().await {
            Ok(calling) => calling.hear(vector, effect).await,
            Err(why) => Err(why),
        };
        tally.record(name, outcome);
    }
    tally.assert(24);
}
