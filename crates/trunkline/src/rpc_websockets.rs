//! [`RpcWebsockets`]: the conventions of the npm package rpc-websockets.
//!
//! Its clients log in with `rpc.login`, subscribe to events with `rpc.on`, leave
//! with `rpc.off`, and list methods with `__listMethods`. Events are pushed in a
//! spelling of their own, so the endpoint speaks
//! [`JsonRpc::rpc_websockets`](crate::JsonRpc::rpc_websockets).
//!
//! ```
//! use trunkline::{Router, rpc_websockets::RpcWebsockets};
//!
//! let rpcws = RpcWebsockets::new()
//!     .event("feed")
//!     .protected_event("vault")
//!     .login(async |params: serde_json::Value| params["password"] == "lovelace");
//! let open = Router::new().procedure("ping", async || "pong");
//! let protected = Router::new().procedure("secret", async || "42");
//! let router = rpcws.router(open, protected);
//! // later, from anywhere:
//! let reached = rpcws.emit("feed", (1, "two"));
//! ```

use crate::{Call, ConnectionId, Fault, FaultKind, Peer, RawArgs, Router};
use serde::Serialize;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

const EVENT_NOT_PROVIDED: i64 = -32000;
const PARAMS_NOT_FOUND: i64 = -32604;
const METHOD_FORBIDDEN: i64 = -32605;
const EVENT_FORBIDDEN: i64 = -32606;

type Login = Arc<dyn Fn(Value) -> Pin<Box<dyn Future<Output = bool> + Send>> + Send + Sync>;

/// Events and logins of one namespace. Cheap to clone: all clones are the same.
#[derive(Clone, Default)]
pub struct RpcWebsockets {
    /// Events, and whether they need a login.
    events: BTreeMap<String, bool>,
    login: Option<Login>,
    members: Arc<Members>,
}

/// The connections that have logged in or subscribed.
#[derive(Default)]
struct Members(Mutex<HashMap<ConnectionId, Member>>);

struct Member {
    peer: Peer,
    authenticated: bool,
    events: BTreeSet<String>,
}

impl RpcWebsockets {
    /// No events, and nobody can log in.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Provides an event that everybody may subscribe to.
    #[must_use]
    pub fn event(mut self, name: impl Into<String>) -> Self {
        self.events.insert(name.into(), false);
        self
    }

    /// Provides an event for those who have logged in.
    #[must_use]
    pub fn protected_event(mut self, name: impl Into<String>) -> Self {
        self.events.insert(name.into(), true);
        self
    }

    /// Decides who may log in, from what they give to `rpc.login`.
    #[must_use]
    pub fn login<F, Fut>(mut self, check: F) -> Self
    where
        F: Fn(Value) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = bool> + Send + 'static,
    {
        self.login = Some(Arc::new(move |params| Box::pin(check(params))));
        self
    }

    /// The procedures of the namespace: those of `open` for everybody, those of
    /// `protected` for who has logged in, and the conventions. `__listMethods`
    /// names those of both to everybody, as clients of rpc-websockets know it.
    ///
    /// # Panics
    ///
    /// Panics if a name is in both.
    #[must_use]
    pub fn router(&self, open: Router, protected: Router) -> Router {
        let members = self.members.clone();
        let guarded = protected.guard(move |call: &Call<'_>| match members.authenticated(call) {
            true => Ok(()),
            false => Err(refused(METHOD_FORBIDDEN, "Method forbidden")),
        });
        let mut names: Vec<String> =
            open.names().into_iter().chain(guarded.names()).map(str::to_owned).collect();
        names.push("__listMethods".to_owned());
        let (on, off, login) = (self.clone(), self.clone(), self.clone());
        open.merge(guarded)
            .extension("__listMethods", move || {
                let names = names.clone();
                async move { names }
            })
            .extension("rpc.on", move |peer: Peer, RawArgs(args): RawArgs| {
                let events = on.clone();
                async move { events.subscribe(&peer, &names_in(args)?) }
            })
            .extension("rpc.off", move |peer: Peer, RawArgs(args): RawArgs| {
                let events = off.clone();
                async move { Ok::<_, Fault>(events.unsubscribe(&peer, &names_in(args)?)) }
            })
            .extension("rpc.login", move |peer: Peer, RawArgs(args): RawArgs| {
                let members = login.clone();
                async move {
                    let params = args.ok_or(refused(PARAMS_NOT_FOUND, "Params not found"))?;
                    let params = params.decode().map_err(Fault::internal)?;
                    members.log_in(&peer, params).await
                }
            })
    }

    /// Pushes an event to those who have subscribed to it; gives their number.
    ///
    /// A list or tuple of arguments is sent as it is, an object too.
    pub fn emit(&self, event: &str, args: impl Serialize) -> usize {
        let subscribers: Vec<Peer> = {
            let members = self.members.lock();
            members
                .values()
                .filter(|member| member.events.contains(event))
                .map(|member| member.peer.clone())
                .collect()
        };
        subscribers.iter().filter(|peer| peer.event(event, &args).is_ok()).count()
    }

    fn subscribe(&self, peer: &Peer, events: &[String]) -> Result<BTreeMap<String, &'static str>, Fault> {
        let authenticated = self.members.of(peer, |member| member.authenticated);
        if events.iter().any(|event| self.events.get(event) == Some(&true)) && !authenticated {
            return Err(refused(EVENT_FORBIDDEN, "Event forbidden"));
        }
        let subscribe = |event: &String| match self.events.contains_key(event) {
            false => "provided event invalid",
            true if self.members.of(peer, |member| member.events.insert(event.clone())) => "ok",
            true => "socket has already been subscribed to event",
        };
        Ok(events.iter().map(|event| (event.clone(), subscribe(event))).collect())
    }

    fn unsubscribe(&self, peer: &Peer, events: &[String]) -> BTreeMap<String, &'static str> {
        let unsubscribe = |event: &String| match self.events.contains_key(event) {
            false => "provided event invalid",
            true if self.members.of(peer, |member| member.events.remove(event)) => "ok",
            true => "not subscribed",
        };
        events.iter().map(|event| (event.clone(), unsubscribe(event))).collect()
    }

    async fn log_in(&self, peer: &Peer, params: Value) -> Result<bool, Fault> {
        let Some(check) = &self.login else { return Ok(false) };
        let passed = check(params).await;
        self.members.of(peer, |member| member.authenticated |= passed);
        Ok(passed)
    }
}

impl Members {
    fn lock(&self) -> MutexGuard<'_, HashMap<ConnectionId, Member>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn authenticated(&self, call: &Call<'_>) -> bool {
        self.lock().get(&call.context.connection().id()).is_some_and(|member| member.authenticated)
    }

    /// Does something with what is known of a peer, which is forgotten when its
    /// connection ends.
    fn of<R>(self: &Arc<Self>, peer: &Peer, act: impl FnOnce(&mut Member) -> R) -> R {
        let id = peer.connection().id();
        let mut members = self.lock();
        let member = members.entry(id).or_insert_with(|| {
            let (members, leaving) = (Arc::downgrade(self), peer.clone());
            tokio::spawn(async move {
                leaving.closed().await;
                if let Some(members) = members.upgrade() {
                    members.lock().remove(&id);
                }
            });
            Member { peer: peer.clone(), authenticated: false, events: BTreeSet::new() }
        });
        act(member)
    }
}

fn names_in(args: Option<crate::OwnedPayload>) -> Result<Vec<String>, Fault> {
    let args = args.ok_or(refused(EVENT_NOT_PROVIDED, "Event not provided"))?;
    args.decode().map_err(|_| {
        Fault::new(FaultKind::InvalidArgs, "Invalid params").with_data("a list of event names is expected")
    })
}

fn refused(code: i64, message: &'static str) -> Fault {
    Fault::new(FaultKind::Forbidden, message).with_code(code)
}

impl fmt::Debug for RpcWebsockets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RpcWebsockets").field("events", &self.events).finish_non_exhaustive()
    }
}
