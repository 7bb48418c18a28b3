//! [`Room`]: what a caller has room for of the items of a stream.

use trunkline_core::Credit;

/// What a caller has room for of the items of a stream, by what it has said.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    items: u64,
    /// Below 0 where the last item went beyond; as many as there are where nobody counts.
    bytes: i64,
}

impl Room {
    pub(super) fn new(credit: Credit) -> Self {
        let mut room = Self { items: 0, bytes: 0 };
        room.grow(credit);
        room
    }

    /// There is room for more.
    pub(super) fn grow(&mut self, credit: Credit) {
        self.items = self.items.saturating_add(credit.items);
        self.bytes = self.bytes.saturating_add(i64::try_from(credit.bytes).unwrap_or(i64::MAX));
    }

    /// How many items may be sent, until they come to as many bytes.
    pub(super) fn left(self) -> (usize, usize) {
        let items = usize::try_from(self.items).unwrap_or(usize::MAX);
        (items, usize::try_from(self.bytes.max(0)).unwrap_or(usize::MAX))
    }

    pub(super) fn is_taken(self) -> bool {
        self.items == 0 || self.bytes <= 0
    }

    /// So many items have been sent.
    pub(super) fn take(&mut self, items: usize, bytes: usize) {
        self.items = self.items.saturating_sub(items as u64);
        if self.bytes < i64::MAX {
            self.bytes = self.bytes.saturating_sub(i64::try_from(bytes).unwrap_or(i64::MAX));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_that_goes_beyond_is_paid_for_later() {
        let mut room = Room::new(Credit { items: 9, bytes: 10, together: 0 });
        assert_eq!(room.left(), (9, 10));
        room.take(1, 25);
        assert!(room.is_taken());
        room.grow(Credit { items: 1, bytes: 15, together: 0 });
        assert!(room.is_taken());
        room.grow(Credit { items: 0, bytes: 1, together: 0 });
        assert_eq!((room.left(), room.is_taken()), ((9, 1), false));
    }

    #[test]
    fn who_does_not_count_bytes_is_never_out_of_them() {
        let mut room = Room::new(Credit { items: 2, bytes: u64::MAX, together: 0 });
        room.take(1, usize::MAX);
        assert!(!room.is_taken());
        room.grow(Credit { items: u64::MAX, bytes: u64::MAX, together: 0 });
        assert_eq!(room.left().0, usize::MAX);
        room.take(1, 1);
        assert!(!room.is_taken());
    }
}
