//! [`Workers`]: the tasks that run calls of others.

use super::run::Run;
use crate::{exchange::Exchange, service::Service};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::{runtime::Handle, sync::oneshot};
use trunkline_core::Context;

/// How many wait for a call at most, some 3 KiB each.
const MOST_IDLE: usize = 256;

/// The tasks that run calls of others, one at a time each. They are kept for the calls to
/// come, with what they need for it: most calls take less than to make that anew.
pub(super) struct Workers {
    /// Those that wait for a call, the last one first: what it needs is still at hand.
    idle: Mutex<Vec<oneshot::Sender<Box<Run>>>>,
    /// Brokers may speak from threads of their own.
    pub(super) runtime: Handle,
}

impl Workers {
    /// # Panics
    ///
    /// Panics outside of a tokio runtime.
    #[track_caller]
    pub(super) fn new() -> Self {
        Self { idle: Mutex::default(), runtime: Handle::current() }
    }

    /// Has a call run by whoever has nothing to do.
    pub(super) fn run(&self, mut run: Box<Run>) {
        while let Some(worker) = self.take_idle() {
            match worker.send(run) {
                Ok(()) => return,
                // its runtime is shutting down
                Err(untaken) => run = untaken,
            }
        }
        self.runtime.spawn(work(run));
    }

    /// A call for one who has nothing to do, once there is one; `None` if enough wait.
    fn next(&self) -> Option<oneshot::Receiver<Box<Run>>> {
        let mut idle = self.idle();
        (idle.len() < MOST_IDLE).then(|| {
            let (worker, next) = oneshot::channel();
            idle.push(worker);
            next
        })
    }

    fn take_idle(&self) -> Option<oneshot::Sender<Box<Run>>> {
        self.idle().pop()
    }

    /// No code of others runs under this lock, so that it cannot be poisoned half-way.
    fn idle(&self) -> MutexGuard<'_, Vec<oneshot::Sender<Box<Run>>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs calls until there are none to be expected: enough wait for them, or the node is gone.
async fn work(mut run: Box<Run>) {
    let mut exchanges = Exchanges::default();
    loop {
        let serving = run.serving.clone();
        let place = run.finish(&mut exchanges).await;
        // first there is one more who can take a call, and then it may come
        let next = serving.workers.next();
        drop((place, serving));
        let Some(next) = next else { return };
        let Ok(next) = next.await else { return };
        run = next;
    }
}

/// The exchanges of one worker between one call and the next, with nobody: for calls of
/// strangers, and for those of the network's own programs.
#[derive(Default)]
pub(super) struct Exchanges([Option<Box<Exchange>>; 2]);

impl Exchanges {
    pub(super) fn take(&mut self, internal: bool, service: &Service) -> Box<Exchange> {
        let last = self.0[usize::from(internal)].take();
        last.unwrap_or_else(|| Box::new(Exchange::new(service, Context::local())))
    }

    /// Keeps one in which all has been answered.
    pub(super) fn leave(&mut self, internal: bool, exchange: Box<Exchange>) {
        self.0[usize::from(internal)] = Some(exchange);
    }
}
