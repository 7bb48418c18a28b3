//! [`Serving`]: what a node does for others.

use super::{
    asker::Asker,
    cancel,
    desk::Desk,
    forgone::Forgone,
    presence::Load,
    run::{Place, Run, Settled},
    workers::Workers,
};
use crate::{broker::Delivery, peers::Peers, service::Service};
use foldhash::fast::RandomState;
use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
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
    /// What was taken and is not done with.
    taken: TaskTracker,
    pub(super) workers: Workers,
}

#[derive(Default)]
struct Calls {
    /// Those under way that can be given up, by their ids. Programs of the network choose these,
    /// and are believed: there are no more than may be under way.
    running: HashMap<Arc<str>, Arc<Asker>, RandomState>,
    /// How many are under way, with those whose id another one has.
    count: usize,
    /// How many have come so far, those that there was no room for included.
    come: u64,
    forgone: Forgone,
}

/// What becomes of a request.
enum Taken {
    /// It is answered, and can be given up if it is listed: nobody else has its id.
    In { listed: bool },
    /// There is no room for it.
    Full,
    /// It is given up, or what it asks for is being done here.
    PassedOver,
}

impl Calls {
    fn enter(&mut self, id: &Arc<str>, asker: &Arc<Asker>, may_be_here: bool, most: usize) -> Taken {
        if self.forgone.contains(id) {
            return Taken::PassedOver;
        }
        if may_be_here && let Some(running) = self.running.get(id) {
            // who asks again may have another address by now
            running.follow(asker);
            return Taken::PassedOver;
        }
        self.come += 1;
        if self.count >= most {
            return Taken::Full;
        }
        self.count += 1;
        // ids that are not of our making may be the same; those nobody gives up
        let place = self.running.entry(id.clone());
        let listed = matches!(place, Entry::Vacant(_));
        place.or_insert_with(|| asker.clone());
        Taken::In { listed }
    }
}

impl Serving {
    /// # Panics
    ///
    /// Panics outside of a tokio runtime.
    #[track_caller]
    pub(super) fn new(outside: Service, within: Service, desk: Arc<Desk>) -> Self {
        let (calls, taken, workers) = (Mutex::default(), TaskTracker::new(), Workers::new());
        Self { desk, outside, within, calls, taken, workers }
    }

    /// What a call is served by.
    pub(super) fn service(&self, internal: bool) -> &Service {
        if internal { &self.within } else { &self.outside }
    }

    /// Takes a request, and has it run by one of the [workers](Workers).
    pub(super) fn take(self: &Arc<Self>, delivery: &Delivery<'_>) {
        let settled = Settled { desk: self.desk.clone(), ticket: delivery.ticket };
        let limits = &self.outside.limits;
        let opened = self.desk.envelope.open(&delivery.body, limits);
        // there is nobody to answer to if it is no request
        let Some(opened) = opened else {
            self.desk.not_understood("request", &delivery.body);
            return self.pass_over(settled);
        };
        let is_idempotent = is_idempotent(self.service(opened.internal), &opened.procedure);
        let repeated = delivery.redelivered || opened.repeated;
        let mut fault = if delivery.body.len() > limits.max_message.saturating_add(limits.max_head) {
            Some(too_large(limits.max_message))
        } else if opened.procedure.starts_with("rpc.") {
            Some(unknown(&opened.procedure))
        } else {
            None
        };
        let (id, asker) = (opened.id.clone(), Arc::new(Asker::at(delivery.reply_to)));
        let mut remark = is_idempotent.then_some(Remark::Idempotent);
        let taken = {
            let may_be_here = repeated && opened.understands;
            self.calls().enter(&id, &asker, may_be_here, limits.max_in_flight)
        };
        if let Taken::PassedOver = taken {
            return self.pass_over(settled);
        }
        if repeated && !is_idempotent {
            fault = fault.or_else(|| Some(may_have_run()));
        }
        let listed = match taken {
            Taken::In { listed } => Some(Listed { serving: self.clone(), id: listed.then(|| id.clone()) }),
            _ => {
                // who may have run elsewhere is not to be tried once more as if it had not
                if fault.is_none() {
                    (fault, remark) = (Some(full(limits.max_in_flight)), Some(Remark::NotStarted));
                }
                None
            }
        };
        let place = Place { _listed: listed, settled: Some(settled), _taken: self.taken.token() };
        let (serving, body) = (self.clone(), delivery.body.clone());
        let run = Run { serving, opened, body, asker, repeated, fault, remark, place };
        self.workers.run(Box::new(run));
    }

    /// Does nothing with a request. Settling it here and now might bring the next one,
    /// and that the next, each inside of the one before.
    fn pass_over(&self, settled: Settled) {
        self.taken.spawn_on(async move { drop(settled) }, &self.workers.runtime);
    }

    /// Whoever asked for a call may have given it up.
    pub(super) fn cancel(&self, body: &[u8]) {
        let Some((id, left)) = cancel::read(body) else { return };
        let mut calls = self.calls();
        if let Some(asker) = calls.running.remove(id) {
            asker.go();
        }
        // another attempt at it may be on its way, and is not begun with either
        calls.forgone.insert(id, left);
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
        self.taken.close();
        self.taken.wait().await;
    }

    /// Breaks off what still runs.
    pub(super) fn break_off(&self) {
        self.calls().running.drain().for_each(|(_, asker)| asker.go());
    }

    /// No code of others runs under this lock, so that it cannot be poisoned half-way.
    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As long as a call is under way.
pub(super) struct Listed {
    serving: Arc<Serving>,
    /// If it is among those that can be given up.
    id: Option<Arc<str>>,
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
