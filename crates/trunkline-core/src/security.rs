//! [`Security`]: who callers are, what they may do, and what they are told.

use crate::{
    call::Call,
    connection::Connection,
    context::Context,
    fault::{Fault, FaultKind},
    identity::Identity,
    payload::OwnedPayload,
    registration::Details,
};
use http::{Extensions, HeaderMap, header::AUTHORIZATION};
use serde::{Deserialize, de::DeserializeOwned};
use std::{borrow::Cow, fmt, pin::Pin, sync::Arc};

/// The procedure by which a caller says on a live connection who it is. Dialects
/// that have another word for it say this one to the engine.
pub const AUTHENTICATE: &str = "rpc.authenticate";

/// What becomes of credentials, some time later.
pub type Authenticating<'a> = Pin<Box<dyn Future<Output = Result<Identity, Fault>> + Send + 'a>>;

/// Who callers are, what they may do, and what they are told.
///
/// Every method has a default: strangers stay strangers, procedures that belong to
/// groups are for [those who are in one](by_group), and callers hear of a fault what
/// it says in public. A service without security knows nobody, lets all call all that
/// is not internal, and does not pay for it. Where peers are called by name,
/// who has a security has to say who may do that.
///
/// ```
/// # use trunkline_core::{Call, Connection, Details, Fault, FaultKind, Identity, Security};
/// # use trunkline_core::security::{Authenticating, Credentials, by_group, unauthenticated};
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
///         by_group(call, procedure)?;
///         match procedure.data.contains_key("local") && call.context.connection().transport() != "unix" {
///             true => Err(Fault::new(FaultKind::Forbidden, "only from this machine")),
///             false => Ok(()),
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
    /// A request with more than one header `Authorization` is refused unasked, since
    /// who reads only the first of them may be told apart from who reads the last.
    ///
    /// Default: an HTTP request is a stranger's, and nobody can authenticate.
    ///
    /// # Errors
    ///
    /// Fails with what the caller is told, which is best
    /// [`unauthenticated`]: the request is refused with status 401, and the
    /// connection is a stranger's, whoever was at its far end before. So does an
    /// identity that has [expired](Identity::until) already.
    fn authenticate<'a>(&'a self, credentials: Credentials<'a>, _on: &'a Connection) -> Authenticating<'a> {
        let identity = match credentials {
            Credentials::Request { .. } => Ok(Identity::anonymous()),
            Credentials::Message(_) => Err(nobody_can()),
        };
        Box::pin(std::future::ready(identity))
    }

    /// Whether it finds out who callers are. Then that holds in all of a network of servers,
    /// also of those who are nobody; what they say of themselves goes along, and nobody looks
    /// at it again. Where it does not, other servers ask their own `Security`.
    ///
    /// Default: it does.
    fn authenticates(&self) -> bool {
        true
    }

    /// Whether a call may be made, of a procedure that there is. Its arguments have
    /// not been decoded. Each item of a batch is a call, and so is the opening of a
    /// stream. It runs on the task of the connection, so it must be quick.
    ///
    /// Default: [`by_group`].
    ///
    /// # Errors
    ///
    /// Fails with what the caller is told. To hide that there is such a procedure, let
    /// that be [`unknown`](crate::router::unknown): the answer is that of a name that
    /// does not exist.
    fn authorize(&self, call: &Call<'_>, procedure: &Details) -> Result<(), Fault> {
        by_group(call, procedure)
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
    /// `WWW-Authenticate` (RFC 9110, section 11.6.1), in visible ASCII. Default: `Bearer`.
    fn challenge(&self) -> &'static str {
        "Bearer"
    }
}

/// Shared with others, who may change what it goes by.
impl<S: Security + ?Sized> Security for Arc<S> {
    fn authenticate<'a>(&'a self, credentials: Credentials<'a>, on: &'a Connection) -> Authenticating<'a> {
        (**self).authenticate(credentials, on)
    }

    fn authenticates(&self) -> bool {
        (**self).authenticates()
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
#[derive(Clone, Copy)]
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

/// Not what they are.
impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Request { .. } => "Request(..)",
            Self::Message(_) => "Message(..)",
        })
    }
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

/// What somebody is told who is nobody, and would have to be somebody.
#[must_use]
pub fn authenticate_first() -> Fault {
    unauthenticated("authenticate first")
}

/// What somebody is told who says who it is, where nobody is asked.
#[must_use]
pub fn nobody_can() -> Fault {
    unauthenticated("nobody can authenticate here")
}

/// Whether the caller is in one of the [groups](crate::Registration::group) of a
/// procedure; if that is in none, everybody may call it.
///
/// # Errors
///
/// Fails with what the caller is told: to authenticate first, if it is anonymous.
pub fn by_group(call: &Call<'_>, procedure: &Details) -> Result<(), Fault> {
    let identity = call.context.identity();
    let groups = &procedure.groups;
    if groups.is_empty() || groups.iter().any(|group| identity.is_in(group)) {
        return Ok(());
    }
    Err(match identity.is_anonymous() {
        true => authenticate_first(),
        false => Fault::new(FaultKind::Forbidden, "you are in none of the groups that may do this"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_keeps_secrets() {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, http::HeaderValue::from_static("Bearer hidden"));
        let said = OwnedPayload::encode(&["hidden"], crate::Format::Json).unwrap();
        for credentials in [
            Credentials::Request { headers: &headers, extensions: &Extensions::new() },
            Credentials::Message(&said),
        ] {
            assert_eq!(credentials.bearer().as_deref(), Some("hidden"));
            let printed = format!("{credentials:?}");
            assert!(!printed.contains("hidden"), "{printed}");
        }
    }
}
