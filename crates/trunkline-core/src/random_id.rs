//! [`RandomId`]: what tells a thing from all others, of any process.

use std::fmt;

/// What tells a thing from all others, of any process, and nobody can guess: 128 random bits,
/// as 32 hexadecimal digits. They come from where the system has its secrets from.
///
/// ```
/// # use trunkline_core::RandomId;
/// assert_ne!(RandomId::new(), RandomId::new());
/// assert_eq!(RandomId::new().as_str().len(), 32);
/// ```
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct RandomId([u8; 32]);

impl RandomId {
    /// One that there was not before.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "each is another")]
    pub fn new() -> Self {
        const DIGITS: [u8; 16] = *b"0123456789abcdef";
        let bits = rand::random::<u128>();
        Self(std::array::from_fn(|at| DIGITS[(bits >> (4 * at)) as usize & 15]))
    }

    /// Its digits, in ASCII.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Its digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // all of it is ASCII
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for RandomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RandomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_is_made_twice() {
        let ids: std::collections::HashSet<_> = (0..1000).map(|_| RandomId::new()).collect();
        assert_eq!(ids.len(), 1000);
        let is_digits = |id: &RandomId| id.as_str().bytes().all(|byte| byte.is_ascii_hexdigit());
        assert!(ids.iter().all(is_digits));
    }
}
