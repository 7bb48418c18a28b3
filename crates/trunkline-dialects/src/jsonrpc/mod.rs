//! JSON-RPC 2.0.
//!
//! A library of messages that needs no runtime: [`read`] takes a text apart
//! without copying it, [`Request`], [`Notification`], [`Success`] and
//! [`Failure`] are built from values and write themselves, [`write`](mod@write) appends
//! pieces of messages to a buffer.
//!
//! ```
//! use trunkline_dialects::jsonrpc::{Message, Request, Success};
//!
//! let sent = Request::new(1, "subtract", &(42, 23))?.to_string();
//!
//! let Message::Request(request) = Message::parse(&sent)? else { panic!("not a request") };
//! let (minuend, subtrahend): (i64, i64) = request.params.unwrap().decode()?;
//! let reply = Success::new(request.id, &(minuend - subtrahend))?;
//! assert_eq!(reply.to_string(), r#"{"jsonrpc":"2.0","id":1,"result":19}"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod batch;
mod decimal;
mod envelope;
mod error;
mod id;
mod invalid;
mod members;
mod message;
mod not_json;
mod params;
mod raw;
mod read;
mod rules;
mod scan;
mod string;
mod unwritable;
pub mod write;

pub use batch::Batch;
pub use error::{ErrorObject, code};
pub use id::Id;
pub use invalid::{Invalid, InvalidReason};
pub use message::{Failure, Message, Notification, Request, Success};
pub use not_json::{NotJson, NotJsonReason};
pub use params::Params;
pub use raw::RawJson;
pub use read::{Document, Item, read, read_bytes};
pub use rules::{NullId, Rules};
pub use unwritable::Unwritable;

#[cfg(feature = "dialect")]
mod about;
#[cfg(feature = "dialect")]
mod cancel;
#[cfg(feature = "dialect")]
mod falsy;
#[cfg(feature = "dialect")]
mod fault;
#[cfg(feature = "dialect")]
mod feed;
#[cfg(feature = "dialect")]
mod glimpse;
#[cfg(feature = "dialect")]
mod hear;
#[cfg(feature = "dialect")]
mod openrpc;
#[cfg(feature = "dialect")]
mod options;
#[cfg(feature = "dialect")]
mod replies;
#[cfg(feature = "dialect")]
mod say;
#[cfg(feature = "dialect")]
mod shape;
#[cfg(feature = "dialect")]
mod stream;
#[cfg(feature = "dialect")]
mod together;

#[cfg(feature = "dialect")]
pub(crate) use glimpse::first_of;
#[cfg(feature = "dialect")]
pub(crate) use members::each as each_member;
#[cfg(feature = "dialect")]
pub use options::JsonRpc;
#[cfg(feature = "dialect")]
pub(crate) use scan::is_json;

#[cfg(test)]
mod tests;
