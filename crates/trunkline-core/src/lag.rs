//! [`Lag`]: what becomes of items that a caller does not take in time.

/// What becomes of the items of a stream while its caller does not take them:
/// because its connection is slow, or because it has room for only so many.
///
/// Where items are left out, caller and server are told how many. A stream that
/// always has an item goes with `Block` alone: any other is asked for items to leave out.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Lag {
    /// They are not made: the stream is not asked for more before there is room.
    #[default]
    Block,
    /// So many are kept; for one more, the oldest is left out.
    DropOldest(usize),
    /// So many are kept; what comes then is left out.
    DropNewest(usize),
    /// Only the last one is kept: right for a state that each item tells whole.
    Coalesce,
    /// So many are kept; one more ends the stream, with a fault that says so in
    /// place of those that were kept.
    Close(usize),
}

impl Lag {
    /// How many items are kept.
    #[must_use]
    pub fn kept(self) -> usize {
        match self {
            Self::Block => 0,
            Self::Coalesce => 1,
            Self::DropOldest(items) | Self::DropNewest(items) | Self::Close(items) => items.max(1),
        }
    }
}
