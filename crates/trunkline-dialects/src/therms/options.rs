//! [`Therms`]: the language, and the settings of those who speak it.

use super::{hear::Hearing, say::Saying};
use std::{fmt, sync::Arc};
use trunkline_core::{Dialect, Language, Limits, Speaker};

/// The most bytes of a body over HTTP, as the reference server has it.
const MAX_BODY: usize = 1 << 20;

/// The dialect of @therms/rpc-server as a [`Language`].
///
/// ```
/// use trunkline_dialects::therms::Therms;
///
/// let therms = Therms::default()
///     .client_messages("chat.said")
///     .identity_changes("chat.introduced");
/// ```
#[derive(Clone)]
pub struct Therms {
    pub(super) client_messages: Option<Arc<str>>,
    pub(super) identity_changes: Option<Arc<str>>,
    pub(super) authenticating: bool,
    max_body: usize,
}

impl Default for Therms {
    fn default() -> Self {
        Self { client_messages: None, identity_changes: None, authenticating: false, max_body: MAX_BODY }
    }
}

impl Therms {
    /// Hands what clients send as `clientMessage` to this procedure, as its arguments.
    /// Clients can call it too, unless it is [internal](trunkline_core::Registration::internal).
    /// Default: it is passed over. To answer, the handler takes a `Peer`, and notifies it
    /// of a [`SERVER_MESSAGE`](super::SERVER_MESSAGE).
    #[must_use]
    pub fn client_messages(mut self, procedure: &str) -> Self {
        self.client_messages = Some(procedure.into());
        self
    }

    /// Tells this procedure when the client of a WebSocket says for the first time who it
    /// is, or says something else than before; it may be
    /// [internal](trunkline_core::Registration::internal). It has no arguments: the handler takes a
    /// [`Request`](super::Request). Default: nobody is told.
    #[must_use]
    pub fn identity_changes(mut self, procedure: &str) -> Self {
        self.identity_changes = Some(procedure.into());
        self
    }

    /// Shows what clients give as the `authorization` of their identity to the
    /// [`Security`](trunkline_core::Security), as the one string that the credentials
    /// consist of: [`Credentials::bearer`](trunkline_core::Credentials::bearer) has it.
    ///
    /// Who fails to authenticate is nobody, and may do what everybody may. Servers that
    /// have a security turn this on by themselves.
    #[must_use]
    pub fn authenticating(mut self) -> Self {
        self.authenticating = true;
        self
    }

    /// Takes bodies over HTTP of so many bytes, where the limit `max_message` is not
    /// less. Default 1 MiB, as the reference server has it.
    #[must_use]
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// The most bytes of a body over HTTP.
    #[must_use]
    pub fn body_limit(&self) -> usize {
        self.max_body
    }
}

impl Language for Therms {
    fn converse(&self, limits: &Limits) -> (Box<dyn Dialect>, Box<dyn Speaker>) {
        (Box::new(Hearing::two_way(self.clone(), limits)), Box::new(Saying))
    }

    fn exchange(&self, limits: &Limits) -> Box<dyn Dialect> {
        Box::new(Hearing::one_way(self.clone(), limits))
    }

    fn name(&self) -> &'static str {
        "therms"
    }
}

impl fmt::Debug for Therms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Therms")
            .field("client_messages", &self.client_messages)
            .field("identity_changes", &self.identity_changes)
            .finish_non_exhaustive()
    }
}
