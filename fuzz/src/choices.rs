//! [`Choices`]: what the fuzzer chose besides the bytes to be parsed.

/// A supply of choices. Once it is used up, every choice is the first.
#[derive(Clone, Debug)]
pub struct Choices<'a>(&'a [u8]);

/// Parts an input into the bytes to be parsed and the choices, which stand behind
/// the last 0xff. Without one there are none, so that any file is an input as it
/// is; and a stream that has that byte itself needs only one more at its end.
#[must_use]
pub fn split(input: &[u8]) -> (&[u8], Choices<'_>) {
    match input.iter().rposition(|&byte| byte == 0xff) {
        Some(at) => (&input[..at], Choices(&input[at + 1..])),
        None => (input, Choices(&[])),
    }
}

impl Choices<'_> {
    /// One of 256.
    pub fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    /// One of `count`.
    ///
    /// # Panics
    ///
    /// Panics if there is none to choose from.
    pub fn below(&mut self, count: usize) -> usize {
        usize::from(self.byte()) % count
    }

    /// Cuts `stream` into pieces; byte by byte where nothing else was chosen.
    pub fn pieces<'s>(&mut self, mut stream: &'s [u8]) -> Vec<&'s [u8]> {
        let mut pieces = Vec::new();
        while !stream.is_empty() {
            let size = usize::from(self.byte()).clamp(1, stream.len());
            let (piece, rest) = stream.split_at(size);
            pieces.push(piece);
            stream = rest;
        }
        pieces
    }
}
