//! A clock that can be asked, and that tells those who subscribe.

use futures_util::{Stream, stream};
use std::time::{Duration, SystemTime};
use tokio::time::{MissedTickBehavior, interval};
use trunkline::{Lag, Router, handler};

/// How often it ticks.
const EVERY: Duration = Duration::from_secs(1);

/// The time by UTC, as RFC 3339 writes it.
fn now() -> String {
    humantime::format_rfc3339_millis(SystemTime::now()).to_string()
}

async fn ticks() -> impl Stream<Item = String> {
    let mut interval = interval(EVERY);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    stream::unfold(interval, |mut interval| async {
        interval.tick().await;
        Some((now(), interval))
    })
}

/// The procedures.
pub(super) fn router() -> Router {
    Router::new()
        .procedure("now", handler(async || now()).description("The time by UTC, as RFC 3339 writes it."))
        .procedure("ticks", handler(ticks).lag(Lag::Coalesce).description("The time, once a second."))
}
