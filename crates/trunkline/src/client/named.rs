//! [`NamedPeer`]: another client of the same server, by its name.

use super::{Calling, Client, Streaming};
use crate::{Calls, Fault, Format, OwnedPayload, Payload, Subscription};
use serde::{Serialize, Serializer, de::DeserializeOwned, ser::Error};
use std::{fmt, sync::Arc, time::Duration};
use trunkline_core::relay::{CALL, NOTIFY, Relayed, SUBSCRIBE};

/// Another client of the same server, by the name that it has there; made by
/// [`Client::peer`]. Cheap to clone.
///
/// What is called is what that client [serves to peers](super::Builder::for_peers).
/// Calls go by way of the server, which tells the peer who calls. A typed client of
/// `#[trunkline::service]` can be made of it, as of a [`Client`].
#[derive(Clone)]
pub struct NamedPeer {
    client: Client,
    name: Arc<str>,
}

impl NamedPeer {
    pub(super) fn new(client: Client, name: Arc<str>) -> Self {
        Self { client, name }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Calls a procedure of the peer, as [`Client::call`] does one of the server.
    ///
    /// # Errors
    ///
    /// The future fails with the fault that the peer answered, and as any call does;
    /// besides, with [`FaultKind::Unavailable`](crate::FaultKind::Unavailable) if
    /// nobody has the name, or the peer disconnects or has too much to do: the
    /// [name](Fault::name) of the fault tells which.
    pub fn call<'a, T: DeserializeOwned + Send + 'static>(
        &'a self,
        procedure: &'a str,
        args: impl Serialize + 'a,
    ) -> Calling<'a, T, impl Serialize + 'a> {
        self.client.call(CALL, self.relayed(procedure, args))
    }

    /// Tells the peer something that needs no answer. Returns once the server has
    /// passed it on.
    ///
    /// # Errors
    ///
    /// Fails as [`call`](Self::call) does, but for what the peer makes of it.
    pub async fn notify(&self, procedure: &str, args: impl Serialize) -> Result<(), Fault> {
        self.client.call(NOTIFY, self.relayed(procedure, args)).await
    }

    /// Calls a procedure of the peer that gives a stream, as [`Client::stream`] does
    /// one of the server.
    ///
    /// # Errors
    ///
    /// The future fails as that of [`call`](Self::call) does, and so may the stream.
    pub fn stream<'a, T: DeserializeOwned + Send + 'static>(
        &'a self,
        procedure: &'a str,
        args: impl Serialize + 'a,
    ) -> Streaming<'a, T, impl Serialize + 'a> {
        self.client.stream(SUBSCRIBE, self.relayed(procedure, args))
    }

    fn relayed<'a, A: Serialize + 'a>(&'a self, method: &'a str, args: A) -> impl Serialize + 'a {
        ToPeer { peer: &self.name, method, args }
    }
}

/// [`Relayed`], of arguments that are encoded when it is.
struct ToPeer<'a, A> {
    peer: &'a str,
    method: &'a str,
    args: A,
}

impl<A: Serialize> Serialize for ToPeer<'_, A> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let args = OwnedPayload::encode(&self.args, Format::Json).map_err(S::Error::custom)?;
        let params = match args.borrow() {
            Payload::Json("null") => None,
            Payload::Json(text) if text.starts_with(['[', '{']) => Some(args),
            // one argument is a list of one, as it is at the top of a message
            _ => Some(OwnedPayload::encode(&[args], Format::Json).map_err(S::Error::custom)?),
        };
        let (peer, method) = (self.peer.to_owned(), self.method.to_owned());
        Relayed { peer, method, params, from: None }.serialize(serializer)
    }
}

impl Calls for NamedPeer {
    type Stream<T: DeserializeOwned + Send + 'static> = Subscription<T>;

    async fn call<T: DeserializeOwned + Send + 'static>(
        &self,
        procedure: &str,
        args: impl Serialize + Send + Sync,
        timeout: Option<Duration>,
    ) -> Result<T, Fault> {
        self.client.call(CALL, self.relayed(procedure, args)).timeout(timeout).await
    }

    async fn notify(&self, procedure: &str, args: impl Serialize + Send + Sync) -> Result<(), Fault> {
        Self::notify(self, procedure, args).await
    }

    async fn stream<T: DeserializeOwned + Send + 'static>(
        &self,
        procedure: &str,
        args: impl Serialize + Send + Sync,
        timeout: Option<Duration>,
    ) -> Result<Subscription<T>, Fault> {
        self.client.stream(SUBSCRIBE, self.relayed(procedure, args)).timeout(timeout).await
    }
}

impl fmt::Debug for NamedPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NamedPeer").field("name", &self.name).finish_non_exhaustive()
    }
}
