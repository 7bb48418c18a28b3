//! [`Held`]: which requests have been delivered and are not settled.

use super::frames;
use bytes::BytesMut;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// How long a request is held at most: RabbitMQ closes the channel of a node that holds one
/// for half an hour, with all that it has. One that takes longer is not delivered again to
/// anybody if its node goes.
pub(super) const LONGEST_HELD: Duration = Duration::from_secs(600);

/// Which requests have been delivered and are not settled, by the tags of their deliveries.
#[derive(Default)]
pub(super) struct Held(BTreeMap<u64, Instant>);

impl Held {
    pub(super) fn add(&mut self, tag: u64, since: Instant) {
        self.0.insert(tag, since);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Tells the broker that these are settled, in as few words as may be.
    pub(super) fn settle(&mut self, tags: impl IntoIterator<Item = u64>, out: &mut BytesMut) {
        let mut settled: Vec<_> = tags.into_iter().filter(|tag| self.0.remove(tag).is_some()).collect();
        settled.sort_unstable();
        let first_held = self.0.keys().next().copied().unwrap_or(u64::MAX);
        let (all_up_to, rest) = settled.split_at(settled.partition_point(|tag| *tag < first_held));
        if let Some(last) = all_up_to.last() {
            frames::ack(out, *last, true);
        }
        rest.iter().for_each(|tag| frames::ack(out, *tag, false));
    }

    /// Settles what has been held for too long.
    pub(super) fn settle_old(&mut self, now: Instant, out: &mut BytesMut) {
        let is_old = |since: &Instant| now.saturating_duration_since(*since) >= LONGEST_HELD;
        let old: Vec<_> = self.0.iter().take_while(|(_, since)| is_old(since)).map(|(tag, _)| *tag).collect();
        self.settle(old, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acks(held: &mut Held, tags: &[u64]) -> BytesMut {
        let mut out = BytesMut::new();
        held.settle(tags.iter().copied(), &mut out);
        out
    }

    fn expected(acks: &[(u64, bool)]) -> BytesMut {
        let mut out = BytesMut::new();
        acks.iter().for_each(|(tag, multiple)| frames::ack(&mut out, *tag, *multiple));
        out
    }

    #[test]
    fn what_is_settled_in_a_row_is_said_at_once_and_nothing_twice() {
        let (mut held, now) = (Held::default(), Instant::now());
        (1..=9).for_each(|tag| held.add(tag, now));
        assert_eq!(acks(&mut held, &[3, 5, 1, 2, 6]), expected(&[(3, true), (5, false), (6, false)]));
        assert_eq!(acks(&mut held, &[5, 77]), expected(&[]));
        assert_eq!(acks(&mut held, &[4]), expected(&[(4, true)]));
        assert_eq!(acks(&mut held, &[9, 8, 7]), expected(&[(9, true)]));
        assert_eq!(held.len(), 0);
    }

    #[test]
    fn what_is_held_for_too_long_is_settled() {
        let (mut held, now) = (Held::default(), Instant::now());
        held.add(1, now);
        held.add(2, now + LONGEST_HELD / 2);
        let mut out = BytesMut::new();
        held.settle_old(now + LONGEST_HELD, &mut out);
        assert_eq!((out, held.len()), (expected(&[(1, true)]), 1));
    }
}
