//! [`Serving`]: what a node does for others.

use super::{
    desk::Desk,
    forgone::Forgone,
    run::{Run, Settled},
};
use crate::{broker::Delivery, service::Service};
use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{runtime::Handle, sync::oneshot};
use tokio_util::task::TaskTracker;
use trunkline_core::{Fault, FaultKind, router::unknown};

/// What a node does for others.
pub(super) struct Serving {
    pub(super) desk: Arc<Desk>,
    /// For calls of strangers, which a gateway has passed on.
    outside: Service,
    /// For calls of the network's own programs.
    within: Service,
    calls: Mutex<Calls>,
    tasks: TaskTracker,
    /// Brokers may speak from threads of their own.
    runtime: Handle,
}

#[derive(Default)]
struct Calls {
    /// Those under way, by their ids; each ends when this is dropped.
    running: HashMap<Box<str>, oneshot::Sender<()>>,
    forgone: Forgone,
}

impl Serving {
    /// # Panics
    ///
    /// Panics outside of a tokio runtime.
    #[track_caller]
    pub(super) fn new(outside: Service, within: Service, desk: Arc<Desk>) -> Self {
        let (calls, tasks, runtime) = (Mutex::default(), TaskTracker::new(), Handle::current());
        Self { desk, outside, within, calls, tasks, runtime }
    }

    /// Takes a request, and runs it on a task of its own.
    pub(super) fn take(self: &Arc<Self>, delivery: &Delivery<'_>) {
        let settled = Settled { desk: self.desk.clone(), ticket: delivery.ticket };
        let limits = &self.outside.limits;
        let opened = self.desk.envelope.open(&delivery.body, limits);
        // there is nobody to answer to if it is no request
        let Some(opened) = opened else { return self.pass_over(settled) };
        let service = if opened.internal { &self.within } else { &self.outside };
        let fault = if delivery.body.len() > limits.max_message.saturating_add(limits.max_head) {
            Some(too_large(limits.max_message))
        } else if opened.procedure.starts_with("rpc.") {
            Some(unknown(&opened.procedure))
        } else if delivery.redelivered && !is_idempotent(service, &opened.procedure) {
            Some(may_have_run())
        } else {
            None
        };
        let given_up = {
            let mut calls = self.calls();
            if calls.forgone.contains(&opened.id) {
                return self.pass_over(settled);
            }
            let (sender, receiver) = oneshot::channel();
            // ids that are not of our making may be the same; those nobody gives up
            match calls.running.entry(opened.id.clone()) {
                Entry::Vacant(place) => {
                    place.insert(sender);
                    Some(receiver)
                }
                Entry::Occupied(_) => None,
            }
        };
        let listed = given_up.is_some().then(|| Listed { serving: self.clone(), id: opened.id.clone() });
        let run = Run {
            service: service.clone(),
            opened,
            body: delivery.body.clone(),
            reply_to: delivery.reply_to.into(),
            fault,
            settled,
        };
        let task = async move {
            run.finish(given_up).await;
            drop(listed);
        };
        self.tasks.spawn_on(task, &self.runtime);
    }

    /// Does nothing with a request. Settling it here and now might bring the next one,
    /// and that the next, each inside of the one before.
    fn pass_over(&self, settled: Settled) {
        self.tasks.spawn_on(async move { drop(settled) }, &self.runtime);
    }

    /// Whoever asked for a call has given it up.
    pub(super) fn cancel(&self, id: &[u8]) {
        let Ok(id) = std::str::from_utf8(id) else { return };
        let mut calls = self.calls();
        if calls.running.remove(id).is_none() {
            calls.forgone.insert(id);
        }
    }

    /// Waits until all that was taken is answered.
    pub(super) async fn finish(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Breaks off what still runs.
    pub(super) fn break_off(&self) {
        self.calls().running.clear();
    }

    /// No code of others runs under this lock, so that it cannot be poisoned half-way.
    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As long as a call is among those that can be given up.
struct Listed {
    serving: Arc<Serving>,
    id: Box<str>,
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.serving.calls().running.remove(&self.id);
    }
}

fn is_idempotent(service: &Service, procedure: &str) -> bool {
    service.router.find(procedure).is_some_and(|route| route.details().idempotent)
}

#[cold]
fn may_have_run() -> Fault {
    let message = "the node that had taken this call is gone: it may have run there, and is not run again";
    Fault::new(FaultKind::Disconnected, message)
        .with_data("procedures that may run twice are registered as idempotent")
}

#[cold]
fn too_large(limit: usize) -> Fault {
    Fault::new(FaultKind::RequestTooLarge, "Request is too big").with_data(format!(
        "the arguments are over {limit} bytes, the setting `max_message` of the node's limits"
    ))
}
