//! Servers of one process, what joins them, and clients of them.

use std::time::Duration;
use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
};
use trunkline::{Client, Connection, Identity, Limits, Link, Router, Server, broker::Memory, framing::Lines};

/// So long that nothing in here ends by the clock.
pub(crate) const LONG: Duration = Duration::from_secs(24 * 60 * 60);

/// What joins the servers of a test.
pub(crate) trait Joins {
    fn join(&self, server: Server) -> Server;

    /// Adds what is needed to see whether a server has joined.
    fn with_sign(&self, router: Router) -> (Router, String) {
        (router, String::new())
    }

    /// Waits until the server with that sign has joined.
    async fn has_joined(&self, _sign: &str) {}
}

/// At once.
impl Joins for Memory {
    fn join(&self, server: Server) -> Server {
        server.broker(self.clone())
    }
}

/// Makes tests of functions that take a [`Joins`]: one in memory, where the clock stands
/// still, and one on RabbitMQ.
macro_rules! on_each_broker {
    ($($test:ident,)*) => {
        mod in_memory {
            $(#[tokio::test(start_paused = true)] async fn $test() {
                super::$test(trunkline::broker::Memory::new()).await;
            })*
        }
        #[cfg(feature = "amqp")]
        mod on_rabbitmq {
            $(#[tokio::test] async fn $test() {
                let test = super::$test(crate::rabbitmq::Rabbit::new());
                tokio::time::timeout(std::time::Duration::from_secs(60), test).await.expect("it ends");
            })*
        }
    };
}

pub(crate) use on_each_broker;

/// A server that serves nobody but other servers.
pub(crate) struct Handler {
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

impl Handler {
    pub(crate) async fn start(broker: &impl Joins, router: Router) -> Self {
        let limits = Limits::default().call_timeout(LONG).drain_timeout(LONG);
        Self::with_limits(broker, router, limits).await
    }

    pub(crate) async fn with_limits(broker: &impl Joins, router: Router, limits: Limits) -> Self {
        Self::with(broker, router, |server| server.limits(limits)).await
    }

    /// A server that is made to be what `change` says.
    pub(crate) async fn with(
        broker: &impl Joins,
        router: Router,
        change: impl FnOnce(Server) -> Server,
    ) -> Self {
        let (router, sign) = broker.with_sign(router);
        let bound = broker.join(change(Server::new(router))).bind().await.unwrap();
        let (stop, stopped) = oneshot::channel();
        let handler = Self { stop, served: tokio::spawn(bound.serve_until(stopped)) };
        broker.has_joined(&sign).await;
        handler
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

/// A client of a server that has `router`, and the broker for all else.
pub(crate) fn gateway(broker: &impl Joins, router: Router) -> Client {
    let limits = Limits::default().call_timeout(LONG);
    gateway_of(broker.join(Server::new(router).limits(limits)), Identity::anonymous())
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
