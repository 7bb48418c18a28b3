//! [`DialError`]: why there is no connection.

use super::Address;
use std::{error::Error, io, time::Duration};
use trunkline_core::Fault;

/// Why there is no connection.
///
/// Its text says what was wrong, where, and what to do; its
/// [source](Error::source) says what the system or the far side had to say.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DialError {
    /// The address makes no sense.
    #[error("`{address}` is no address to connect to: {problem}")]
    Address {
        /// The address.
        address: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The program was built without what the address takes.
    #[error(
        "`{address}` cannot be reached by this program: it was built without the feature `{feature}` of trunkline"
    )]
    Feature {
        /// The address.
        address: Address,
        /// The feature it takes.
        feature: &'static str,
    },
    /// A header cannot be sent.
    #[error("the header `{name}` cannot be sent: {problem}")]
    Header {
        /// Its name.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The credentials cannot be sent.
    #[error("the credentials cannot be sent: {problem}")]
    Credentials {
        /// Why not.
        problem: String,
    },
    /// The credentials were sent, and the server does not accept them.
    #[error("the server does not accept the credentials")]
    Unauthenticated {
        /// What it said.
        source: Box<Fault>,
    },
    /// The server does not let this client have a name.
    #[error("the server does not let this client be called `{name}`")]
    Name {
        /// The name.
        name: String,
        /// What it said.
        source: Box<Fault>,
    },
    /// Nobody could be reached there.
    #[error("cannot connect to {address}: is a server listening there?")]
    Unreachable {
        /// The address.
        address: Address,
        /// What the system said.
        source: io::Error,
    },
    /// The far side was reached, but no agreement with it.
    #[error("cannot agree with {address} on a connection")]
    Handshake {
        /// The address.
        address: Address,
        /// What it said, or failed to say.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The program of a `stdio:` address could not be started.
    #[error("cannot start `{program}`: is it installed, and on the PATH?")]
    Program {
        /// The program.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// It took too long.
    #[error("no connection to {address} within {timeout:?}, the connect timeout")]
    Timeout {
        /// The address.
        address: Address,
        /// How long it was given.
        timeout: Duration,
    },
    /// The address is one that messages are posted to, so there is no connection to be had.
    #[error("{address} is for posting messages one by one: there is no connection to be had")]
    NoLink {
        /// The address.
        address: Address,
    },
}
