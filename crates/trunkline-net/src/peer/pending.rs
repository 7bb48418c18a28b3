//! [`Pending`]: calls of ours that wait for their answers.

use std::{sync::Arc, time::Instant};
use trunkline_core::{Fault, Payload};

/// Where the answer to a call goes.
pub(crate) trait Answered: Send + Sync {
    /// The answer has come, still encoded.
    fn answer(&self, outcome: Result<Payload<'_>, Fault>);

    /// Whether anybody waits for it: if not, nothing else has to wait for it either.
    fn is_awaited(&self) -> bool {
        true
    }

    /// The batch that the call was made in, if none of it has been answered.
    fn batch(&self) -> Option<Unanswered> {
        None
    }
}

/// A batch of which nothing has been answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Unanswered {
    /// Where its answers are kept, which tells it from others.
    pub(crate) address: usize,
    pub(crate) calls: usize,
}

/// Calls of ours under way, by their numbers.
///
/// Numbers count up from 1 and are never used again, so a late answer finds
/// nothing. A call stands at its number modulo the size of the table; a number
/// whose place is taken is skipped. That makes finding one a single look.
#[derive(Default)]
pub(crate) struct Pending {
    places: Vec<Option<Waiting>>,
    last: u64,
    count: usize,
    /// How many of them nobody waits for.
    unawaited: usize,
    earliest: Option<Instant>,
}

struct Waiting {
    id: u64,
    deadline: Option<Instant>,
    answered: Arc<dyn Answered>,
}

impl Pending {
    /// Adds a call and gives its number.
    pub(crate) fn insert(&mut self, answered: Arc<dyn Answered>, deadline: Option<Instant>) -> u64 {
        if self.count * 2 >= self.places.len() {
            self.grow();
        }
        let at = loop {
            self.last += 1;
            let at = self.place(self.last);
            if self.places[at].is_none() {
                break at;
            }
        };
        self.unawaited += usize::from(!answered.is_awaited());
        self.places[at] = Some(Waiting { id: self.last, deadline, answered });
        self.count += 1;
        self.earliest = [self.earliest, deadline].into_iter().flatten().min();
        self.last
    }

    /// Whether the call with this number waits.
    pub(crate) fn contains(&self, id: u64) -> bool {
        self.find(id).is_some()
    }

    /// Takes the call with this number.
    pub(crate) fn remove(&mut self, id: u64) -> Option<Arc<dyn Answered>> {
        let at = self.find(id)?;
        let waiting = self.places[at].take()?;
        self.count -= 1;
        self.unawaited -= usize::from(!waiting.answered.is_awaited());
        if self.count == 0 {
            self.earliest = None;
        }
        Some(waiting.answered)
    }

    /// Gives the call with this number more time.
    pub(crate) fn extend(&mut self, id: u64, deadline: Option<Instant>) {
        let found = self.find(id).and_then(|at| self.places[at].as_mut());
        if let Some(waiting) = found {
            waiting.deadline = deadline;
        }
    }

    /// Takes the call with this number, and with it its batch, if nothing of that
    /// has been answered.
    pub(crate) fn remove_batch(&mut self, id: u64) -> Vec<Arc<dyn Answered>> {
        let found = self.find(id).and_then(|at| self.places[at].as_ref());
        let Some(batch) = found.and_then(|waiting| waiting.answered.batch()) else {
            return self.remove(id).into_iter().collect();
        };
        let all = self.places.iter().flatten().filter(|waiting| waiting.answered.batch() == Some(batch));
        let ids: Vec<u64> = all.map(|waiting| waiting.id).collect();
        ids.into_iter().filter_map(|id| self.remove(id)).collect()
    }

    /// Takes the calls of a batch, if it waits all alone and nothing of it has been
    /// answered or given up.
    pub(crate) fn remove_only_batch(&mut self) -> Vec<Arc<dyn Answered>> {
        let mut batches = self.places.iter().flatten().map(|waiting| waiting.answered.batch());
        match batches.next().flatten() {
            Some(only) if only.calls == self.count && batches.all(|other| other == Some(only)) => {
                self.drain()
            }
            _ => Vec::new(),
        }
    }

    /// How many are waited for.
    pub(crate) fn len(&self) -> usize {
        self.count - self.unawaited
    }

    /// A time before which none runs out.
    pub(crate) fn earliest(&self) -> Option<Instant> {
        self.earliest
    }

    /// Takes the calls that have run out.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<(u64, Arc<dyn Answered>)> {
        let expired: Vec<u64> = self
            .places
            .iter()
            .flatten()
            .filter(|waiting| waiting.deadline.is_some_and(|deadline| deadline <= now))
            .map(|waiting| waiting.id)
            .collect();
        let expired = expired.into_iter().filter_map(|id| Some((id, self.remove(id)?))).collect();
        self.earliest = self.places.iter().flatten().filter_map(|waiting| waiting.deadline).min();
        expired
    }

    /// Takes all.
    pub(crate) fn drain(&mut self) -> Vec<Arc<dyn Answered>> {
        (self.count, self.unawaited, self.earliest) = (0, 0, None);
        self.places.drain(..).flatten().map(|waiting| waiting.answered).collect()
    }

    /// Where the call with this number stands.
    #[inline]
    fn find(&self, id: u64) -> Option<usize> {
        let at = (!self.places.is_empty()).then(|| self.place(id))?;
        self.places[at].as_ref().is_some_and(|waiting| waiting.id == id).then_some(at)
    }

    /// Doubles the table. Numbers that differ in their low bits still do with one bit more.
    fn grow(&mut self) {
        let size = (self.places.len() * 2).max(8);
        let mut places = Vec::new();
        places.resize_with(size, || None);
        let before = std::mem::replace(&mut self.places, places);
        for waiting in before.into_iter().flatten() {
            let at = self.place(waiting.id);
            self.places[at] = Some(waiting);
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "only the low bits count")]
    fn place(&self, id: u64) -> usize {
        id as usize & (self.places.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    struct Nobody;

    impl Answered for Nobody {
        fn answer(&self, _: Result<Payload<'_>, Fault>) {}
    }

    #[test]
    fn numbers_count_from_one() {
        let mut pending = Pending::default();
        let ids: Vec<u64> = (0..3).map(|_| pending.insert(Arc::new(Nobody), None)).collect();
        assert_eq!(ids, [1, 2, 3]);
        assert!(pending.remove(0).is_none());
        assert!(pending.remove(2).is_some());
        assert!(pending.remove(2).is_none(), "an answer that comes twice finds nothing");
    }

    #[test]
    fn only_what_has_run_out_expires() {
        let (mut pending, now) = (Pending::default(), Instant::now());
        let soon = pending.insert(Arc::new(Nobody), Some(now));
        let late = pending.insert(Arc::new(Nobody), Some(now + Duration::from_secs(9)));
        assert_eq!(pending.earliest(), Some(now));
        let expired: Vec<u64> = pending.expire(now).into_iter().map(|(id, _)| id).collect();
        assert_eq!(expired, [soon]);
        assert_eq!(pending.earliest(), Some(now + Duration::from_secs(9)));
        assert!(pending.remove(late).is_some());
    }

    /// A call of a batch that is at an address and has so many calls.
    struct Part(usize, usize);

    impl Answered for Part {
        fn answer(&self, _: Result<Payload<'_>, Fault>) {}

        fn batch(&self) -> Option<Unanswered> {
            Some(Unanswered { address: self.0, calls: self.1 })
        }
    }

    #[test]
    fn a_batch_is_taken_whole() {
        fn send(pending: &mut Pending, address: usize, calls: usize) -> u64 {
            let ids = (0..calls).map(|_| pending.insert(Arc::new(Part(address, calls)), None));
            ids.max().unwrap()
        }
        let mut pending = Pending::default();
        assert!(pending.remove_only_batch().is_empty(), "there is nothing");
        send(&mut pending, 1, 3);
        assert_eq!(pending.remove_only_batch().len(), 3);
        assert!(pending.remove_only_batch().is_empty(), "it is gone");

        let one = pending.insert(Arc::new(Nobody), None);
        assert!(pending.remove_only_batch().is_empty(), "it is no batch");
        let (three, two) = (send(&mut pending, 1, 3), send(&mut pending, 2, 2));
        assert!(pending.remove_only_batch().is_empty(), "it may be any of them");
        assert_eq!(pending.remove_batch(three - 1).len(), 3);
        assert!(pending.remove_batch(three).is_empty());
        assert_eq!(pending.remove_batch(one).len(), 1);
        assert_eq!(pending.remove_only_batch().len(), 2);
        assert!(pending.remove(two).is_none());

        let two = send(&mut pending, 3, 2);
        assert!(pending.remove(two).is_some());
        assert!(pending.remove_only_batch().is_empty(), "a part of it was given up");
    }
}
