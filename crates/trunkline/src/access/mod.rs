//! [`Access`]: a [`Security`] made of ready pieces.
//!
//! It knows callers by bearer tokens, and lets them call by groups, or as closures
//! have it. What it lacks is a [`Security`] of the program's own, which may ask an
//! `Access` for the rest.

#[cfg(feature = "jwt")]
mod jwt;
#[cfg(feature = "rate-limit")]
mod rate_limit;

#[cfg(feature = "jwt")]
pub use self::jwt::Jwt;
#[cfg(feature = "rate-limit")]
pub use self::rate_limit::RateLimit;
/// The crate that reads the tokens, for its keys and algorithms.
#[cfg(feature = "jwt")]
pub use jsonwebtoken;

use crate::{
    Call, Connection, Context, Credentials, Details, Fault, FaultKind, Identity, Security,
    security::{Authenticating, unauthenticated},
};
use std::{borrow::Cow, fmt, sync::Arc};

type Verify = Arc<dyn Fn(String) -> Authenticating<'static> + Send + Sync>;
type NameRule = Arc<dyn Fn(&str, &Context) -> Result<(), Fault> + Send + Sync>;
type SendRule = Arc<dyn Fn(&str, &str, &Context) -> Result<(), Fault> + Send + Sync>;
type Rule = Arc<dyn Fn(&Call<'_>, &Details) -> Result<(), Fault> + Send + Sync>;

/// Who callers are by their tokens, and what they may do by their groups.
///
/// ```
/// use trunkline::{Fault, Identity, Router, Server, access::Access, handler, security::unauthenticated};
///
/// let router = Router::new()
///     .procedure("ping", async || "pong")                              // for everybody
///     .procedure("users.delete", handler(async |_: u64| ()).group("admin")); // for admins
///
/// let access = Access::new()
///     .bearer(async |token| match token.as_str() {                     // ask whoever knows tokens
///         "lovelace" => Ok(Identity::new("ada").with_group("admin")),
///         _ => Err(unauthenticated("the token is not known")),
///     })
///     .by_group();
///
/// let server = Server::new(router).security(access);
/// ```
#[derive(Clone, Default)]
#[must_use = "it secures nothing until a server has it"]
pub struct Access {
    verify: Option<Verify>,
    rules: Vec<Rule>,
    names: Option<NameRule>,
    sends: Option<SendRule>,
    shows_sources: bool,
}

impl Access {
    /// Everybody is anonymous, and may call everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Knows callers by bearer tokens: in the header `Authorization` of an HTTP
    /// request, or given to `rpc.authenticate` on a live connection, as
    /// `{"token":"…"}` or `["…"]`. Who gives none is anonymous; who gives one that
    /// `verify` refuses is refused.
    pub fn bearer<F, Fut>(mut self, verify: F) -> Self
    where
        F: Fn(String) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Identity, Fault>> + Send + 'static,
    {
        self.verify = Some(Arc::new(move |token| Box::pin(verify(token))));
        self
    }

    /// Knows callers by JSON Web Tokens, which they give as bearer tokens.
    #[cfg(feature = "jwt")]
    pub fn jwt(self, jwt: Jwt) -> Self {
        self.bearer(move |token| std::future::ready(jwt.verify(&token)))
    }

    /// Lets nobody call who is anonymous.
    pub fn only_known(self) -> Self {
        self.rule(|call, _| match call.context.identity().is_anonymous() {
            true => Err(unauthenticated("authenticate first")),
            false => Ok(()),
        })
    }

    /// Lets only those call a procedure who are in one of its
    /// [groups](crate::Registration::group), if it has any.
    pub fn by_group(self) -> Self {
        self.rule(|call, procedure| {
            let identity = call.context.identity();
            let groups = &procedure.groups;
            if groups.is_empty() || groups.iter().any(|group| identity.is_in(group)) {
                return Ok(());
            }
            Err(match identity.is_anonymous() {
                true => unauthenticated("authenticate first"),
                false => Fault::new(FaultKind::Forbidden, "you are in none of the groups that may do this"),
            })
        })
    }

    /// Lets those call whom `rule` lets, and all other rules. It is asked before the
    /// arguments are decoded, for each item of a batch; it must be quick.
    ///
    /// ```
    /// # use trunkline::{Fault, FaultKind, access::Access};
    /// let access = Access::new().rule(|call, procedure| match procedure.data.get("local") {
    ///     Some(_) if call.context.connection().transport() != "unix" => {
    ///         Err(Fault::new(FaultKind::Forbidden, "only from this machine"))
    ///     }
    ///     _ => Ok(()),
    /// });
    /// ```
    pub fn rule(
        mut self,
        rule: impl Fn(&Call<'_>, &Details) -> Result<(), Fault> + Send + Sync + 'static,
    ) -> Self {
        self.rules.push(Arc::new(rule));
        self
    }

    /// Lets those take a name whom `rule` lets, where [peers are called by
    /// name](crate::Server::peers_by_name). Default: nobody.
    ///
    /// ```
    /// # use trunkline::{Fault, FaultKind, access::Access};
    /// let access = Access::new()
    ///     .names(|name, caller| match caller.identity().subject() == Some(name) {
    ///         true => Ok(()), // everybody under their own
    ///         false => Err(Fault::new(FaultKind::Forbidden, "that is not you")),
    ///     })
    ///     .sends(|_peer, _procedure, _caller| Ok(()));
    /// ```
    pub fn names(
        mut self,
        rule: impl Fn(&str, &Context) -> Result<(), Fault> + Send + Sync + 'static,
    ) -> Self {
        self.names = Some(Arc::new(rule));
        self
    }

    /// Lets those call, notify and listen to a peer whom `rule` lets, by the name of the
    /// peer and its procedure, where [peers are called by
    /// name](crate::Server::peers_by_name). Default: nobody.
    pub fn sends(
        mut self,
        rule: impl Fn(&str, &str, &Context) -> Result<(), Fault> + Send + Sync + 'static,
    ) -> Self {
        self.sends = Some(Arc::new(rule));
        self
    }

    /// Tells callers what is behind a fault, not only what it says in public: for
    /// development, since that may name what strangers should not know.
    pub fn show_sources(mut self) -> Self {
        self.shows_sources = true;
        self
    }
}

impl Security for Access {
    fn authenticate<'a>(&'a self, credentials: Credentials<'a>, _on: &'a Connection) -> Authenticating<'a> {
        let outcome = match (&self.verify, credentials.bearer()) {
            (Some(verify), Some(token)) => return verify(token.into_owned()),
            (Some(_), None) if credentials.are_given() => Err(unauthenticated("a bearer token is needed")),
            (None, _) if matches!(credentials, Credentials::Message(_)) => {
                Err(unauthenticated("nobody can authenticate here"))
            }
            _ => Ok(Identity::anonymous()),
        };
        Box::pin(std::future::ready(outcome))
    }

    fn authorize(&self, call: &Call<'_>, procedure: &Details) -> Result<(), Fault> {
        self.rules.iter().try_for_each(|rule| rule(call, procedure))
    }

    fn may_register_peer(&self, name: &str, caller: &Context) -> Result<(), Fault> {
        let Some(rule) = &self.names else { return Err(forbidden("you may not register this name")) };
        rule(name, caller)
    }

    fn may_send_to_peer(&self, name: &str, procedure: &str, caller: &Context) -> Result<(), Fault> {
        let Some(rule) = &self.sends else { return Err(forbidden("you may not call this peer")) };
        rule(name, procedure, caller)
    }

    fn redact<'f>(&self, fault: &'f Fault, _caller: &Context) -> Cow<'f, Fault> {
        match self.shows_sources {
            true => Cow::Owned(fault.with_sources_shown()),
            false => Cow::Borrowed(fault),
        }
    }
}

fn forbidden(why: &'static str) -> Fault {
    Fault::new(FaultKind::Forbidden, why)
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("authenticates", &self.verify.is_some())
            .field("rules", &self.rules.len())
            .field("shows_sources", &self.shows_sources)
            .finish()
    }
}
