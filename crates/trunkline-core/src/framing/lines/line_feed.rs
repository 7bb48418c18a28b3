//! [`LineFeed`]: where the next LF stands in what waits.

/// Where the next LF stands in the waiting input, as far as that is known. No byte
/// is looked at twice, however many values stand before the LF.
#[derive(Clone, Debug, Default)]
pub(super) struct LineFeed {
    /// Bytes at the front that are known to hold none.
    searched: usize,
    /// Whether one is known to stand behind those.
    found: bool,
    /// Bytes that were looked at since the beginning.
    #[cfg(test)]
    pub(super) work: usize,
}

impl LineFeed {
    /// The place of the first LF in `waiting`, which since the last time has lost
    /// what was [announced](Self::moved) and may have grown.
    #[inline]
    pub(super) fn find(&mut self, waiting: &[u8]) -> Option<usize> {
        if !self.found {
            let unknown = &waiting[self.searched..];
            let at = memchr::memchr(b'\n', unknown);
            self.found = at.is_some();
            self.searched += at.unwrap_or(unknown.len());
            #[cfg(test)]
            {
                self.work += at.map_or(unknown.len(), |at| at + 1);
            }
        }
        self.found.then_some(self.searched)
    }

    /// The first `count` bytes have been taken off the input.
    #[inline]
    pub(super) fn moved(&mut self, count: usize) {
        match self.searched.checked_sub(count) {
            Some(left) => self.searched = left,
            // the LF was among them, or nothing was known
            None => (self.searched, self.found) = (0, false),
        }
    }
}
