//! [`Seats`]: how many connections a socket has.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// How many connections a socket has, whoever has accepted them: what is served on it may
/// be changed, and its limit with it, while the connections of before are still open.
/// Clones count together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seats(Arc<AtomicUsize>);

/// One connection, for as long as this is kept.
#[derive(Debug)]
pub(crate) struct Seat(Seats);

impl Seats {
    /// Room for one more, if there are fewer than `most`.
    pub(crate) fn take(&self, most: usize) -> Option<Seat> {
        let more = |taken| (taken < most).then(|| taken + 1);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Seat(self.clone()))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_as_the_limit_of_the_moment_says() {
        let seats = Seats::default();
        let first = seats.take(2).unwrap();
        let second = seats.clone().take(2).unwrap();
        assert!(seats.take(2).is_none());
        let third = seats.take(3).unwrap();
        drop(first);
        assert!(seats.take(2).is_none(), "there are still two");
        drop((second, third));
        assert!(seats.take(1).is_some());
    }
}
