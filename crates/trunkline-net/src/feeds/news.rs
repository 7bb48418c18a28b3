//! [`News`]: of which streams there is something to tell the caller.

use super::inlet::Inlet;
use crate::peer::Shared;
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

/// Streams of a connection of which there is something to tell the caller.
pub(super) struct News {
    inlets: Mutex<Vec<Arc<Inlet>>>,
    is_there: AtomicBool,
    shared: Arc<Shared>,
}

impl News {
    /// News that the task which is behind `shared` tells.
    pub(super) fn to(shared: Arc<Shared>) -> Arc<Self> {
        Arc::new(Self { inlets: Mutex::default(), is_there: AtomicBool::new(false), shared })
    }

    #[inline]
    pub(super) fn is_there(&self) -> bool {
        self.is_there.load(Ordering::Acquire)
    }

    fn inlets(&self) -> MutexGuard<'_, Vec<Arc<Inlet>>> {
        self.inlets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, inlet: Arc<Inlet>) {
        self.inlets().push(inlet);
        self.is_there.store(true, Ordering::Release);
        self.shared.wake();
    }

    pub(super) fn take(&self) -> Vec<Arc<Inlet>> {
        if !self.is_there.swap(false, Ordering::AcqRel) {
            return Vec::new();
        }
        std::mem::take(&mut self.inlets())
    }
}
