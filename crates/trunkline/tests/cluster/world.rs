//! Servers of one process on some broker, and clients of them.
//!
//! What holds on every broker is a function of a [`World`], and `promises!` makes a test of
//! each. What needs a clock that stands still is asked of the broker in memory alone.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
};
use trunkline::{
    Client, Connection, Identity, Limits, Link, Router, Server,
    broker::{Broker, Memory},
    framing::Lines,
};

/// So long that nothing in here ends by the clock.
pub(crate) const LONG: Duration = Duration::from_secs(24 * 60 * 60);

/// A broker to be tried.
pub(crate) trait World: Sized {
    /// Whether what a server held that has gone is delivered to another one.
    const REDELIVERS: bool;

    /// Whether who speaks to it knows at once that it is lost.
    const IS_MISSED_AT_ONCE: bool;

    /// One that other tests may use at the same time.
    async fn any() -> Self;

    /// One that can be lost, as nobody else uses it.
    async fn own() -> Self;

    fn broker(&self) -> Arc<dyn Broker>;

    /// Loses it, and all that waits in it, as when its process is killed.
    async fn lose(&mut self);

    /// Brings it back.
    async fn restore(&mut self);

    /// A network on it that no other test is in.
    fn net(&self) -> Net {
        Net { broker: self.broker(), name: format!("test-{}-{}", std::process::id(), next()).into() }
    }
}

/// A number that nobody else in this process has.
fn next() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A network on some broker.
#[derive(Clone)]
pub(crate) struct Net {
    broker: Arc<dyn Broker>,
    name: Arc<str>,
}

impl Net {
    pub(crate) fn on(broker: impl Broker) -> Self {
        Self { broker: Arc::new(broker), name: "test".into() }
    }

    /// One in memory.
    pub(crate) fn new() -> Self {
        Self::on(Memory::new())
    }

    /// Another network on the same broker.
    pub(crate) fn other(&self) -> Self {
        Self { name: format!("{}-other", self.name).into(), ..self.clone() }
    }

    /// A server in it.
    pub(crate) fn server(&self, router: Router) -> Server {
        Server::new(router).broker(self.broker.clone()).network(&*self.name)
    }
}

/// A server that serves nobody but other servers.
pub(crate) struct Handler {
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

impl Handler {
    /// Starts one, and waits until it is there for others.
    pub(crate) async fn start(net: &Net, router: Router) -> Self {
        Self::with_limits(net, router, Limits::default().call_timeout(LONG).drain_timeout(LONG)).await
    }

    pub(crate) async fn with_limits(net: &Net, router: Router, limits: Limits) -> Self {
        Self::with(net, router, |server| server.limits(limits)).await
    }

    pub(crate) async fn with(net: &Net, router: Router, change: impl FnOnce(Server) -> Server) -> Self {
        let bound = change(net.server(router)).bind().await.unwrap();
        bound.joined().await;
        let (stop, stopped) = oneshot::channel();
        Self { stop, served: tokio::spawn(bound.serve_until(stopped)) }
    }

    /// Begins to stop in good order, which the future waits for.
    pub(crate) fn stop(self) -> impl Future<Output = ()> {
        self.stop.send(()).unwrap();
        async { self.served.await.unwrap() }
    }

    /// Ends as a process does that is killed.
    pub(crate) async fn kill(self) {
        self.served.abort();
        assert!(self.served.await.unwrap_err().is_cancelled());
    }
}

/// A client of a server that has `router`, and the network for all else.
pub(crate) fn gateway(net: &Net, router: Router) -> Client {
    let limits = Limits::default().call_timeout(LONG);
    gateway_of(net.server(router).limits(limits), Identity::anonymous())
}

/// A client of a server, who is known to be somebody.
pub(crate) fn gateway_of(server: Server, identity: Identity) -> Client {
    let (here, there) = tokio::io::duplex(64 << 10);
    let connection = Connection::new("memory", "jsonrpc").with_identity(identity);
    tokio::spawn(server.serve_link(Link::new(there, Lines::default(), connection)));
    let link = Link::new(here, Lines::default(), Connection::new("memory", "jsonrpc"));
    Client::over(link).limits(Limits::default().call_timeout(LONG)).connect_lazy().unwrap()
}

/// How many handlers run, all servers together.
pub(crate) type Running = watch::Sender<usize>;

/// Counts as one for as long as it is there.
pub(crate) struct One(Running);

impl One {
    pub(crate) fn of(running: &Running) -> Self {
        running.send_modify(|count| *count += 1);
        Self(running.clone())
    }
}

impl Drop for One {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// Waits until so many run; a test that would wait for ever fails.
pub(crate) async fn until(running: &Running, wanted: usize) {
    let mut counts = running.subscribe();
    let there = counts.wait_for(|count| *count == wanted);
    tokio::time::timeout(2 * LONG, there).await.expect("it comes to that").unwrap();
}

/// A procedure `work` that counts as running, and answers when it may.
pub(crate) fn work(running: &Running, go: &watch::Sender<bool>) -> Router {
    let (running, go) = (running.clone(), go.subscribe());
    Router::new().procedure("work", move |token: u64| {
        let (one, mut go) = (One::of(&running), go.clone());
        async move {
            let _one = one;
            // the sender of a test that has ended is gone
            let _ = go.wait_for(|go| *go).await;
            token
        }
    })
}
