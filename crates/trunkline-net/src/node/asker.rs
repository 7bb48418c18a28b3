//! [`Asker`]: whoever asked for a call that is under way.

use futures_util::task::AtomicWaker;
use std::{
    future::poll_fn,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};

/// Whoever asked for a call that is under way: where it waits, and whether it still does.
pub(super) struct Asker {
    address: Mutex<Arc<str>>,
    has_gone: AtomicBool,
    /// The call, which ends then.
    call: AtomicWaker,
}

impl Asker {
    pub(super) fn at(reply_to: &str) -> Self {
        let address = Mutex::new(reply_to.into());
        Self { address, has_gone: AtomicBool::new(false), call: AtomicWaker::new() }
    }

    /// It waits where `other` does.
    pub(super) fn follow(&self, other: &Self) {
        let address = other.address();
        *self.address.lock().unwrap_or_else(PoisonError::into_inner) = address;
    }

    pub(super) fn address(&self) -> Arc<str> {
        self.address.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// It waits no longer.
    pub(super) fn go(&self) {
        self.has_gone.store(true, Ordering::Release);
        self.call.wake();
    }

    pub(super) fn has_gone(&self) -> bool {
        self.has_gone.load(Ordering::Acquire)
    }

    /// Ready once it waits no longer. One at a time may look out for that.
    pub(super) fn gone(&self) -> impl Future<Output = ()> {
        poll_fn(|cx| {
            self.call.register(cx.waker());
            match self.has_gone() {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
    }
}
