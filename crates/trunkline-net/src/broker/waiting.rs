//! [`Waiting`]: how much waits, and may.

/// How many messages may wait.
const MOST: usize = 65_536;

/// How many bytes they may have together.
const MOST_BYTES: usize = 64 << 20;

/// How much waits.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    messages: usize,
    bytes: usize,
}

impl Waiting {
    /// Whether as much waits as may. The last message to get in may be over the bound, so
    /// that none is too large for it.
    pub(super) fn is_full(&self) -> bool {
        self.messages >= MOST || self.bytes >= MOST_BYTES
    }

    /// So many more wait, whether or not there is room.
    pub(super) fn add(&mut self, messages: usize, bytes: usize) {
        self.messages += messages;
        self.bytes += bytes;
    }

    /// So many wait no longer.
    pub(super) fn remove(&mut self, messages: usize, bytes: usize) {
        self.messages -= messages;
        self.bytes -= bytes;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages == 0
    }
}
