//! [`Serving`]: the procedures that a node serves on one connection, and those of them that
//! RabbitMQ does not let it.

use super::trouble::Trouble;
use crate::backoff::Backoff;
use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    time::{Duration, Instant},
};

/// How long a procedure that is refused waits before it is tried again, at first and at
/// most. It is looked at with each heartbeat.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The procedures that a node serves on one connection.
#[derive(Default)]
pub(super) struct Serving {
    /// All of them, by their numbers.
    pub(super) keys: Vec<String>,
    /// How many of them RabbitMQ has said yes or no to.
    through: usize,
    refused: HashMap<usize, Refused>,
    /// Those that are served no more.
    stopped: HashSet<usize>,
}

/// A procedure that RabbitMQ does not let us serve.
struct Refused {
    backoff: Backoff,
    /// When it is tried again, unless it is being tried.
    again: Option<Instant>,
}

impl Serving {
    /// Whether RabbitMQ has said yes or no to all of them.
    pub(super) fn is_set_up(&self) -> bool {
        self.through == self.keys.len()
    }

    /// More is to be served; from which number on.
    pub(super) fn add(&mut self, keys: Vec<String>) -> usize {
        let from = self.keys.len();
        self.keys.extend(keys);
        from
    }

    /// These are served no more. Those of them that RabbitMQ may know of: a queue that we were
    /// not let have is somebody else's.
    pub(super) fn stop(&mut self, numbers: &[usize]) -> Vec<usize> {
        self.stopped.extend(numbers);
        let refused = |number: &usize| self.refused.get(number).is_some_and(|it| it.again.is_some());
        let ours = numbers.iter().copied().filter(|number| !refused(number)).collect();
        self.refused.retain(|number, _| !numbers.contains(number));
        ours
    }

    /// Whether this one is to be served, if there is one of this number.
    pub(super) fn wants(&self, number: usize) -> bool {
        number < self.keys.len() && !self.stopped.contains(&number)
    }

    /// The queue of a procedure is there.
    pub(super) fn bound(&mut self, number: usize) {
        self.heard_of(number);
        if self.refused.remove(&number).is_some() {
            tracing::info!(key = self.keys[number], "RabbitMQ lets a procedure be served that it did not");
        }
    }

    /// RabbitMQ does not let us serve a procedure for now.
    pub(super) fn refused(&mut self, number: usize, why: &Trouble, now: Instant) {
        self.heard_of(number);
        if !self.wants(number) {
            return;
        }
        let (key, advice) = (&self.keys[number], why.advice_on_a_queue());
        let refused = match self.refused.entry(number) {
            Entry::Vacant(place) => {
                tracing::warn!(
                    key,
                    error = %why,
                    advice,
                    "RabbitMQ does not let a procedure be served: it is tried again, and all others are served"
                );
                place.insert(Refused { backoff: Backoff::new(FIRST_PAUSE, LONGEST_PAUSE), again: None })
            }
            Entry::Occupied(place) => {
                tracing::debug!(key, error = %why, "RabbitMQ still does not let a procedure be served");
                place.into_mut()
            }
        };
        refused.again = now.checked_add(refused.backoff.pause());
    }

    /// The first time of each comes in the order of their numbers.
    fn heard_of(&mut self, number: usize) {
        self.through = self.through.max(number + 1);
    }

    /// Those to be served whose queues are there.
    pub(super) fn all_bound(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.through).filter(|number| self.wants(*number) && !self.refused.contains_key(number))
    }

    /// Those that are to be tried again by now.
    pub(super) fn due(&mut self, now: Instant) -> Vec<usize> {
        let due = |refused: &mut Refused| refused.again.take_if(|again| *again <= now).is_some();
        self.refused.iter_mut().filter_map(|(number, refused)| due(refused).then_some(*number)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_is_tried_again_in_longer_pauses() {
        let mut serving = Serving::default();
        assert_eq!(serving.add(vec!["a".into(), "b".into()]), 0);
        let (why, now) = (Trouble::Refused(404, "its node is down".into()), Instant::now());
        serving.bound(0);
        assert!(!serving.is_set_up());
        serving.refused(1, &why, now);
        assert!(serving.is_set_up());
        assert_eq!(serving.all_bound().collect::<Vec<_>>(), [0]);
        let mut waited = Duration::ZERO;
        for pause in [1, 2, 4, 8, 16, 30, 30].map(Duration::from_secs) {
            let again = now + waited + pause;
            assert_eq!(serving.due(again - pause / 2 - Duration::from_millis(1)), [0; 0]);
            assert_eq!(serving.due(again), [1]);
            assert_eq!(serving.due(again), [0; 0], "it is being tried");
            serving.refused(1, &why, again);
            waited += pause;
        }
        serving.bound(1);
        assert_eq!(serving.all_bound().collect::<Vec<_>>(), [0, 1]);
        assert_eq!(serving.stop(&[1]), [1]);
        serving.refused(1, &why, now);
        assert_eq!(serving.due(now + LONGEST_PAUSE), [0; 0], "it is served no more");
        assert_eq!(serving.all_bound().collect::<Vec<_>>(), [0]);
        serving.refused(0, &why, now);
        assert_eq!(serving.stop(&[0]), [0; 0], "its queue is not ours");
    }
}
