//! [`Aside`]: how a connection's task lets all others have their turn before it writes.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Wake, Waker},
};

/// Whether a task has stepped aside, and whether it is its turn again.
///
/// It is once the runtime has gone through what was ready, and asked for IO: only
/// then have all those been polled that may add to what is to be written, those
/// of a `LocalSet` and the one that `block_on` was given too. Being polled for
/// another reason meanwhile does not count.
#[derive(Debug, Default)]
pub(super) struct Aside {
    round: Option<Arc<Round>>,
    waiting: bool,
}

#[derive(Debug)]
struct Round {
    over: AtomicBool,
    task: Waker,
}

impl Aside {
    /// Steps aside once; whether it is not yet this task's turn again. The task is
    /// woken when it is.
    pub(super) fn is_waiting(&mut self, task: &Waker) -> bool {
        if self.waiting {
            self.waiting = self.round.as_ref().is_some_and(|round| !round.over.load(Ordering::Acquire));
            return self.waiting;
        }
        let round = match self.round.take() {
            Some(round) if round.task.will_wake(task) => round,
            _ => Arc::new(Round { over: AtomicBool::new(false), task: task.clone() }),
        };
        round.over.store(false, Ordering::Release);
        let waker = Waker::from(round.clone());
        // it is the first poll that asks to be woken in the next round
        let _ = pin!(tokio::task::yield_now()).poll(&mut Context::from_waker(&waker));
        // a place at the end of the queue, so that each of those ahead does not have the task polled
        task.wake_by_ref();
        self.round = Some(round);
        self.waiting = true;
        true
    }

    /// Whether the task has stepped aside, and has not had its turn yet.
    pub(super) fn has_begun(&self) -> bool {
        self.waiting
    }

    /// All has been said: the next time counts anew.
    pub(super) fn reset(&mut self) {
        self.waiting = false;
    }
}

impl Wake for Round {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.over.store(true, Ordering::Release);
        self.task.wake_by_ref();
    }
}
