//! [`Registration`]: a handler that has become a procedure, with all that is said of it.

use crate::{
    call::Call,
    crowded::Crowd,
    fault::{Fault, TypedFault},
    handler::{Handler, Run},
    lag::Lag,
    middleware::Guard,
    procedure::Procedure,
};
use schemars::Schema;
use serde::Serialize;
use serde_json::Value;
use std::{borrow::Cow, collections::BTreeMap, fmt, sync::Arc, time::Duration};

/// A handler that has become a procedure, with how it is to be run and what is
/// said of it.
///
/// Made by [`handler`](crate::handler::handler), for what a plain function cannot say.
///
/// ```
/// # use trunkline_core::{Router, handler::handler};
/// let router = Router::new()
///     .procedure("users.get", handler(async |id: u64| format!("user {id}")).group("users").idempotent())
///     .procedure("users.find", handler(async |_: String| 7).deprecated("call users.get"));
/// let [find, get] = &*router.catalog().procedures else { panic!("there are two") };
/// assert_eq!(find.details.deprecated.as_deref(), Some("call users.get"));
/// assert!(get.details.idempotent);
/// ```
#[derive(Clone)]
pub struct Registration {
    pub(crate) procedure: Arc<dyn Procedure>,
    pub(crate) run: Run,
    pub(crate) timeout: Option<Duration>,
    pub(crate) subscription: Option<Subscription>,
    pub(crate) lag: Lag,
    pub(crate) items_only: bool,
    pub(crate) asks_elsewhere: bool,
    pub(crate) guards: Vec<Guard>,
    /// Whether its arguments are not checked against what their schema says of them.
    pub(crate) unchecked: bool,
    pub(crate) crowd: Option<Crowd>,
    pub(crate) details: Arc<Details>,
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration")
            .field("run", &self.run)
            .field("timeout", &self.timeout)
            .field("details", &self.details)
            .finish_non_exhaustive()
    }
}

/// What else goes by a name where a procedure gives a stream.
#[derive(Clone, Debug)]
pub(crate) struct Subscription {
    pub(crate) item: Cow<'static, str>,
    pub(crate) unsubscribe: Cow<'static, str>,
}

/// What is said of a procedure besides its types.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Details {
    /// What it does, for readers of the documentation.
    pub description: Option<Cow<'static, str>>,
    /// Its version, in dialects whose names have one.
    pub version: Option<Cow<'static, str>>,
    /// Why it should not be used any more.
    pub deprecated: Option<Cow<'static, str>>,
    /// Whether only this program may call it.
    pub internal: bool,
    /// Whether it is meant to be notified, not called.
    pub notification: bool,
    /// Whether running it twice is as good as once.
    pub idempotent: bool,
    /// Whether its calls run one after another on each connection.
    pub ordered: bool,
    /// How calls of it may fail.
    pub faults: Vec<Fault>,
    /// What it belongs to, for the documentation and for those who decide who may call.
    pub groups: Vec<Cow<'static, str>>,
    /// Whatever else is said of it, for those who decide who may call and nobody else.
    pub data: BTreeMap<Cow<'static, str>, Value>,
    /// The schema of its arguments, in place of the one of their type.
    pub args_schema: Option<Schema>,
    /// The schema of its result, in place of the one of its type.
    pub result_schema: Option<Schema>,
}

impl Registration {
    /// Serves a [`Procedure`] that is not a function.
    #[must_use]
    pub fn of(procedure: impl Procedure + 'static) -> Self {
        Self {
            procedure: Arc::new(procedure),
            run: Run::Inline,
            timeout: None,
            subscription: None,
            lag: Lag::Block,
            items_only: false,
            asks_elsewhere: false,
            guards: Vec::new(),
            unchecked: false,
            crowd: None,
            details: Arc::default(),
        }
    }

    /// Runs each call on a task of its own, so that it cannot hold up the others
    /// of its connection.
    #[must_use]
    pub fn parallel(mut self) -> Self {
        self.run = Run::Parallel;
        self
    }

    /// Runs each call on the pool of blocking threads. A call that is cancelled
    /// there runs on; only its answer is dropped.
    #[must_use]
    pub fn blocking(mut self) -> Self {
        self.run = Run::Blocking;
        self
    }

    /// How long a call may run, in place of the listener's `call_timeout`.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Checks every call before its arguments are decoded, as
    /// [`Router::guard`](crate::Router::guard) does for all procedures of a router,
    /// and after that.
    #[must_use]
    pub fn guard(mut self, guard: impl Fn(&Call<'_>) -> Result<(), Fault> + Send + Sync + 'static) -> Self {
        self.guards.push(Arc::new(guard));
        self
    }

    /// How many calls may run at a time, of all callers together; streams that are
    /// open count too. More are refused as [`Unavailable`](crate::FaultKind::Unavailable).
    /// Copies of the registration, and of routers that have it, share the number.
    /// Default: as many as connections have.
    ///
    /// ```
    /// # use trunkline_core::{Router, handler::handler};
    /// let render = handler(async |page: String| page.len()).blocking().max_running(4);
    /// let router = Router::new().procedure("render", render);
    /// ```
    #[must_use]
    pub fn max_running(mut self, calls: usize) -> Self {
        self.crowd = Some(Crowd::of(calls));
        self
    }

    /// Names what belongs to a stream, for callers that expect names of their own:
    /// what its items are sent under, in place of the name of the procedure, and
    /// the procedure that ends it, besides `rpc.unsubscribe`. Several procedures
    /// may share both. A scope is put before the latter only.
    ///
    /// ```
    /// # use trunkline_core::{Router, handler::handler};
    /// # use futures_util::stream;
    /// let blocks = async |(_what,): (String,)| stream::iter([1_u64, 2, 3]);
    /// let router = Router::new()
    ///     .procedure("eth_subscribe", handler(blocks).subscription("eth_subscription", "eth_unsubscribe"));
    /// assert!(router.find("eth_unsubscribe").is_some());
    /// ```
    #[must_use]
    pub fn subscription(
        mut self,
        item: impl Into<Cow<'static, str>>,
        unsubscribe: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.subscription = Some(Subscription { item: item.into(), unsubscribe: unsubscribe.into() });
        self
    }

    /// What becomes of the items of its streams while a caller does not take them.
    /// Default [`Lag::Block`]: they are not made before there is room for them.
    ///
    /// ```
    /// # use trunkline_core::{Lag, Router, handler::handler};
    /// # use futures_util::stream;
    /// let prices = async || stream::iter([1.5, 1.6, 1.4]);
    /// let router = Router::new().procedure("prices", handler(prices).lag(Lag::Coalesce));
    /// ```
    #[must_use]
    pub fn lag(mut self, lag: Lag) -> Self {
        self.lag = lag;
        self
    }

    /// Says nothing of its streams but their items: not that they end, that they
    /// break off, or that items were left out. For clients that take anything else
    /// for a mistake of the server, as those of Ethereum do. Callers who have said for
    /// how many items they have room, such as trunkline's own, are told all the same.
    /// Default: every caller is told.
    ///
    /// ```
    /// # use trunkline_core::{Router, handler::handler};
    /// # use futures_util::stream;
    /// let blocks = async |(_what,): (String,)| stream::iter([1_u64, 2, 3]);
    /// let blocks = handler(blocks).subscription("eth_subscription", "eth_unsubscribe").items_only();
    /// let router = Router::new().procedure("eth_subscribe", blocks);
    /// ```
    #[must_use]
    pub fn items_only(mut self) -> Self {
        self.items_only = true;
        self
    }

    /// As a fallback it asks other programs for what it is called by, and so learns whether
    /// there is such a procedure, and tells its span.
    #[doc(hidden)]
    #[must_use]
    pub fn asking_elsewhere(mut self) -> Self {
        self.asks_elsewhere = true;
        self
    }

    /// Says what the procedure does, for readers of the documentation.
    #[must_use]
    pub fn description(self, description: impl Into<Cow<'static, str>>) -> Self {
        self.with(|details| details.description = Some(description.into()))
    }

    /// Gives a version, for dialects whose names have one.
    #[must_use]
    pub fn version(self, version: impl Into<Cow<'static, str>>) -> Self {
        self.with(|details| details.version = Some(version.into()))
    }

    /// Says why the procedure should not be used any more, or what to use instead.
    #[must_use]
    pub fn deprecated(self, why: impl Into<Cow<'static, str>>) -> Self {
        self.with(|details| details.deprecated = Some(why.into()))
    }

    /// Lets only this program call, by [`Router::call`](crate::Router::call): to all
    /// who come over a connection there is no such procedure, and the documentation
    /// knows none. A fallback is not internal, whatever is said of it.
    ///
    /// ```
    /// # use trunkline_core::{Router, handler::handler};
    /// let router = Router::new().procedure("sweep", handler(async || ()).internal());
    /// assert!(router.find("sweep").is_none());
    /// ```
    #[must_use]
    pub fn internal(self) -> Self {
        self.with(|details| details.internal = true)
    }

    /// Says that the procedure is meant to be notified: nobody waits for it. Who
    /// calls it is answered all the same, when it is done.
    #[must_use]
    pub fn notification(self) -> Self {
        self.with(|details| details.notification = true)
    }

    /// Says that running the procedure twice is as good as once: in a network its calls are
    /// made again when a node is lost, all attempts at one call with the same
    /// [key](crate::Attempt::key).
    #[must_use]
    pub fn idempotent(self) -> Self {
        self.with(|details| details.idempotent = true)
    }

    /// Runs calls of this and all other ordered procedures one after another on
    /// each connection, in the order in which they arrived: each begins when those
    /// before it are done. Without this they begin in that order and finish in any.
    ///
    /// What waits is the future: the arguments are decoded, and a plain closure has
    /// made its future from them, when the call arrives.
    ///
    /// A call that waits takes up one of the connection's `max_in_flight`, and its
    /// time runs. One that calls its caller back, and is answered by way of
    /// another ordered call, waits until its time is up. One that is made
    /// [inside](crate::Context::depth) of another ordered call belongs to its turn. Over HTTP each request is
    /// a connection of its own; there it puts the calls of a batch in order.
    #[must_use]
    pub fn ordered(self) -> Self {
        self.with(|details| details.ordered = true)
    }

    /// Says that calls may fail so; to be said once for each of the faults that
    /// callers may want to tell apart. The message is an example of what they are told.
    ///
    /// ```
    /// # use trunkline_core::{Fault, FaultKind, Router, handler::handler};
    /// fn full() -> Fault { Fault::new(FaultKind::Unavailable, "the room is full").with_code(4001) }
    ///
    /// let join = handler(async |room: String| if room == "lobby" { Err(full()) } else { Ok(()) });
    /// let router = Router::new().procedure("join", join.fault(full()));
    /// assert_eq!(router.catalog().procedures[0].details.faults, [full()]);
    /// ```
    #[must_use]
    pub fn fault(self, fault: impl Into<Fault>) -> Self {
        self.with(|details| details.faults.push(fault.into()))
    }

    /// Says that calls may fail with any error of this type: what
    /// [`fault`](Self::fault) is for one of them.
    #[must_use]
    pub fn faults_of<E: TypedFault>(self) -> Self {
        self.with(|details| details.faults.extend(E::faults()))
    }

    /// Says what the procedure belongs to: a heading in the documentation, and for
    /// those who decide who may call. It may belong to several groups.
    ///
    /// Where there is a [`Security`](crate::Security), only callers who are in one of
    /// them may call, unless it has another rule.
    #[must_use]
    pub fn group(self, group: impl Into<Cow<'static, str>>) -> Self {
        self.with(|details| details.groups.push(group.into()))
    }

    /// Attaches a value for those who decide who may call. It is not published.
    ///
    /// # Panics
    ///
    /// Panics if the value has no form in JSON: who may call is not to depend on
    /// what was lost.
    #[must_use]
    #[track_caller]
    pub fn data(self, key: impl Into<Cow<'static, str>>, value: impl Serialize) -> Self {
        let key = key.into();
        let value = serde_json::to_value(value)
            .unwrap_or_else(|error| panic!("the data `{key}` has no form in JSON: {error}"));
        self.with(|details| drop(details.data.insert(key, value)))
    }

    /// Describes the arguments by hand, in place of the schema of their type: a
    /// JSON Schema (2020-12) on its own, whose `$ref`s stay within it.
    ///
    /// Arguments are checked against it before they reach the handler, and are
    /// decoded into its type all the same.
    ///
    /// ```
    /// # use trunkline_core::{Open, Router, handler::handler};
    /// # use serde_json::{Value, json};
    /// let grow = handler(async |Open(tree): Open<Value>| tree["leaves"].as_array().map(Vec::len))
    ///     .args_schema(json!({
    ///         "type": "object",
    ///         "properties": {"leaves": {"type": "array"}, "child": {"$ref": "#"}},
    ///     }));
    /// let router = Router::new().procedure("grow", grow);
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if that is no JSON Schema, which is an object or a boolean.
    #[must_use]
    #[track_caller]
    pub fn args_schema(self, schema: Value) -> Self {
        let schema = by_hand(schema);
        self.with(|details| details.args_schema = Some(schema))
    }

    /// Takes arguments as their type does, whatever their schema says besides: it
    /// only describes them. For what checks its arguments itself.
    ///
    /// Without this, arguments are checked against a schema that was written by
    /// hand, or says more than the type enforces, which needs the feature `validate`.
    ///
    /// ```
    /// # use trunkline_core::{Router, handler::handler};
    /// # use serde_json::json;
    /// let wait = handler(async |seconds: u64| seconds).args_schema(json!({"maximum": 60})).unchecked();
    /// let router = Router::new().procedure("wait", wait).seal();
    /// ```
    #[must_use]
    pub fn unchecked(mut self) -> Self {
        self.unchecked = true;
        self
    }

    /// Describes the result by hand, in place of the schema of its type, as
    /// [`args_schema`](Self::args_schema) does the arguments.
    ///
    /// # Panics
    ///
    /// Panics if that is no JSON Schema, which is an object or a boolean.
    #[must_use]
    #[track_caller]
    pub fn result_schema(self, schema: Value) -> Self {
        let schema = by_hand(schema);
        self.with(|details| details.result_schema = Some(schema))
    }

    fn with(mut self, change: impl FnOnce(&mut Details)) -> Self {
        change(Arc::make_mut(&mut self.details));
        self
    }
}

#[track_caller]
fn by_hand(schema: Value) -> Schema {
    schema.try_into().unwrap_or_else(|error| panic!("not a JSON Schema: {error}"))
}

/// Marks what is a [`Registration`] already.
#[derive(Debug)]
pub struct Registered;

impl Handler<Registered> for Registration {
    fn into_registration(self) -> Registration {
        self
    }
}
