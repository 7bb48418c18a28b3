//! A clock that can be asked, and that tells those who subscribe.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};
use tokio::time::MissedTickBehavior;
use trunkline::{ConnectionId, FaultKind, Peer, Router, State, handler};

/// How often subscribers hear of it.
const EVERY: Duration = Duration::from_secs(1);

/// Who wants to know the time.
#[derive(Default)]
pub(super) struct Clock(Mutex<HashMap<ConnectionId, Peer>>);

impl Clock {
    /// Ticks for as long as it is awaited.
    pub(super) async fn run(&self) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.tick();
        }
    }

    /// Tells the time to all who want to know, and forgets who has gone. Who is
    /// there and does not listen misses it.
    fn tick(&self) {
        let now = [now()];
        let gone = |peer: &Peer| {
            peer.notify("clock.tick", &now).is_err_and(|fault| fault.kind() == FaultKind::Disconnected)
        };
        self.lock().retain(|_, peer| !gone(peer));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ConnectionId, Peer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time by UTC, as RFC 3339 writes it.
fn now() -> String {
    humantime::format_rfc3339_millis(SystemTime::now()).to_string()
}

/// Whether that is new.
async fn subscribe(clock: State<Clock>, peer: Peer) -> bool {
    clock.lock().insert(peer.connection().id(), peer).is_none()
}

/// Whether that is new.
async fn unsubscribe(clock: State<Clock>, peer: Peer) -> bool {
    clock.lock().remove(&peer.connection().id()).is_some()
}

/// The procedures.
pub(super) fn router(clock: Arc<Clock>) -> Router {
    Router::new()
        .shared_state(clock)
        .procedure("now", handler(async || now()).description("The time by UTC, as RFC 3339 writes it."))
        .procedure(
            "subscribe",
            handler(subscribe)
                .description("Sends `clock.tick` once a second; whether that is new.")
                .idempotent(),
        )
        .procedure(
            "unsubscribe",
            handler(unsubscribe).description("Sends no more `clock.tick`; whether that is new.").idempotent(),
        )
}
