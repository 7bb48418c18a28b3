//! [`Load`]: connections, and the calls on them.

use super::{progress::Progress, tally::Tally};
use crate::{failure::Failure, params::Params, signals, target::Target};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::de::IgnoredAny;
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time::sleep};
use trunkline::{
    Client, FaultKind,
    client::{ConnectionState, Reconnect},
};

const WARM_UP: Duration = Duration::from_secs(1);
/// How many connections are made at the same time.
const CONNECTING: usize = 64;
/// The pause after a call that did not reach the server.
const PAUSE: Duration = Duration::from_millis(10);

/// Connections, and how many calls each is to carry at a time.
pub(super) struct Load {
    clients: Vec<Client>,
    in_flight: u32,
}

/// What was counted, and in what time.
pub(super) struct Counted {
    pub(super) tally: Tally,
    pub(super) elapsed: Duration,
}

/// What those who call share.
struct Shared {
    phase: AtomicU8,
    calls: AtomicU64,
    errors: AtomicU64,
    /// Several, so that those who call seldom wait for each other.
    tallies: Vec<Mutex<Tally>>,
}

/// What is counted: nothing yet, everything, nothing any more.
const WARMING_UP: u8 = 0;
const COUNTING: u8 = 1;
const OVER: u8 = 2;

impl Load {
    /// Makes the connections.
    pub(super) async fn connect(target: &Target, connections: u32, in_flight: u32) -> Result<Self, Failure> {
        let dial =
            |_| async { Ok::<_, Failure>(target.client()?.reconnect(Reconnect::never()).connect().await?) };
        let clients =
            stream::iter(0..connections).map(dial).buffer_unordered(CONNECTING).try_collect().await?;
        Ok(Self { clients, in_flight })
    }

    /// Calls for a second, then counts for as long as `time`, or until nobody is
    /// left to call, or the user wants no more.
    pub(super) async fn run(self, method: String, params: Params, time: Duration) -> Counted {
        let shares = 2 * thread::available_parallelism().map_or(1, usize::from);
        let shared = Arc::new(Shared {
            phase: AtomicU8::new(WARMING_UP),
            calls: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            tallies: (0..shares).map(|_| Mutex::default()).collect(),
        });
        let work: Arc<(String, Params)> = Arc::new((method, params));
        let mut callers = JoinSet::new();
        for (index, client) in self.clients.iter().enumerate() {
            for _ in 0..self.in_flight {
                callers.spawn(call_on(client.clone(), work.clone(), shared.clone(), index % shares));
            }
        }
        let stop = signals::stop();
        tokio::pin!(stop);
        tokio::select! {
            () = sleep(WARM_UP) => {}
            () = &mut stop => {}
            () = all(&mut callers) => {}
        }
        shared.phase.store(COUNTING, Relaxed);
        let began = Instant::now();
        tokio::select! {
            () = sleep(time) => {}
            () = &mut stop => {}
            () = all(&mut callers) => {}
            () = shared.tell(began, time) => {}
        }
        shared.phase.store(OVER, Relaxed);
        let elapsed = began.elapsed();
        callers.shutdown().await;
        let mut tally = Tally::default();
        for share in &shared.tallies {
            tally.add(&share.lock().unwrap_or_else(PoisonError::into_inner));
        }
        Counted { tally, elapsed }
    }
}

/// Waits until nobody calls any more.
async fn all(callers: &mut JoinSet<()>) {
    while callers.join_next().await.is_some() {}
}

impl Shared {
    /// Tells now and then how it goes.
    async fn tell(&self, began: Instant, time: Duration) {
        let mut progress = Progress::new(began, time);
        loop {
            progress.tell(self.calls.load(Relaxed), self.errors.load(Relaxed));
            sleep(progress.pause()).await;
        }
    }
}

/// Calls, and calls again, until it is over or there is no connection any more.
async fn call_on(client: Client, work: Arc<(String, Params)>, shared: Arc<Shared>, share: usize) {
    let (method, params) = &*work;
    loop {
        let began = Instant::now();
        let answer = client.call::<IgnoredAny>(method, params).await;
        let took = began.elapsed();
        match shared.phase.load(Relaxed) {
            WARMING_UP => {}
            OVER => return,
            _ => {
                let count = if answer.is_ok() { &shared.calls } else { &shared.errors };
                count.fetch_add(1, Relaxed);
                let mut tally = shared.tallies[share].lock().unwrap_or_else(PoisonError::into_inner);
                tally.record(answer.as_ref().map(|_| took));
            }
        }
        let Err(fault) = answer else { continue };
        if fault.kind() == FaultKind::Disconnected && client.state() == ConnectionState::Closed {
            return;
        }
        if fault.code().is_none() {
            sleep(PAUSE).await;
        }
    }
}
