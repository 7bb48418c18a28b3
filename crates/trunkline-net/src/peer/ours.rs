//! What becomes of calls of ours, from what the far side says.

use super::{Shared, broken_off, pending::Answered};
use crate::clock::{after, now};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, atomic::Ordering},
    time::Instant,
};
use trunkline_core::{
    Fault, FaultKind, Signal,
    framing::{Goodbye, Unframed},
};

/// As much of a complaint as is logged, in characters.
const LONGEST_COMPLAINT: usize = 200;

/// Takes what concerns calls of ours. Values are user code, and may panic when they are
/// dropped because nobody waits for them any more.
pub(super) fn heard(shared: &Shared, signal: Signal<'_>) {
    if catch_unwind(AssertUnwindSafe(|| take(shared, signal))).is_err() {
        tracing::error!(connection = %shared.connection().id(), "what an answer was to become panicked");
    }
}

fn take(shared: &Shared, signal: Signal<'_>) {
    match signal {
        Signal::Reply { id, outcome } => {
            let answered = shared.state().pending.remove(id);
            match answered {
                Some(answered) => answered.answer(outcome),
                None => {
                    shared.unmatched.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        Signal::Item { stream, outcome } => {
            let listener = shared.state().streams.get(stream).cloned();
            // what was on its way when nobody listened any more goes unheard
            match listener {
                None => {
                    shared.unmatched.fetch_add(1, Ordering::Relaxed);
                }
                Some(listener) if !listener.hear(outcome) => {
                    shared.state().forget(stream, Arc::as_ptr(&listener).addr());
                }
                Some(_) => {}
            }
        }
        Signal::Wants { id, items } => {
            let sending = shared.state().sending.get(&id).cloned();
            if let Some(timeout) = sending.and_then(|sending| sending.want(items)) {
                shared.state().pending.extend(id, after(now(), timeout));
            }
        }
        Signal::Missed { stream, items } => {
            let listener = shared.state().streams.get(stream).cloned();
            if let Some(listener) = listener {
                listener.missed(items);
            }
        }
        Signal::BatchLost { id, fault } => {
            let lost = shared.state().pending.remove_batch(id);
            if lost.is_empty() {
                shared.unmatched.fetch_add(1, Ordering::Relaxed);
            }
            fail(lost, &fault);
        }
        Signal::Refused(fault) => {
            let refused = shared.state().refused();
            if refused.is_empty() {
                return take(shared, Signal::Complaint(fault));
            }
            fail(refused, &fault);
        }
        Signal::Complaint(fault) => {
            // in words of the far side's choice, and as often as it likes
            let message: String = fault.message().chars().take(LONGEST_COMPLAINT).collect();
            let code = fault.code();
            tracing::debug!(connection = %shared.connection().id(), ?code, ?message, "the far side complains");
        }
        _ => {}
    }
}

/// Fails the calls of ours that have run out, and tells the far side; whether there were any.
pub(super) fn expire_due(shared: &Shared, now: Instant) -> bool {
    let expired = {
        let mut state = shared.state();
        match state.pending.earliest().is_some_and(|at| at <= now) {
            true => state.pending.expire(now),
            false => return false,
        }
    };
    for (id, answered) in &expired {
        let message = "no answer within the deadline of the call";
        answered.answer(Err(Fault::new(FaultKind::DeadlineExceeded, message)));
        shared.state().tell(|speaker, out| speaker.cancel(*id, out));
    }
    !expired.is_empty()
}

/// The far side will say nothing more, so calls of ours get no answer.
pub(super) fn nobody_answers_any_more(shared: &Shared, fault: &Fault) {
    let (pending, streams, sending) = {
        let mut state = shared.state();
        state.unheard = true;
        (state.pending.drain(), state.take_streams(), state.take_sending())
    };
    fail(pending, fault);
    for listener in streams {
        listener.hear(Err(broken_off()));
    }
    for sending in sending {
        sending.cut(Err(broken_off()));
    }
}

/// Fails calls of ours.
fn fail(calls: Vec<Arc<dyn Answered>>, fault: &Fault) {
    for answered in calls {
        answered.answer(Err(fault.clone()));
    }
}

/// What is said of a call whose answer would come behind something that cannot be read.
pub(super) fn cut_short(unframed: &Unframed) -> Fault {
    let setting = if unframed.goodbye == Goodbye::TooLarge { " `max_message`" } else { "" };
    let message = format!(
        "the connection had to be closed before the answer came, because of {}{setting}: \
         whether the procedure ran is not known",
        unframed.reason
    );
    Fault::new(FaultKind::Disconnected, message)
}
