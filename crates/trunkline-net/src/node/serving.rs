//! [`Serving`]: what a node does for others.

use super::{
    cancel,
    desk::Desk,
    forgone::Forgone,
    presence::Load,
    run::{AskedFrom, Run, Settled},
};
use crate::{broker::Delivery, peers::Peers, service::Service};
use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::{runtime::Handle, sync::oneshot};
use tokio_util::task::TaskTracker;
use trunkline_core::{Fault, FaultKind, envelope::Remark, router::unknown};

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
    /// Those under way, by their ids.
    running: HashMap<Box<str>, Running>,
    /// How many are under way, with those whose id another one has.
    count: usize,
    /// How many have come so far, those that there was no room for included.
    come: u64,
    forgone: Forgone,
}

/// A call under way, which ends when this is dropped.
struct Running {
    _until: oneshot::Sender<()>,
    asked_from: AskedFrom,
}

/// What becomes of a request.
enum Taken {
    /// It is answered, and can be given up if nobody else has its id.
    In(Option<oneshot::Receiver<()>>),
    /// There is no room for it.
    Full,
    /// It is given up, or what it asks for is being done here.
    PassedOver,
}

impl Calls {
    fn enter(&mut self, id: &str, from: &AskedFrom, may_be_here: bool, most: usize) -> Taken {
        if self.forgone.contains(id) {
            return Taken::PassedOver;
        }
        if may_be_here && let Some(running) = self.running.get(id) {
            // who asks again may have another address by now
            running.asked_from.follow(from);
            return Taken::PassedOver;
        }
        self.come += 1;
        if self.count >= most {
            return Taken::Full;
        }
        self.count += 1;
        let (until, receiver) = oneshot::channel();
        // ids that are not of our making may be the same; those nobody gives up
        Taken::In(match self.running.entry(id.into()) {
            Entry::Vacant(place) => {
                place.insert(Running { _until: until, asked_from: from.clone() });
                Some(receiver)
            }
            Entry::Occupied(_) => None,
        })
    }
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
        let Some(opened) = opened else {
            self.desk.not_understood("request", &delivery.body);
            return self.pass_over(settled);
        };
        let service = if opened.internal { &self.within } else { &self.outside };
        let is_idempotent = is_idempotent(service, &opened.procedure);
        let repeated = delivery.redelivered || opened.repeated;
        let mut fault = if delivery.body.len() > limits.max_message.saturating_add(limits.max_head) {
            Some(too_large(limits.max_message))
        } else if opened.procedure.starts_with("rpc.") {
            Some(unknown(&opened.procedure))
        } else {
            None
        };
        let asked_from = AskedFrom::new(delivery.reply_to);
        let mut remark = is_idempotent.then_some(Remark::Idempotent);
        let taken = {
            let may_be_here = repeated && opened.understands;
            self.calls().enter(&opened.id, &asked_from, may_be_here, limits.max_in_flight)
        };
        if let Taken::PassedOver = taken {
            return self.pass_over(settled);
        }
        if repeated && !is_idempotent {
            fault = fault.or_else(|| Some(may_have_run()));
        }
        let (given_up, listed) = match taken {
            Taken::In(given_up) => {
                let id = given_up.is_some().then(|| opened.id.clone());
                (given_up, Some(Listed { serving: self.clone(), id }))
            }
            _ => {
                // who may have run elsewhere is not to be tried once more as if it had not
                if fault.is_none() {
                    (fault, remark) = (Some(full(limits.max_in_flight)), Some(Remark::NotStarted));
                }
                (None, None)
            }
        };
        let run = Run {
            service: service.clone(),
            opened,
            body: delivery.body.clone(),
            asked_from,
            repeated,
            fault,
            remark,
            settled,
        };
        let task = async move {
            let settled = run.finish(given_up).await;
            // first there is room for another, and then it may come
            drop(listed);
            drop(settled);
        };
        self.tasks.spawn_on(task, &self.runtime);
    }

    /// Does nothing with a request. Settling it here and now might bring the next one,
    /// and that the next, each inside of the one before.
    fn pass_over(&self, settled: Settled) {
        self.tasks.spawn_on(async move { drop(settled) }, &self.runtime);
    }

    /// Whoever asked for a call may have given it up.
    pub(super) fn cancel(&self, body: &[u8]) {
        let Some((id, left)) = cancel::read(body) else { return };
        let mut calls = self.calls();
        if calls.running.remove(id).is_none() {
            calls.forgone.insert(id, left);
        }
    }

    /// What the node does.
    pub(super) fn load(&self, clients: &Peers, faults: &AtomicU64) -> Load {
        let whole = |count: usize| count as u64;
        let (running, calls) = {
            let calls = self.calls();
            (whole(calls.count), calls.come)
        };
        Load {
            clients: whole(clients.len()),
            running,
            max_running: whole(self.outside.limits.max_in_flight),
            waiting: whole(self.desk.pending.len()),
            calls,
            faults: faults.load(Ordering::Relaxed),
            asked: self.desk.asked.load(Ordering::Relaxed),
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

/// As long as a call is under way.
struct Listed {
    serving: Arc<Serving>,
    /// If it is among those that can be given up.
    id: Option<Box<str>>,
}

impl Drop for Listed {
    fn drop(&mut self) {
        let mut calls = self.serving.calls();
        calls.count -= 1;
        if let Some(id) = &self.id {
            calls.running.remove(id);
        }
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
fn full(most: usize) -> Fault {
    Fault::new(
        FaultKind::Unavailable,
        "this node has as many calls as it takes, and has not begun with this one",
    )
    .with_data(format!("{most} calls at a time, the setting `max_in_flight` of the node's limits"))
}

#[cold]
fn too_large(limit: usize) -> Fault {
    Fault::new(FaultKind::RequestTooLarge, "Request is too big").with_data(format!(
        "the arguments are over {limit} bytes, the setting `max_message` of the node's limits"
    ))
}
