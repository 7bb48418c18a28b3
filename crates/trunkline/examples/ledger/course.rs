//! [`Caller`]: makes one call after the other, as a client does that has two gateways to choose from.

use super::level::Level;
use std::{
    fmt,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use tokio::time::{Instant, sleep, timeout};
use trunkline::{
    Client, Fault, FaultKind,
    client::{ConnectionState, DialError, Reconnect},
};

/// How long a call may take until somebody has said how it ended: the gateways give it half
/// of that, and the rest is for a machine that has much to do.
const ENDED: Duration = Duration::from_secs(60);

/// How long a caller goes on that may try again.
const PATIENCE: Duration = Duration::from_secs(120);

/// Before it tries again elsewhere.
const PAUSE: Duration = Duration::from_millis(20);

/// A client of each gateway, of which one is used until it fails.
pub(crate) struct Caller {
    clients: Vec<Client>,
    used: AtomicUsize,
}

/// How a call has ended for its caller.
pub(crate) enum Outcome {
    Answered,
    /// It is certain that it has not run.
    Refused(Fault),
    /// Its time is up, says the gateway.
    Late(Fault),
    /// It may have run, or has failed.
    Failed(Fault),
    /// Somebody else's answer.
    Strange(u64),
    /// Nothing was heard of it in time.
    Hung,
}

impl Caller {
    /// By way of these gateways, the first one first.
    pub(crate) fn new<'a>(addresses: impl Iterator<Item = &'a str>) -> Result<Self, DialError> {
        let client = |address| {
            Client::builder(address)
                // it is for the gateway to say that a call takes too long
                .call_timeout(2 * PATIENCE)
                .reconnect(Reconnect::backoff(Duration::from_millis(50), Duration::from_millis(500)))
                .connect_lazy()
        };
        Ok(Self { clients: addresses.map(client).collect::<Result<_, _>>()?, used: AtomicUsize::new(0) })
    }

    /// Makes a call, and gives how it ended and how often it was tried.
    ///
    /// It is tried again, elsewhere, if it is certain that it has not run; and if it is
    /// idempotent, also if the connection to the gateway is lost. What the gateway says of one
    /// that it has passed on is the end of it.
    pub(crate) async fn call(&self, token: u64) -> (Outcome, u32) {
        let (level, since) = (Level::of(token), Instant::now());
        for tried in 1.. {
            let (used, client) = self.client().await;
            let call = client.call::<u64>(level.procedure(), (token,));
            let fault = match timeout(ENDED, call).await {
                Err(_) => return (Outcome::Hung, tried),
                Ok(Ok(answer)) if answer == token => return (Outcome::Answered, tried),
                Ok(Ok(answer)) => return (Outcome::Strange(answer), tried),
                Ok(Err(fault)) => fault,
            };
            // what the gateway has answered has a code
            let is_cut_off = fault.kind() == FaultKind::Disconnected && fault.code().is_none();
            let may_try_again =
                fault.kind() == FaultKind::Unavailable || (is_cut_off && level == Level::Again);
            if !may_try_again || since.elapsed() > PATIENCE {
                return (Outcome::of(fault), tried);
            }
            // unless another call of this caller has done so already
            let next = (used + 1) % self.clients.len();
            let _ = self.used.compare_exchange(used, next, Ordering::Relaxed, Ordering::Relaxed);
            sleep(PAUSE).await;
        }
        unreachable!("it is tried without an end")
    }

    /// The client that is used, or another one if that has no connection.
    async fn client(&self) -> (usize, &Client) {
        loop {
            let used = self.used.load(Ordering::Relaxed);
            let others = (0..self.clients.len()).map(|step| (used + step) % self.clients.len());
            for index in others {
                let client = &self.clients[index];
                if client.state() == ConnectionState::Connected {
                    return (index, client);
                }
            }
            sleep(PAUSE).await;
        }
    }
}

impl Outcome {
    fn of(fault: Fault) -> Self {
        match fault.kind() {
            FaultKind::Unavailable | FaultKind::NotFound => Self::Refused(fault),
            FaultKind::DeadlineExceeded => Self::Late(fault),
            _ => Self::Failed(fault),
        }
    }
}

/// A word, and what is known besides.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, fault) = match self {
            Self::Answered => return f.write_str("answered"),
            Self::Hung => return f.write_str("hung"),
            Self::Strange(token) => return write!(f, "strange the answer of {token}"),
            Self::Refused(fault) => ("refused", fault),
            Self::Late(fault) => ("late", fault),
            Self::Failed(fault) => ("failed", fault),
        };
        let by = if fault.code().is_some() { "gateway" } else { "client" };
        write!(f, "{word} {by}: {:?}: {fault}", fault.kind())
    }
}
