//! [`Access`]: a [`Security`] made of ready pieces.
//!
//! It knows callers by bearer tokens, or by whatever else they show, and lets them
//! call by groups, or as closures have it. What it lacks is a [`Security`] of the
//! program's own, which may ask an `Access` for the rest.

#[cfg(feature = "rate-limit")]
mod allowances;
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
    security::{self, Authenticating, unauthenticated},
};
use std::{borrow::Cow, fmt, future::ready, pin::Pin, sync::Arc};

type NameRule = Arc<dyn Fn(&str, &Context) -> Result<(), Fault> + Send + Sync>;
type SendRule = Arc<dyn Fn(&str, &str, &Context) -> Result<(), Fault> + Send + Sync>;
/// The longest bearer token that is looked at.
const LONGEST_TOKEN: usize = 8 << 10;

/// Finds out who shows these credentials, if they are of a kind that it knows.
type Way = Arc<dyn Fn(Credentials<'_>, &Connection) -> Finding + Send + Sync>;
type Finding = Pin<Box<dyn Future<Output = Result<Option<Identity>, Fault>> + Send>>;
type Rule = Arc<dyn Fn(&Call<'_>, &Details) -> Result<(), Fault> + Send + Sync>;

/// Who callers are by their tokens, and what they may do by their groups.
///
/// Only those may call a procedure who are in one of its
/// [groups](crate::Registration::group), if it has any.
///
/// ```
/// use trunkline::{Fault, Identity, Router, Server, access::Access, handler, security::unauthenticated};
///
/// let router = Router::new()
///     .procedure("ping", async || "pong")                              // for everybody
///     .procedure("users.delete", handler(async |_: u64| ()).group("admin")); // for admins
///
/// let access = Access::new().bearer(async |token| match token.as_str() { // ask whoever knows tokens
///     "lovelace" => Ok(Identity::new("ada").with_group("admin")),
///     _ => Err(unauthenticated("the token is not known")),
/// });
///
/// let server = Server::new(router).security(access);
/// ```
#[derive(Clone, Default)]
#[must_use = "it secures nothing until a server has it"]
pub struct Access {
    ways: Vec<Way>,
    rules: Vec<Rule>,
    names: Option<NameRule>,
    sends: Option<SendRule>,
    ignores_groups: bool,
    shows_sources: bool,
    #[cfg(feature = "rate-limit")]
    logins: Option<RateLimit>,
}

impl Access {
    /// Everybody is anonymous, and may call what belongs to no group.
    pub fn new() -> Self {
        Self::default()
    }

    /// Knows callers by bearer tokens: in the header `Authorization` of an HTTP
    /// request, or given to `rpc.authenticate` on a live connection, as
    /// `{"token":"…"}` or `["…"]`. Who gives none is anonymous; who gives one that
    /// `verify` refuses, or that is longer than 8 KiB, is refused.
    ///
    /// It may be said more than once, and so may the others by which callers are
    /// known: they are asked in turn, and whoever knows the caller first decides.
    pub fn bearer<F, Fut>(self, verify: F) -> Self
    where
        F: Fn(String) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Identity, Fault>> + Send + 'static,
    {
        self.way(move |credentials, _| match credentials.bearer() {
            None => Box::pin(ready(Ok(None))),
            Some(token) if token.len() > LONGEST_TOKEN => {
                Box::pin(ready(Err(unauthenticated("the bearer token is longer than 8 KiB"))))
            }
            Some(token) => {
                let verified = verify(token.into_owned());
                Box::pin(async move { verified.await.map(Some) })
            }
        })
    }

    /// Knows callers by JSON Web Tokens, which they give as bearer tokens. Said more
    /// than once, for several keys or issuers, it takes the tokens of each.
    #[cfg(feature = "jwt")]
    pub fn jwt(self, jwt: Jwt) -> Self {
        self.bearer(move |token| ready(jwt.verify(&token)))
    }

    /// Knows callers by whatever else they show: a key in a header of its own, a
    /// cookie, a password. `find` takes what it needs from the credentials, and gives
    /// a future of who that is, or of `None` if there is nothing of the kind.
    ///
    /// ```
    /// # use trunkline::{Credentials, Identity, access::Access, security::unauthenticated};
    /// let access = Access::new().credentials(|credentials, _connection| {
    ///     let key = match credentials {
    ///         Credentials::Request { headers, .. } => headers.get("x-api-key").cloned(),
    ///         _ => None,
    ///     };
    ///     async move {
    ///         match key.as_ref().map(|key| key.as_bytes()) {
    ///             None => Ok(None),
    ///             Some(b"lovelace") => Ok(Some(Identity::new("ada"))), // ask whoever knows keys
    ///             Some(_) => Err(unauthenticated("the key is not known")),
    ///         }
    ///     }
    /// });
    /// ```
    pub fn credentials<F, Fut>(self, find: F) -> Self
    where
        F: Fn(Credentials<'_>, &Connection) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Option<Identity>, Fault>> + Send + 'static,
    {
        self.way(move |credentials, on| Box::pin(find(credentials, on)))
    }

    fn way(mut self, way: impl Fn(Credentials<'_>, &Connection) -> Finding + Send + Sync + 'static) -> Self {
        self.ways.push(Arc::new(way));
        self
    }

    /// How often whoever is at one address may fail to show who it is, over HTTP and
    /// by `rpc.authenticate` together, whatever [`RateLimit::each_caller`] says; more is
    /// refused unlooked at, also what would be right. Behind a proxy all have its address,
    /// and who guesses badly shuts all out, unless its port [trusts
    /// it](crate::http::Http::trust_proxies). Default: ten times in a row on each connection, and in
    /// each HTTP request.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use trunkline::{Identity, access::{Access, RateLimit}};
    /// let access = Access::new()
    ///     .bearer(async |_token| Ok(Identity::new("ada")))
    ///     .logins(RateLimit::new(20, Duration::from_secs(60)));
    /// ```
    #[cfg(feature = "rate-limit")]
    pub fn logins(mut self, limit: RateLimit) -> Self {
        self.logins = Some(limit);
        self
    }

    /// Lets nobody call who is anonymous.
    pub fn only_known(self) -> Self {
        self.rule(|call, _| match call.context.identity().is_anonymous() {
            true => Err(security::authenticate_first()),
            false => Ok(()),
        })
    }

    /// Lets everybody call a procedure whatever its [groups](crate::Registration::group),
    /// which are for the documentation only then.
    pub fn ignore_groups(mut self) -> Self {
        self.ignores_groups = true;
        self
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

    /// Who shows these credentials; `None` if there are none.
    async fn find(&self, credentials: Credentials<'_>, on: &Connection) -> Result<Option<Identity>, Fault> {
        let mut refusal = None;
        for way in &self.ways {
            match way(credentials, on).await {
                Ok(None) => {}
                Ok(known) => return Ok(known),
                // somebody else may know better
                Err(fault) if fault.kind() == FaultKind::Unauthenticated => {
                    refusal.get_or_insert(fault);
                }
                Err(fault) => return Err(fault),
            }
        }
        match refusal {
            Some(fault) => Err(fault),
            None if credentials.are_given() => {
                Err(unauthenticated("these are no credentials that are known here"))
            }
            None => Ok(None),
        }
    }

    /// The same, as often as that may fail.
    #[cfg(feature = "rate-limit")]
    async fn find_in_moderation(
        &self,
        credentials: Credentials<'_>,
        on: &Connection,
    ) -> Result<Option<Identity>, Fault> {
        let Some(logins) = &self.logins else { return self.find(credentials, on).await };
        if credentials.are_given() {
            logins.look(on)?;
        }
        let found = self.find(credentials, on).await;
        match &found {
            Ok(None) => {}
            // what is found out at the same time as too much else is not told
            Ok(Some(_)) => logins.look(on)?,
            Err(fault) if says_nothing(fault) => {}
            Err(_) => logins.failed(on)?,
        }
        found
    }

    #[cfg(not(feature = "rate-limit"))]
    async fn find_in_moderation(
        &self,
        credentials: Credentials<'_>,
        on: &Connection,
    ) -> Result<Option<Identity>, Fault> {
        self.find(credentials, on).await
    }
}

/// Whether a fault is trouble of our own, which tells nothing of the credentials.
#[cfg(feature = "rate-limit")]
fn says_nothing(fault: &Fault) -> bool {
    matches!(fault.kind(), FaultKind::Unavailable | FaultKind::DeadlineExceeded | FaultKind::Internal)
}

impl Security for Access {
    fn authenticate<'a>(&'a self, credentials: Credentials<'a>, on: &'a Connection) -> Authenticating<'a> {
        if self.ways.is_empty() {
            return Box::pin(ready(match credentials {
                Credentials::Message(_) => Err(security::nobody_can()),
                _ => Ok(Identity::anonymous()),
            }));
        }
        Box::pin(async move { Ok(self.find_in_moderation(credentials, on).await?.unwrap_or_default()) })
    }

    fn authenticates(&self) -> bool {
        !self.ways.is_empty()
    }

    fn authorize(&self, call: &Call<'_>, procedure: &Details) -> Result<(), Fault> {
        // a rule may hide what a group would show
        self.rules.iter().try_for_each(|rule| rule(call, procedure))?;
        if self.ignores_groups { Ok(()) } else { security::by_group(call, procedure) }
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
            .field("ways", &self.ways.len())
            .field("rules", &self.rules.len())
            .field("ignores_groups", &self.ignores_groups)
            .field("shows_sources", &self.shows_sources)
            .finish_non_exhaustive()
    }
}
