//! [`Amqp`]: RabbitMQ, as `therms` uses it.
//!
//! The queues and exchanges are in [`topology`]; who speaks to the broker is a task of each
//! node, which [keeps](Keeper) one connection.

mod address;
mod careful;
mod frames;
mod held;
mod incoming;
mod line;
mod names;
mod opening;
mod outbox;
mod over;
mod reading;
mod serving;
mod session;
mod stopping;
mod topology;
mod trouble;

pub use self::address::InvalidUri;

use self::{
    address::Address,
    line::Wire,
    opening::{greet, open},
    outbox::Outbox,
    session::Session,
    trouble::Trouble,
};
use super::{Arrival, Broker, Inbox, Line, Member, STABLE};
#[cfg(feature = "tls")]
use crate::tls::TlsClient;
use crate::{backoff::Backoff, clock::now, link::ByteStream};
use std::{fmt, sync::Arc, time::Duration};
use tokio::{select, time::sleep};

/// RabbitMQ; clones are the same.
///
/// Nodes of the network `trunkline`, the default, understand those of the Node.js framework
/// `therms` on the same virtual host; other networks have exchanges of their own.
///
/// Each node has one connection, and finds back by itself, in
/// pauses of up to 3 s. What it is to send waits in memory, up to 65,536 messages or
/// 64 MiB; bodies have at most 16 MiB. The broker does not confirm what is sent to it, as
/// that would cost each call a round trip: if it loses a message, it is as lost as if its
/// receiver had been, and its caller waits until the call's deadline.
///
/// ```
/// use trunkline_net::broker::Amqp;
///
/// let broker = Amqp::new("amqp://guest:guest@localhost:5672/%2f")?;
/// # Ok::<(), trunkline_net::broker::InvalidUri>(())
/// ```
#[derive(Clone)]
pub struct Amqp(Arc<[Address]>);

/// The first pause before a new attempt, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

impl Amqp {
    /// RabbitMQ at `amqp://user:password@host:port/vhost`, or `amqps://…` for TLS. What is
    /// left out is `guest`, `guest`, 5672 (5671 with TLS) and `/`, which is spelled `%2f`.
    ///
    /// Several hosts, with commas between them, are servers of one cluster. Each node is
    /// connected to one of them: the first, or, where that is out of reach, the next.
    ///
    /// Nothing is connected before a node is attached; what is wrong then is logged, without
    /// the password, and tried again for ever.
    ///
    /// # Errors
    ///
    /// Fails if it is no such URI.
    pub fn new(uri: &str) -> Result<Self, InvalidUri> {
        Ok(Self(Address::parse(uri)?.into()))
    }

    /// Which authorities may vouch for the broker, instead of those that browsers believe.
    /// It makes no difference without TLS.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, tls: TlsClient) -> Self {
        for address in Arc::make_mut(&mut self.0) {
            address.tls = address.tls.take().map(|_| tls.clone());
        }
        self
    }

    /// Attaches a node to whoever is at the far end of a stream, until that ends, and why it
    /// has: for fuzzing.
    #[doc(hidden)]
    pub fn attach_over(
        &self,
        stream: Box<dyn ByteStream>,
        member: Member,
        inbox: Arc<dyn Inbox>,
    ) -> (Arc<dyn Line>, impl Future<Output = Result<(), String>> + use<>) {
        let outbox = Arc::new(Outbox::new(member));
        let (addresses, line) = (self.0.clone(), Arc::new(Wire(outbox.clone())));
        let speaking = async move {
            let address = &addresses[0];
            let opened = greet(stream, address, &outbox.member.name).await;
            let opened = opened.map_err(|trouble| trouble.to_string())?;
            let (_, ended) = Session::run(opened, address, &outbox, &*inbox).await;
            ended.map_err(|trouble| trouble.to_string())
        };
        (line, speaking)
    }
}

impl Broker for Amqp {
    /// # Panics
    ///
    /// Panics outside of a tokio runtime.
    fn attach(&self, member: Member, inbox: Arc<dyn Inbox>) -> Arc<dyn Line> {
        let outbox = Arc::new(Outbox::new(member));
        let keeper = Keeper { addresses: self.0.clone(), outbox: outbox.clone(), inbox };
        tokio::spawn(keeper.keep());
        Arc::new(Wire(outbox))
    }

    /// Processes of @therms/rpc-server.
    fn has_others(&self) -> bool {
        true
    }
}

/// Keeps the connection of one node, and begins a new one when it is lost.
struct Keeper {
    addresses: Arc<[Address]>,
    outbox: Arc<Outbox>,
    inbox: Arc<dyn Inbox>,
}

impl Keeper {
    async fn keep(self) {
        let Self { addresses, outbox, inbox } = self;
        // said when nothing more is, and the inbox has been let go
        let _ended = outbox.ended.clone().drop_guard();
        let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
        let mut told = vec![String::new(); addresses.len()];
        let mut at = 0;
        while !outbox.has_left() {
            let (address, told) = (&addresses[at], &mut told[at]);
            at = (at + 1) % addresses.len();
            let since = now();
            let opened = select! {
                opened = open(address, &outbox.member.name) => opened,
                () = outbox.left() => break,
            };
            let (was_there, ended) = match opened {
                Ok(opened) => Session::run(opened, address, &outbox, &*inbox).await,
                Err(trouble) => (false, Err(trouble)),
            };
            outbox.lose();
            let Err(trouble) = ended else { break };
            if outbox.has_left() {
                break;
            }
            if was_there {
                inbox.arrived(Arrival::Lost);
            }
            log(address, &trouble, was_there, told);
            let lived = if was_there { now().saturating_duration_since(since) } else { Duration::ZERO };
            if lived >= STABLE {
                backoff.restart();
            }
            select! {
                () = sleep(backoff.pause()) => {}
                () = outbox.left() => break,
            }
        }
        drop(inbox);
    }
}

/// Says what is wrong, once for each thing that is.
fn log(address: &Address, trouble: &Trouble, was_there: bool, told: &mut String) {
    let (error, advice) = (trouble.to_string(), trouble.advice());
    if was_there {
        tracing::warn!(%address, error, advice, "RabbitMQ is lost");
    } else if error != *told {
        tracing::warn!(%address, error, advice, "RabbitMQ cannot be used");
    } else {
        tracing::debug!(%address, error, "RabbitMQ can still not be used");
    }
    *told = error;
}

impl fmt::Debug for Amqp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_tuple("Amqp");
        for address in &*self.0 {
            shown.field(&format_args!("{address}"));
        }
        shown.finish()
    }
}
