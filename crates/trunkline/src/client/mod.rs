//! [`Client`]: calls the procedures of a server, however it is reached.
//!
//! | address | what it is |
//! |---|---|
//! | `tcp://host:port` | a TCP stream of newline-delimited JSON |
//! | `tls+tcp://host:port` | the same under TLS |
//! | `unix:/path` | a Unix socket |
//! | `ws://host:port/path`, `wss://…` | a WebSocket |
//! | `stdio:command arg…` | a child process, over its standard input and output |
//! | `stdio+lsp:command arg…` | the same, in the framing of the Language Server Protocol |
//! | `http://host:port/path`, `https://…` | one POST a message; the server cannot call back |
//!
//! A client that lives on a connection keeps one: when it is lost, it is made
//! anew in the background, after a pause that grows with every failure. Calls
//! that were waiting for their answers fail with [`FaultKind::Disconnected`] and
//! are never repeated, since nobody knows whether they ran. Calls made meanwhile
//! wait for the new connection, as long as their deadline allows.

mod batch;
mod builder;
mod call;
mod line;
mod named;
#[cfg(feature = "http-client")]
mod posting;
mod reconnect;
mod state;
mod streaming;
mod supervisor;

pub use self::{
    batch::Batching, builder::Builder, call::Calling, named::NamedPeer, reconnect::Reconnect,
    state::ConnectionState, streaming::Streaming,
};
pub use trunkline_net::{
    batch::Answers,
    dial::{Address, DialError},
};

use self::line::Line;
#[cfg(feature = "http-client")]
use self::posting::Posting;
use crate::{Fault, FaultKind, Link, OwnedPayload, Peer, Trace, security::AUTHENTICATE};
use serde::{Serialize, de::DeserializeOwned};
use std::{fmt, sync::Arc, time::Duration};
use tokio::sync::watch;
use tracing::Span;
use trunkline_core::{
    Format,
    relay::{Name, REGISTER, UNREGISTER},
};
use trunkline_net::{
    batch::{Batch, not_encodable},
    telling::{self, Far},
};

/// Calls the procedures of a server. Cheap to clone: all clones are one client.
///
/// ```no_run
/// use trunkline::Client;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::connect("tcp://127.0.0.1:9877").await?;
/// let sum: i64 = client.call("add", (2, 3)).await?;
/// client.notify("log", ("added",)).await?;
/// client.close().await;
/// # Ok(())
/// # }
/// ```
///
/// When the last clone is dropped the connection is closed: what is on its way
/// out is still sent, calls from the server are cancelled.
#[derive(Clone)]
pub struct Client(
    Arc<Shared>,
    /// Where in a distributed trace its calls stand.
    Option<Trace>,
);

struct Shared {
    carrier: Carrier,
    call_timeout: Duration,
    drain_timeout: Duration,
    max_batch: usize,
    /// Whom it calls, for those who are told of calls.
    far: Far,
}

/// What carries the calls.
enum Carrier {
    Connection(Arc<Line>),
    #[cfg(feature = "http-client")]
    Http(Arc<Posting>),
}

impl Client {
    /// Connects to `address`, one of those that the [module](self) lists, with
    /// all settings at their defaults.
    ///
    /// # Errors
    ///
    /// Fails if the address makes no sense or the connection is not made at the
    /// first attempt. Over HTTP nothing is connected before the first call.
    pub async fn connect(address: impl AsRef<str>) -> Result<Self, DialError> {
        Self::builder(address).connect().await
    }

    /// A client of `address`, with settings of its own.
    pub fn builder(address: impl AsRef<str>) -> Builder {
        Builder::to(address.as_ref())
    }

    /// A client over a link that is there already. It is not made anew when it
    /// is lost.
    ///
    /// ```
    /// use trunkline::{Client, JsonRpc, Link, Router, Service, serve};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let router = Router::new().procedure("add", |(a, b): (i64, i64)| async move { a + b });
    /// let service = Service::new(router, JsonRpc::default());
    /// let (here, there) = Link::pair();
    /// tokio::spawn(async move { serve(there, &service).await });
    ///
    /// let client = Client::over(here).connect_lazy()?;
    /// let sum: i64 = client.call("add", (2, 3)).await?;
    /// assert_eq!(sum, 5);
    /// # Ok(())
    /// # }
    /// ```
    pub fn over(link: Link) -> Builder {
        Builder::over(link)
    }

    /// The same client for calls, streams, notifications and batches that stand there in a
    /// distributed trace, such as where the call stands that a handler
    /// [answers](crate::Context::trace): over HTTP that is told in headers, else in members
    /// of each message. Typed clients made of it call so too.
    ///
    /// ```
    /// # use trunkline::{Client, Context, Fault};
    /// async fn relay(context: Context, client: &Client) -> Result<(), Fault> {
    ///     let client = client.in_trace(context.trace());
    ///     client.notify("log", ("relayed",)).await
    /// }
    /// ```
    #[must_use]
    pub fn in_trace(&self, trace: impl Into<Option<Trace>>) -> Self {
        Self(self.0.clone(), trace.into())
    }

    /// The span of a call, if anybody may listen to such things; and where in a trace the
    /// call stands then.
    #[inline]
    fn outgoing(&self, procedure: Option<&str>, trace: &mut Option<Trace>) -> Option<Span> {
        match telling::is_heard() {
            true => telling::outgoing(procedure, || self.0.far.clone(), trace),
            false => None,
        }
    }

    /// Calls a procedure of the server.
    ///
    /// Nothing happens before the first poll. Without a connection the call
    /// waits for one. Dropping the future gives the call up and tells the server
    /// so. The deadline is [`Builder::call_timeout`], 30 s by default, unless the
    /// call has [one of its own](Calling::timeout).
    ///
    /// ```no_run
    /// # async fn example(client: &trunkline::Client) -> Result<(), trunkline::Fault> {
    /// use std::time::Duration;
    ///
    /// let sum: i64 = client.call("add", (2, 3)).await?;
    /// let sum = client.call::<i64>("add", [2, 3]).timeout(Duration::from_secs(1)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The future fails with the fault the server answered; with
    /// [`FaultKind::Disconnected`] if the connection ends first, in which case it
    /// is not known whether the procedure ran, or the client is closed; with
    /// [`FaultKind::DeadlineExceeded`] if the deadline passes; with
    /// [`FaultKind::InvalidReply`] if the answer does not fit `T`; and with
    /// [`FaultKind::ReplyTooLarge`] if it is over the limit `max_message` of this
    /// client. On a stream that takes an answer which names its call before its
    /// result, as most servers have it: else the call waits for its deadline. A
    /// WebSocket is closed for it, and all that waits on it is told why.
    pub fn call<'a, T: DeserializeOwned + Send + 'static>(
        &'a self,
        procedure: &'a str,
        args: impl Serialize + 'a,
    ) -> Calling<'a, T, impl Serialize + 'a> {
        Calling::new(self, procedure, args)
    }

    /// Calls a procedure of the server that gives a stream.
    ///
    /// The [`Subscription`](crate::Subscription) is a `futures::Stream`;
    /// dropping it tells the server that nobody listens any more. When the
    /// connection is lost the stream breaks off: it is for the caller to say
    /// whether to open it anew. Over HTTP it is the response to a request of its own,
    /// and comes as server-sent events, which are read as they are taken.
    ///
    /// ```no_run
    /// # async fn example(client: &trunkline::Client) -> Result<(), trunkline::Fault> {
    /// use futures_util::StreamExt;
    ///
    /// let mut ticks = client.stream::<u64>("ticks", ()).await?;
    /// while let Some(tick) = ticks.next().await {
    ///     println!("{}", tick?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The future fails as that of [`call`](Self::call) does, with
    /// [`FaultKind::InvalidReply`] if the procedure gives no stream, or a server over
    /// HTTP sends no events.
    pub fn stream<'a, T: DeserializeOwned + Send + 'static>(
        &'a self,
        procedure: &'a str,
        args: impl Serialize + 'a,
    ) -> Streaming<'a, T, impl Serialize + 'a> {
        Streaming::new(self, procedure, args)
    }

    /// Tells the server something that needs no answer.
    ///
    /// Over a connection, returns once it is on its way out: there is no telling
    /// whether it arrives. Over HTTP, once the server has taken it. Without a
    /// connection it waits for one, for as long as a call may take.
    ///
    /// # Errors
    ///
    /// Fails if the arguments cannot be encoded, if there is no connection in
    /// time, and with [`FaultKind::Unavailable`] if too much waits for a server
    /// that does not read.
    pub async fn notify(&self, procedure: &str, args: impl Serialize) -> Result<(), Fault> {
        let deadline = call::deadline(self.0.call_timeout);
        match &self.0.carrier {
            Carrier::Connection(line) => {
                match line.peer().map(|peer| peer.traced(self.1.as_ref()).notify(procedure, &args)) {
                    None => {}
                    Some(Err(fault)) if fault.kind() == FaultKind::Disconnected => {}
                    Some(done) => return done,
                }
                let args = OwnedPayload::encode(&args, Format::Json).map_err(not_encodable)?;
                line.in_time(deadline, line.notify(procedure, &args, self.1.as_ref())).await?
            }
            #[cfg(feature = "http-client")]
            Carrier::Http(posting) => {
                let notified =
                    posting.notify(procedure, &args, &posting.about(telling::place(self.1.as_ref()), None));
                drop(args);
                posting.in_time(deadline, notified).await
            }
        }
    }

    /// Begins a batch: several calls and notifications in one message.
    ///
    /// ```no_run
    /// # async fn example(client: &trunkline::Client) -> Result<(), trunkline::Fault> {
    /// let batch = client.batch().call("add", (1, 2))?.notify("log", ("added",))?.call("half", (3,))?;
    /// let answers = batch.send().await?;
    /// let sum: i64 = answers.get(0)?;
    /// if let Err(fault) = &answers[1] {
    ///     println!("half of three: {fault}"); // the other one is not affected
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn batch(&self) -> Batching<'_> {
        Batching::new(self, Batch::new())
    }

    /// Shows the server other credentials than those that the client was
    /// [built](Builder::credentials) with, now and after each reconnect; gives whom
    /// it takes the client for. Calls that are made after this are made under the
    /// new identity, those under way keep theirs. Of several that authenticate at a
    /// time, one waits for the other.
    ///
    /// A [bearer token](Builder::bearer) is not shown any more then, in no header
    /// either; a [header](Builder::header) is.
    ///
    /// ```no_run
    /// # async fn example(client: &trunkline::Client, token: &str) -> Result<(), trunkline::Fault> {
    /// let name = client.authenticate([token]).await?;
    /// println!("I am {name:?}");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the server does not accept them: then the client is nobody, now and
    /// after each reconnect, and so it is if they are refused after a reconnect. Where
    /// the connection is lost first, or nobody can authenticate, it is who it was
    /// before. Over HTTP it fails at once, since credentials are headers
    /// there, as [`Builder::bearer`] sends them. Otherwise as a [`call`](Self::call) does.
    pub async fn authenticate(&self, credentials: impl Serialize) -> Result<Option<String>, Fault> {
        #[derive(serde::Deserialize)]
        struct Known {
            subject: Option<String>,
        }
        let credentials = OwnedPayload::encode(&credentials, Format::Json).map_err(not_encodable)?;
        match &self.0.carrier {
            Carrier::Connection(line) => {
                let tell = || async { self.call::<Known>(AUTHENTICATE, &credentials).await };
                Ok(line.introduce(&credentials, tell).await?.subject)
            }
            #[cfg(feature = "http-client")]
            Carrier::Http(_) => Err(Fault::from(
                "over HTTP credentials are headers: build a client with `bearer` or `header`",
            )),
        }
    }

    /// The connection over time, for what takes one.
    fn line(&self) -> Result<&Line, Fault> {
        match &self.0.carrier {
            Carrier::Connection(line) => Ok(line),
            #[cfg(feature = "http-client")]
            Carrier::Http(_) => Err(no_way_back()),
        }
    }

    /// The far end of the connection at this moment; `None` while there is no
    /// connection, and over HTTP.
    #[must_use]
    pub fn server(&self) -> Option<Peer> {
        match &self.0.carrier {
            Carrier::Connection(line) => line.peer(),
            #[cfg(feature = "http-client")]
            Carrier::Http(_) => None,
        }
    }

    /// Another client of the same server, by the name that it has there: calls go to
    /// it by way of the server, if that [relays](crate::Server::peers_by_name).
    /// Whether there is such a peer shows when it is called.
    ///
    /// ```no_run
    /// # async fn example(client: &trunkline::Client) -> Result<(), trunkline::Fault> {
    /// let alice = client.peer("alice");
    /// let answer: String = alice.call("whisper", ("psst",)).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn peer(&self, name: impl Into<Arc<str>>) -> NamedPeer {
        NamedPeer::new(self.clone(), name.into())
    }

    /// Takes a name at the server, under which its other clients call this one: what
    /// they may call is what the client was [built](Builder::for_peers) with. The name
    /// is taken again after each reconnect, as [`Builder::name`] has it.
    ///
    /// ```no_run
    /// # async fn example(client: &trunkline::Client) -> Result<(), trunkline::Fault> {
    /// client.register("alice").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails with what the server says, such as that the name is taken; with
    /// [`FaultKind::NotFound`] if it does not relay; and over HTTP, where nobody can
    /// be called. Otherwise as a [`call`](Self::call) does.
    pub async fn register(&self, name: impl Into<String>) -> Result<(), Fault> {
        let name = name.into();
        let line = self.line()?;
        // before it is taken: the connection may be another by the time there is an answer
        let is_new = line.want(&name);
        let taken = self.call(REGISTER, Name { name: name.clone() }).await;
        if taken.is_err() && is_new {
            line.unwant(&name);
        }
        taken
    }

    /// Gives a name back; whether this client had it.
    ///
    /// # Errors
    ///
    /// Fails as a [`call`](Self::call) does. The name is not taken again after a
    /// reconnect all the same.
    pub async fn unregister(&self, name: impl Into<String>) -> Result<bool, Fault> {
        let name = name.into();
        match &self.0.carrier {
            Carrier::Connection(line) => line.unwant(&name),
            #[cfg(feature = "http-client")]
            Carrier::Http(_) => return Ok(false),
        }
        self.call(UNREGISTER, Name { name }).await
    }

    /// The state of the connection at this moment.
    #[must_use]
    pub fn state(&self) -> ConnectionState {
        self.states().borrow().clone()
    }

    /// The state of the connection from now on, for those who wait for a certain
    /// one. Who has to see every state asks for [`Builder::on_state`].
    ///
    /// ```no_run
    /// # use trunkline::{Client, client::ConnectionState};
    /// # async fn example(client: &Client) {
    /// // fails only once the client is gone
    /// let _ = client.states().wait_for(|state| *state == ConnectionState::Connected).await;
    /// # }
    /// ```
    #[must_use]
    pub fn states(&self) -> watch::Receiver<ConnectionState> {
        match &self.0.carrier {
            Carrier::Connection(line) => line.states(),
            #[cfg(feature = "http-client")]
            Carrier::Http(posting) => posting.states(),
        }
    }

    /// Closes the client in good order: no new calls, those under way in either
    /// direction are finished, for as long as the limit `drain_timeout`, then the
    /// connection is closed. All clones are closed with it. A child process is
    /// waited for: it has ten seconds to end, once its standard input is closed.
    pub async fn close(&self) {
        match &self.0.carrier {
            Carrier::Connection(line) => line.drain(self.0.drain_timeout).await,
            #[cfg(feature = "http-client")]
            Carrier::Http(posting) => posting.drain(self.0.drain_timeout).await,
        }
    }
}

/// What is said of a call to a client that has been closed.
fn closed() -> Fault {
    Fault::new(FaultKind::Disconnected, "the client is closed")
}

/// What is said of a name, or of a stream that is sent, where nobody can be called back.
#[cfg(feature = "http-client")]
pub(super) fn no_way_back() -> Fault {
    Fault::from("this takes a connection, and HTTP has none: use the address `ws://…` or `tcp://…`")
}

impl Drop for Shared {
    fn drop(&mut self) {
        match &self.carrier {
            Carrier::Connection(line) => line.leave(),
            #[cfg(feature = "http-client")]
            Carrier::Http(posting) => posting.leave(),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("state", &self.state()).finish_non_exhaustive()
    }
}
