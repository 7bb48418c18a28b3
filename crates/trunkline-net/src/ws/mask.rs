//! Masking: what a client sends is XORed with four bytes (RFC 6455, section 5.3).

/// XORs `payload` with `key`, repeated. Doing it twice changes nothing.
#[inline]
pub(super) fn apply(key: [u8; 4], payload: &mut [u8]) {
    let [a, b, c, d] = key;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = payload.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip([a, b, c, d, a, b, c]) {
        *byte ^= key;
    }
}

/// The key for what follows `done` bytes that have been masked with `key`.
#[inline]
pub(super) fn advance(mut key: [u8; 4], done: usize) -> [u8; 4] {
    key.rotate_left(done % 4);
    key
}

/// A key that nobody can foresee, as the RFC demands (section 10.3): otherwise
/// whoever chooses a message could choose what bytes a proxy sees.
#[inline]
pub(super) fn new_key() -> [u8; 4] {
    rand::random::<u32>().to_ne_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_like_the_formula_of_the_rfc_wherever_it_is_split() {
        let key = *b"\x01\xa0\xff\x37";
        let plain: Vec<u8> = (0..100).collect();
        let masked: Vec<u8> = plain.iter().zip(0..).map(|(byte, i)| byte ^ key[i % 4]).collect();
        for split in 0..plain.len() {
            let mut bytes = plain.clone();
            let (head, tail) = bytes.split_at_mut(split);
            apply(key, head);
            apply(advance(key, split), tail);
            assert_eq!(bytes, masked, "split at {split}");
        }
    }
}
