//! [`Input`]: bytes that have arrived and wait to be cut into frames.

/// Bytes that have arrived, oldest first.
///
/// Frames are consumed in place; the rest stays where it is until room is
/// needed. The buffer is zeroed once, when it grows, and not for each read.
///
/// ```
/// let mut input = trunkline_core::Input::default();
/// input.extend(b"ab");
/// assert_eq!(input.consume(1), b"a");
/// assert_eq!(input.waiting(), b"b");
/// ```
#[derive(Debug, Default)]
pub struct Input {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Input {
    /// Takes over a buffer, of which the length is the room there is.
    #[must_use]
    pub fn with_buffer(bytes: Vec<u8>) -> Self {
        Self { bytes, start: 0, end: 0 }
    }

    /// The bytes that wait.
    #[must_use]
    pub fn waiting(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// The bytes that wait, to be changed in place, as unmasking does.
    #[must_use]
    pub fn waiting_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..self.end]
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// How many bytes wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.end - self.start
    }

    /// Takes the first `count` bytes.
    ///
    /// # Panics
    ///
    /// Panics if fewer wait.
    pub fn consume(&mut self, count: usize) -> &mut [u8] {
        assert!(count <= self.len(), "only {} bytes wait", self.len());
        let at = self.start;
        self.start += count;
        &mut self.bytes[at..at + count]
    }

    /// Gives back the last `count` bytes that were consumed; nothing may have
    /// happened to the input since.
    ///
    /// # Panics
    ///
    /// Panics if fewer have been consumed.
    pub fn restore(&mut self, count: usize) {
        assert!(count <= self.start, "only {} bytes were consumed", self.start);
        self.start -= count;
    }

    /// Room for at least `least` more bytes; what was put there is announced by
    /// [`arrived`](Self::arrived).
    pub fn room(&mut self, least: usize) -> &mut [u8] {
        if self.is_empty() {
            (self.start, self.end) = (0, 0);
        }
        if self.bytes.len() - self.end < least {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.len());
            let needed = self.end + least;
            if self.bytes.len() < needed {
                self.bytes.resize(needed.next_power_of_two(), 0);
            }
        }
        &mut self.bytes[self.end..]
    }

    /// `count` bytes have been put where [`room`](Self::room) was.
    ///
    /// # Panics
    ///
    /// Panics if there was less room.
    pub fn arrived(&mut self, count: usize) {
        assert!(count <= self.bytes.len() - self.end, "more bytes than there was room for");
        self.end += count;
    }

    /// Appends bytes.
    pub fn extend(&mut self, bytes: &[u8]) {
        self.room(bytes.len())[..bytes.len()].copy_from_slice(bytes);
        self.arrived(bytes.len());
    }

    /// Gives the buffer away, keeping what waits in one of just its size.
    #[must_use]
    pub fn release(&mut self) -> Vec<u8> {
        let rest = self.waiting().to_vec();
        (self.start, self.end) = (0, rest.len());
        std::mem::replace(&mut self.bytes, rest)
    }

    /// How much memory the buffer takes.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_survives_growth_and_release() {
        let mut input = Input::default();
        for round in 0..100u8 {
            input.extend(&[round; 10]);
            input.consume(3);
        }
        let waiting = input.waiting().to_vec();
        assert_eq!(waiting.len(), 700);
        drop(input.release());
        assert_eq!(input.waiting(), waiting);
    }
}
