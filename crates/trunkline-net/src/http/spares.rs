//! [`Spares`]: exchanges between one request and the next.

use crate::exchange::Exchange;
use std::{
    cell::Cell,
    fmt,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};
use trunkline_core::Context;

/// Threads that do not meet in one place.
const PLACES: usize = 16;

/// Exchanges of an endpoint that wait for the next request, one for each
/// thread. Whichever connection that comes by, the last one is still at hand: kept
/// with each connection, they would be far away every time.
pub(super) struct Spares([Mutex<Place>; PLACES]);

struct Place {
    last: Option<Box<Exchange>>,
    /// Who it is with meanwhile.
    nobody: Context,
}

impl Default for Spares {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(Place { last: None, nobody: Context::local() })))
    }
}

impl Spares {
    /// An exchange for `context`, if one was left.
    pub(super) fn take(&self, context: Context) -> Result<Box<Exchange>, Context> {
        let last = self.place().last.take();
        match last {
            Some(mut exchange) => {
                exchange.pass_to(context);
                Ok(exchange)
            }
            None => Err(context),
        }
    }

    /// Leaves an exchange, in which all has been answered.
    pub(super) fn leave(&self, mut exchange: Box<Exchange>) {
        let mut place = self.place();
        // what the last caller has sent is not to stay in memory
        let context = exchange.pass_to(place.nobody.clone());
        let before = place.last.replace(exchange);
        drop(place);
        drop((context, before));
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        self.0[here()].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of this thread.
fn here() -> usize {
    thread_local! {
        static HERE: Cell<Option<usize>> = const { Cell::new(None) };
    }
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    HERE.get().unwrap_or_else(|| {
        let here = NEXT.fetch_add(1, Relaxed) % PLACES;
        HERE.set(Some(here));
        here
    })
}

impl fmt::Debug for Spares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spares").finish_non_exhaustive()
    }
}
