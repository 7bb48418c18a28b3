//! [`watch`]: sees to it that a connection ends when it should.
//!
//! hyper has one time limit for all that happens before a request, and sets a
//! timer for every request to keep it. Here one lazy timer keeps several: a
//! request costs a look at the clock once nothing more is to be done.

use super::line::{Line, Phase};
use std::{
    future::poll_fn,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};
use tokio::time::{Instant, sleep_until};
use trunkline_core::Limits;

/// How often hyper, which stops after some requests to let other connections
/// have their turn, is made to go on before the replies are sent.
const ROUNDS: usize = 8;
/// How long a connection with nothing under way may take to part.
const PARTING: Duration = Duration::from_secs(1);
/// How long a connection of HTTP/1.1 with nothing under way is kept for a last request. One
/// may be on its way when the shutdown begins: if it met a closed connection its client could
/// not tell whether it has run. Half of `drain_timeout` at most.
pub(super) const LAST_CALL: Duration = Duration::from_millis(500);
/// As good as never, and no further ahead than clocks go.
pub(super) const AGES: Duration = Duration::from_secs(30 * 365 * 24 * 3600);

/// Drives a connection to its end, or until a limit or the shutdown breaks it
/// off: then `None`. `finish` tells it to end with what is under way; in a shutdown one with
/// nothing under way is told after `last_call`, until when a request may still come.
pub(super) async fn watch<C: Future>(
    connection: C,
    finish: impl Fn(Pin<&mut C>),
    line: &Line,
    since: Instant,
    last_call: Duration,
) -> Option<C::Output> {
    let limits = &*line.site.limits;
    let mut connection = pin!(connection);
    let mut begun = pin!(line.site.shutdown.begun());
    let mut alarm = pin!(sleep_until(after(since, limits.handshake_timeout)));
    let mut notice: Option<(Arc<Notice>, Waker)> = None;
    let (mut seen, mut since) = (line.phase(), since);
    let (mut finish_at, mut leave_at) = (None, None);
    poll_fn(|cx| {
        if notice.as_ref().is_none_or(|(_, task)| !task.will_wake(cx.waker())) {
            // the shutdown keeps its waiters under a lock, so it is asked only once
            let given = Arc::new(Notice { given: AtomicBool::new(false), task: cx.waker().clone() });
            if begun.as_mut().poll(&mut Context::from_waker(&given.clone().into())).is_ready() {
                given.given.store(true, Relaxed);
            }
            let _ = alarm.as_mut().poll(cx);
            notice = Some((given, cx.waker().clone()));
        }
        loop {
            let leaving = notice.as_ref().is_some_and(|(notice, _)| notice.given.load(Relaxed));
            if leaving && !last_call.is_zero() {
                line.parts();
            }
            if let Poll::Ready(ended) = poll(connection.as_mut(), line, cx) {
                return Poll::Ready(Some(ended));
            }
            let phase = line.phase();
            if phase != seen {
                (seen, since) = (phase, Instant::now());
            }
            if leaving && leave_at.is_none() {
                let now = Instant::now();
                let under_way = matches!(phase.0, Phase::Busy | Phase::Stuck(_) | Phase::Unread(_));
                let finish_at = *finish_at.get_or_insert_with(|| after(now, last_call));
                if under_way || finish_at <= now {
                    leave_at = Some(after(now, if under_way { limits.drain_timeout } else { PARTING }));
                    finish(connection.as_mut());
                    continue;
                }
            }
            let limit = time_for(phase.0, limits).map(|span| after(since, span));
            let next = [limit, leave_at.or(finish_at)].into_iter().flatten().min();
            if !alarm.is_elapsed() && next.is_none_or(|next| alarm.deadline() <= next) {
                return Poll::Pending;
            }
            let now = Instant::now();
            if next.is_some_and(|next| next <= now) {
                if phase.0 != Phase::Idle || leave_at.is_some() {
                    tracing::debug!(remote = %line.remote, ?phase, "an HTTP connection is broken off");
                    return Poll::Ready(None);
                }
                leave_at = Some(after(now, PARTING));
                finish(connection.as_mut());
                continue;
            }
            // a connection that is busy is looked at again, since it may fall idle unseen
            alarm.as_mut().reset(next.unwrap_or_else(|| after(now, limits.idle_timeout)));
            if alarm.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    })
    .await
}

/// Polls a connection, and sees to it that no reply is held back when it waits.
fn poll<C: Future>(mut connection: Pin<&mut C>, line: &Line, cx: &mut Context<'_>) -> Poll<C::Output> {
    for _ in 0..ROUNDS {
        let begun = line.begun();
        if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
            return Poll::Ready(ended);
        }
        if !line.has_unsent() {
            return Poll::Pending;
        }
        if line.begun() == begun {
            break;
        }
    }
    line.be_patient(false);
    let polled = connection.poll(cx);
    line.be_patient(true);
    polled
}

/// How long a phase may last; being busy is limited by those who are.
fn time_for(phase: Phase, limits: &Limits) -> Option<Duration> {
    match phase {
        Phase::First | Phase::Head => Some(limits.handshake_timeout),
        Phase::Idle => Some(limits.idle_timeout),
        Phase::Stuck(_) | Phase::Unread(_) => Some(limits.stall_timeout),
        Phase::Busy => None,
    }
}

/// A time ahead, as far as clocks go.
pub(super) fn after(from: Instant, span: Duration) -> Instant {
    from.checked_add(span).unwrap_or(from + AGES)
}

/// Remembers that the shutdown has begun.
struct Notice {
    given: AtomicBool,
    task: Waker,
}

impl Wake for Notice {
    fn wake(self: Arc<Self>) {
        self.given.store(true, Relaxed);
        self.task.wake_by_ref();
    }
}
