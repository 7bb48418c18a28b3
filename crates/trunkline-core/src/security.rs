//! [`Security`]: who callers are, what they may do, and what they are told.

use crate::{
    call::Call,
    context::{Connection, Context},
    fault::{Fault, FaultKind},
    identity::Identity,
    payload::OwnedPayload,
    registration::Details,
};
use http::{Extensions, HeaderMap, header::AUTHORIZATION};
use serde::{Deserialize, de::DeserializeOwned};
use std::{borrow::Cow, error::Error, pin::Pin, sync::Arc};

/// The procedure by which a caller says on a live connection who it is. Dialects
/// that have another word for it say this one to the engine.
pub const AUTHENTICATE: &str = "rpc.authenticate";

/// What becomes of credentials, some time later.
pub type Authenticating<'a> = Pin<Box<dyn Future<Output = Result<Identity, Fault>> + Send + 'a>>;

/// Who callers are, what they may do, and what they are told.
///
/// Every method has a default: strangers stay strangers, all may call all that is
/// not internal, and hear of a fault what it says in public. A service without
/// security works the same, and does not pay for it; but where peers are called by
/// name, who has a security has to say who may do that.
///
/// ```
/// # use trunkline_core::{Call, Connection, Details, Fault, FaultKind, Identity, Security};
/// # use trunkline_core::security::{Authenticating, Credentials, unauthenticated};
/// struct Passwords;
///
/// impl Security for Passwords {
///     fn authenticate<'a>(&'a self, credentials: Credentials<'a>, _: &'a Connection) -> Authenticating<'a> {
///         Box::pin(async move {
///             match credentials.bearer().as_deref() {
///                 None => Ok(Identity::anonymous()),
///                 Some("lovelace") => Ok(Identity::new("ada").with_group("admin")),
///                 Some(_) => Err(unauthenticated("the token is not known")),
///             }
///         })
///     }
///
///     fn authorize(&self, call: &Call<'_>, procedure: &Details) -> Result<(), Fault> {
///         let identity = call.context.identity();
///         match procedure.groups.iter().all(|group| identity.is_in(group)) {
///             true => Ok(()),
///             false => Err(Fault::new(FaultKind::Forbidden, "not for you")),
///         }
///     }
/// }
/// ```
pub trait Security: Send + Sync + 'static {
    /// Who shows these credentials.
    ///
    /// Asked for every HTTP request, whatever its headers, and so also for the one
    /// that asks for a WebSocket; and whenever somebody calls [`AUTHENTICATE`] on a
    /// live connection. What comes over a connection meanwhile waits, for as long as
    /// the limit `call_timeout`. Dropping the future gives it up.
    ///
    /// Default: an HTTP request is a stranger's, and nobody can authenticate.
    ///
    /// # Errors
    ///
    /// Fails with what the caller is told, which is best
    /// [`unauthenticated`]: the request is refused with status 401, and the
    /// connection is a stranger's, whoever was at its far end before.
    fn authenticate<'a>(&'a self, credentials: Credentials<'a>, _on: &'a Connection) -> Authenticating<'a> {
        let identity = match credentials {
            Credentials::Request { .. } => Ok(Identity::anonymous()),
            Credentials::Message(_) => Err(unauthenticated("nobody can authenticate here")),
        };
        Box::pin(std::future::ready(identity))
    }

    /// Whether a call may be made, of a procedure that there is. Its arguments have
    /// not been decoded. Each item of a batch is a call, and so is the opening of a
    /// stream. It runs on the task of the connection, so it must be quick.
    ///
    /// Default: all may call all.
    ///
    /// # Errors
    ///
    /// Fails with what the caller is told.
    fn authorize(&self, _call: &Call<'_>, _procedure: &Details) -> Result<(), Fault> {
        Ok(())
    }

    /// Whether the caller may be called by `name` from now on, where [peers are called
    /// by name](crate::relay). The name is one that there may be; it is asked before
    /// it is looked up whether it is free. It must be quick.
    ///
    /// Default: nobody may.
    ///
    /// # Errors
    ///
    /// Fails with what the caller is told.
    fn may_register_peer(&self, _name: &str, _caller: &Context) -> Result<(), Fault> {
        Err(Fault::new(FaultKind::Forbidden, "you may not register this name"))
    }

    /// Whether the caller may call, notify or listen to `procedure` of the peer with
    /// this name, which will be told the subject of the caller's identity. It is asked
    /// for each call, before it is looked up whether there is such a peer. It must be
    /// quick.
    ///
    /// Default: nobody may.
    ///
    /// # Errors
    ///
    /// Fails with what the caller is told.
    fn may_send_to_peer(&self, _name: &str, _procedure: &str, _caller: &Context) -> Result<(), Fault> {
        Err(Fault::new(FaultKind::Forbidden, "you may not call this peer"))
    }

    /// What a caller is told of a fault. Hooks and logs see it whole.
    ///
    /// Default: the fault as it stands, of which a [source](Fault::with_source) is
    /// never sent. For development there is [`Fault::with_sources_shown`].
    fn redact<'f>(&self, fault: &'f Fault, _caller: &Context) -> Cow<'f, Fault> {
        Cow::Borrowed(fault)
    }

    /// What a request that fails to authenticate is told to try: the value of
    /// `WWW-Authenticate` (RFC 9110, section 11.6.1). Default: `Bearer`.
    fn challenge(&self) -> &'static str {
        "Bearer"
    }
}

/// Shared with others, who may change what it goes by.
impl<S: Security + ?Sized> Security for Arc<S> {
    fn authenticate<'a>(&'a self, credentials: Credentials<'a>, on: &'a Connection) -> Authenticating<'a> {
        (**self).authenticate(credentials, on)
    }

    fn authorize(&self, call: &Call<'_>, procedure: &Details) -> Result<(), Fault> {
        (**self).authorize(call, procedure)
    }

    fn may_register_peer(&self, name: &str, caller: &Context) -> Result<(), Fault> {
        (**self).may_register_peer(name, caller)
    }

    fn may_send_to_peer(&self, name: &str, procedure: &str, caller: &Context) -> Result<(), Fault> {
        (**self).may_send_to_peer(name, procedure, caller)
    }

    fn redact<'f>(&self, fault: &'f Fault, caller: &Context) -> Cow<'f, Fault> {
        (**self).redact(fault, caller)
    }

    fn challenge(&self) -> &'static str {
        (**self).challenge()
    }
}

/// What somebody shows in order to be known.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Credentials<'a> {
    /// What came with an HTTP request, if anything did.
    Request {
        /// Its headers.
        headers: &'a HeaderMap,
        /// What the server around ours, if there is one, has put to it.
        extensions: &'a Extensions,
    },
    /// What was said on a live connection.
    Message(&'a OwnedPayload),
}

impl Credentials<'_> {
    /// A bearer token (RFC 6750): of the header `Authorization`, or as the member
    /// `token`, or the one string, that a message consists of.
    #[must_use]
    pub fn bearer(&self) -> Option<Cow<'_, str>> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Said {
            Named { token: String },
            Listed((String,)),
            Bare(String),
        }
        match self {
            Self::Request { headers, .. } => {
                let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
                let (scheme, token) = value.split_once(' ')?;
                scheme.eq_ignore_ascii_case("bearer").then(|| Cow::Borrowed(token.trim()))
            }
            Self::Message(_) => self.decode().map(|said| match said {
                Said::Named { token } | Said::Listed((token,)) | Said::Bare(token) => Cow::Owned(token),
            }),
        }
    }

    /// What was said on a live connection, decoded; `None` if it is of another
    /// shape, or came with an HTTP request.
    #[must_use]
    pub fn decode<T: DeserializeOwned>(&self) -> Option<T> {
        match self {
            Self::Request { .. } => None,
            Self::Message(said) => said.decode().ok(),
        }
    }

    /// Whether there are any: a request may have no header `Authorization`.
    #[must_use]
    pub fn are_given(&self) -> bool {
        match self {
            Self::Request { headers, .. } => headers.contains_key(AUTHORIZATION),
            Self::Message(_) => true,
        }
    }
}

/// What somebody is told who has not shown who it is, or not well enough.
#[must_use]
pub fn unauthenticated(why: impl Into<Cow<'static, str>>) -> Fault {
    Fault::new(FaultKind::Unauthenticated, why)
}

impl Fault {
    /// The same fault, its message followed by those of all its sources: for
    /// [`Security::redact`] while a program is being developed. They may name what
    /// strangers should not know.
    ///
    /// ```
    /// # use trunkline_core::Fault;
    /// let fault = Fault::internal("disk on fire").with_sources_shown();
    /// assert_eq!(fault.message(), "Internal error: disk on fire");
    /// ```
    #[must_use]
    pub fn with_sources_shown(&self) -> Self {
        let mut message = self.message().to_owned();
        let mut source = self.source();
        while let Some(error) = source {
            message = format!("{message}: {error}");
            source = error.source();
        }
        self.clone().with_message(message)
    }
}
