//! [`RpcWebsockets`]: the conventions of the npm package rpc-websockets.
//!
//! Its clients log in with `rpc.login`, subscribe to events with `rpc.on`, leave
//! with `rpc.off`, and list methods with `__listMethods`. Events are pushed in a
//! spelling of their own, so the endpoint speaks
//! [`JsonRpc::rpc_websockets`](crate::JsonRpc::rpc_websockets).
//!
//! What is a stream to other callers can be an event to these: `rpc.on` opens it,
//! `rpc.off` drops it.
//!
//! ```
//! use futures_util::stream;
//! use trunkline::{Listener, Router, Server, rpc_websockets::RpcWebsockets};
//!
//! let router = Router::new().procedure("countdown", async || stream::iter([3, 2, 1]));
//! let same = router.clone();
//! let listener = Listener::http("127.0.0.1:0").endpoint("/rpc-websockets", |service| {
//!     RpcWebsockets::new().stream("countdown").endpoint(service, same, Router::new())
//! });
//! let server = Server::new(router).listen(listener);
//! ```
//!
//! Events of other origins, and who may have them:
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

mod following;

use self::following::Following;
use crate::{Call, Caller, ConnectionId, Fault, FaultKind, Peer, RawArgs, Router};
#[cfg(feature = "http")]
use crate::{JsonRpc, Service, http::Endpoint};
use serde::Serialize;
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap},
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
    events: BTreeMap<String, Event>,
    login: Option<Login>,
    members: Arc<Members>,
}

/// The connections that have logged in or subscribed.
#[derive(Default)]
struct Members(Mutex<HashMap<ConnectionId, Member>>);

struct Member {
    peer: Peer,
    authenticated: bool,
    /// What is subscribed to, and the stream that it comes from, if it does.
    events: BTreeMap<String, Option<Following>>,
}

/// Where an event comes from, and who may have it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Event {
    Emitted,
    /// To those who have logged in.
    EmittedProtected,
    /// The items of the stream that the procedure of its name gives.
    Stream,
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
        self.events.insert(name.into(), Event::Emitted);
        self
    }

    /// Provides an event for those who have logged in.
    #[must_use]
    pub fn protected_event(mut self, name: impl Into<String>) -> Self {
        self.events.insert(name.into(), Event::EmittedProtected);
        self
    }

    /// Provides the items of a stream as events: the one that the procedure `name` gives,
    /// which takes no arguments, anew for each subscriber. An item is the only parameter
    /// of its event. It waits, as [`Lag::Block`](crate::Lag::Block) has it, for a
    /// subscriber who is slow. Clients of rpc-websockets have no word for the end of a
    /// stream; after it they can subscribe again.
    ///
    /// Whoever may call the procedure may subscribe to it, as [`Security`](crate::Security)
    /// has it; who may not, or whom it refuses, has its fault as the reason why `rpc.on`
    /// was of no use. Once whoever subscribed is no longer who is known on the connection,
    /// they have no more items; whoever is known then can subscribe.
    #[must_use]
    pub fn stream(mut self, name: impl Into<String>) -> Self {
        self.events.insert(name.into(), Event::Stream);
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
            .extension("rpc.on", move |peer: Peer, caller: Caller, RawArgs(args): RawArgs| {
                let events = on.clone();
                async move { events.subscribe(&peer, &caller, &names_in(args)?).await }
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

    /// An endpoint with the [procedures](Self::router) of the namespace, for
    /// [`HttpListener::endpoint`](crate::server::HttpListener::endpoint).
    ///
    /// # Panics
    ///
    /// Panics if a name is in both.
    #[cfg(feature = "http")]
    pub fn endpoint(&self, service: &Service, open: Router, protected: Router) -> Endpoint {
        let service = service.with_router(self.router(open, protected));
        Endpoint::new(service.in_language(JsonRpc::rpc_websockets())).only_websocket()
    }

    /// Pushes an event to those who have subscribed to it; gives their number.
    ///
    /// A list or tuple of arguments is sent as it is, an object too.
    pub fn emit(&self, event: &str, args: impl Serialize) -> usize {
        let subscribers: Vec<Peer> = {
            let members = self.members.lock();
            members
                .values()
                .filter(|member| member.events.contains_key(event))
                .map(|member| member.peer.clone())
                .collect()
        };
        subscribers.iter().filter(|peer| peer.event(event, &args).is_ok()).count()
    }

    async fn subscribe(
        &self,
        peer: &Peer,
        caller: &Caller,
        events: &[String],
    ) -> Result<BTreeMap<String, String>, Fault> {
        let authenticated = self.members.of(peer, |member| member.authenticated);
        let is_protected = |event: &String| self.events.get(event) == Some(&Event::EmittedProtected);
        if events.iter().any(is_protected) && !authenticated {
            return Err(refused(EVENT_FORBIDDEN, "Event forbidden"));
        }
        let mut answers = BTreeMap::new();
        for event in events {
            let answer = match self.events.get(event) {
                None => "provided event invalid".to_owned(),
                Some(from) => match self.subscribe_to(event, *from, peer, caller).await {
                    Ok(true) => "ok".to_owned(),
                    Ok(false) => "socket has already been subscribed to event".to_owned(),
                    Err(fault) => fault.message().to_owned(),
                },
            };
            answers.insert(event.clone(), answer);
        }
        Ok(answers)
    }

    /// Subscribes to one event; whether that is news.
    async fn subscribe_to(
        &self,
        event: &str,
        from: Event,
        peer: &Peer,
        caller: &Caller,
    ) -> Result<bool, Fault> {
        if self.members.of(peer, |member| member.is_subscribed(event)) {
            return Ok(false);
        }
        let items = match from {
            Event::Stream => Some(caller.stream_as_asked(event, ()).await?),
            _ => None,
        };
        Ok(self.members.of(peer, |member| {
            // another may have been sooner
            let is_new = !member.is_subscribed(event);
            if is_new {
                let following = items.map(|items| Following::start(event, items, caller, peer));
                member.events.insert(event.to_owned(), following);
            }
            is_new
        }))
    }

    fn unsubscribe(&self, peer: &Peer, events: &[String]) -> BTreeMap<String, &'static str> {
        let unsubscribe = |event: &String| match self.events.contains_key(event) {
            false => "provided event invalid",
            true if self.members.of(peer, |member| member.events.remove(event)).is_some() => "ok",
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

impl Member {
    fn is_subscribed(&self, event: &str) -> bool {
        let has_ended = |following: &Option<Following>| following.as_ref().is_some_and(Following::has_ended);
        self.events.get(event).is_some_and(|following| !has_ended(following))
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
            Member { peer: peer.clone(), authenticated: false, events: BTreeMap::new() }
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
