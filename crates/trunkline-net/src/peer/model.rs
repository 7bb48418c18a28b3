//! T29: the table of our calls under way, as all use it who do, against a simple model.

use super::{Awaited, Begun, Driver, Peer, ours, unanswered};
use crate::{link::Link, serve::CALL_TIMEOUT, service::Service};
use proptest::prelude::*;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};
use trunkline_core::{FaultKind, Payload, Router, Signal};
use trunkline_dialects::jsonrpc::JsonRpc;

#[derive(Clone, Debug)]
enum Step {
    /// A call is made, which has so many seconds.
    Call(Option<u8>),
    /// A call is answered: in time, too late, or once more.
    Answer(usize, u32),
    /// An answer has a number that no call ever had.
    Forge(u64),
    /// The caller gives up, whether there is an answer or not.
    GiveUp(usize),
    /// The caller has a look.
    Look(usize),
    /// So many seconds pass.
    Pass(u8),
    /// The caller has more time.
    Extend(usize, u8),
}

fn step() -> impl Strategy<Value = Step> {
    let which = 0..64_usize;
    prop_oneof![
        6 => proptest::option::of(0..20_u8).prop_map(Step::Call),
        5 => (which.clone(), any::<u32>()).prop_map(|(which, value)| Step::Answer(which, value)),
        1 => (0..200_u64).prop_map(Step::Forge),
        2 => which.clone().prop_map(Step::GiveUp),
        3 => which.clone().prop_map(Step::Look),
        2 => (0..8_u8).prop_map(Step::Pass),
        1 => (which, 0..20_u8).prop_map(|(which, seconds)| Step::Extend(which, seconds)),
    ]
}

/// What is to come of a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fate {
    Waits,
    Answered(u32),
    Failed(FaultKind),
    GivenUp,
}

struct Made {
    id: u64,
    until: Option<u64>,
    fate: Fate,
    /// Until its outcome has been seen, or nobody cares for it.
    awaited: Option<Awaited<u32>>,
}

/// A connection that nobody drives, and what is known of its calls.
struct World {
    peer: Peer,
    _driver: Driver,
    start: Instant,
    now: u64,
    calls: Vec<Made>,
    unmatched: u64,
}

impl World {
    fn new() -> Self {
        let service = Service::new(Router::new(), JsonRpc::default());
        let (driver, peer) = Driver::new(Link::pair().0, &service, CALL_TIMEOUT);
        let (start, calls) = (Instant::now(), Vec::new());
        Self { peer, _driver: driver, start, now: 0, calls, unmatched: 0 }
    }

    fn at(&self, seconds: u64) -> Instant {
        self.start + Duration::from_secs(seconds)
    }

    fn hear(&self, id: u64, value: u32) {
        let answer = value.to_string();
        ours::heard(&self.peer.0, Signal::Reply { id, outcome: Ok(Payload::Json(&answer)) });
    }

    fn which(&mut self, which: usize) -> Option<&mut Made> {
        let calls = self.calls.len();
        self.calls.get_mut(which % calls.max(1))
    }

    fn take(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Call(seconds) => {
                let until = seconds.map(|seconds| self.now + u64::from(seconds));
                let cx = &mut Context::from_waker(std::task::Waker::noop());
                let begun = self.peer.begin("p", &(), until.map(|until| self.at(until)), cx);
                let Begun::Made(awaited) = begun else { return Err(TestCaseError::fail("there is room")) };
                let id = awaited.id();
                prop_assert!(self.calls.last().is_none_or(|last| last.id < id), "numbers count up");
                self.calls.push(Made { id, until, fate: Fate::Waits, awaited: Some(awaited) });
            }
            Step::Answer(which, value) => {
                let Some(call) = self.which(which) else { return Ok(()) };
                let (id, waits) = (call.id, call.fate == Fate::Waits);
                if waits {
                    call.fate = Fate::Answered(value);
                }
                self.unmatched += u64::from(!waits);
                self.hear(id, value);
            }
            Step::Forge(beyond) => {
                let last = self.calls.last().map_or(0, |last| last.id);
                self.hear(if beyond == 0 { 0 } else { last + beyond }, 0);
                self.unmatched += 1;
            }
            Step::GiveUp(which) => {
                let Some(call) = self.which(which) else { return Ok(()) };
                if call.fate == Fate::Waits {
                    call.fate = Fate::GivenUp;
                }
                call.awaited = None;
            }
            Step::Look(which) => {
                if let Some(call) = self.which(which) {
                    call.look()?;
                }
            }
            Step::Pass(seconds) => {
                self.now += u64::from(seconds);
                let now = self.now;
                let due = |call: &&mut Made| {
                    call.fate == Fate::Waits && call.until.is_some_and(|until| until <= now)
                };
                let late = self.calls.iter_mut().filter(due).map(|call| {
                    call.fate = Fate::Failed(FaultKind::DeadlineExceeded);
                });
                prop_assert_eq!(late.count() > 0, ours::expire_due(&self.peer.0, self.at(now)));
            }
            Step::Extend(which, seconds) => {
                // as each item of a stream that is sent does: there is always a deadline then
                let (now, start) = (self.now, self.start);
                let Some(call) = self.which(which).filter(|call| call.until.is_some()) else { return Ok(()) };
                let until = call.until.max(Some(now + u64::from(seconds)));
                call.until = until;
                let (id, until) = (call.id, until.map(|until| start + Duration::from_secs(until)));
                self.peer.0.state().pending.extend(id, until);
            }
        }
        let state = self.peer.0.state();
        let waiting = || self.calls.iter().filter(|call| call.fate == Fate::Waits);
        prop_assert_eq!(state.pending.len(), waiting().count());
        for call in &self.calls {
            prop_assert_eq!(state.pending.contains(call.id), call.fate == Fate::Waits);
        }
        let first = waiting().filter_map(|call| call.until).min();
        prop_assert!(
            first.is_none_or(|first| state.pending.earliest().is_some_and(|it| it <= self.at(first))),
            "nobody is forgotten"
        );
        drop(state);
        prop_assert_eq!(self.peer.unmatched_replies(), self.unmatched);
        Ok(())
    }
}

impl Made {
    /// Asserts that what has come of the call is what was to come of it.
    fn look(&mut self) -> Result<(), TestCaseError> {
        let Some(awaited) = &mut self.awaited else { return Ok(()) };
        let cx = &mut Context::from_waker(std::task::Waker::noop());
        let seen = match Pin::new(awaited).poll(cx) {
            Poll::Pending => Fate::Waits,
            Poll::Ready(Ok(value)) => Fate::Answered(value),
            Poll::Ready(Err(fault)) => Fate::Failed(fault.kind()),
        };
        prop_assert_eq!(seen, self.fate);
        if seen != Fate::Waits {
            self.awaited = None;
        }
        Ok(())
    }
}

proptest! {
    #[test]
    fn each_call_has_one_outcome_and_leaves_nothing_behind(
        steps in proptest::collection::vec(step(), 0..200),
    ) {
        let mut world = World::new();
        for step in steps {
            world.take(step)?;
        }
        world.peer.0.close(&unanswered());
        for call in &mut world.calls {
            if call.fate == Fate::Waits {
                call.fate = Fate::Failed(FaultKind::Disconnected);
            }
            call.look()?;
        }
        prop_assert_eq!(world.peer.0.state().pending.len(), 0);
    }
}
