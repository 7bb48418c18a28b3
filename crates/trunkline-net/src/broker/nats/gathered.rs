//! [`Gathered`]: answers that are sent together.
//!
//! To send a message, to pass it on and to take it costs each end and the server more than
//! most answers do. So those that are given to one node in one moment are one message: of
//! each first its length, four bytes with the highest in front, then itself. One that has no
//! company goes as it is, to the address of its own.

use super::subject::together;
use async_nats::Subject;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use std::{iter, mem};

/// How many bytes are sent together at most.
const MOST_BYTES: usize = 16 << 10;

/// For how many nodes answers are gathered at a time.
const MOST_NODES: usize = 16;

/// How many bytes say how long an answer is.
const LENGTH: usize = 4;

/// Answers that wait for others, to be sent with them.
#[derive(Default)]
pub(super) struct Gathered {
    letters: Vec<Letter>,
    /// How many bytes all of them have, with their lengths.
    size: usize,
}

/// Answers to one node, one at least.
pub(super) struct Letter {
    /// The address of the node.
    node: Box<str>,
    /// Where the first of them would go alone.
    reply_to: Subject,
    bodies: Vec<Bytes>,
}

impl Gathered {
    pub(super) fn is_empty(&self) -> bool {
        self.letters.is_empty()
    }

    /// Adds an answer to `node`. Gives back what is to be sent first, if there is no room.
    #[must_use]
    pub(super) fn add(&mut self, node: &str, reply_to: &str, body: Bytes) -> Vec<Letter> {
        let size = LENGTH + body.len();
        let full = if self.has_room(node, size) { Vec::new() } else { self.take() };
        self.size += size;
        match self.letters.iter_mut().find(|letter| *letter.node == *node) {
            Some(letter) => letter.bodies.push(body),
            None => {
                let (node, reply_to) = (node.into(), reply_to.into());
                self.letters.push(Letter { node, reply_to, bodies: vec![body] });
            }
        }
        full
    }

    fn has_room(&self, node: &str, size: usize) -> bool {
        // what is too large for all waits alone
        self.is_empty()
            || self.size + size <= MOST_BYTES
                && (self.letters.len() < MOST_NODES
                    || self.letters.iter().any(|letter| *letter.node == *node))
    }

    /// All that waits.
    pub(super) fn take(&mut self) -> Vec<Letter> {
        self.size = 0;
        mem::take(&mut self.letters)
    }
}

impl Letter {
    /// Where it goes, and what is in it.
    pub(super) fn into_message(mut self) -> (Subject, Bytes) {
        if self.bodies.len() == 1
            && let Some(body) = self.bodies.pop()
        {
            return (self.reply_to, body);
        }
        let size = self.bodies.iter().map(|body| LENGTH + body.len()).sum();
        let mut message = BytesMut::with_capacity(size);
        for body in self.bodies {
            // several have `MOST_BYTES` at most
            message.put_uint(body.len() as u64, LENGTH);
            message.put(body);
        }
        (together(&self.node), message.freeze())
    }
}

/// The answers in a message of several, as far as it is one.
pub(super) fn each(mut together: Bytes) -> impl Iterator<Item = Bytes> {
    iter::from_fn(move || {
        let length = usize::try_from(together.try_get_uint(LENGTH).ok()?).ok()?;
        (length <= together.len()).then(|| together.split_to(length))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    /// What is sent of these answers, each to the node that its first number says: per
    /// message where it goes, and what it holds.
    fn sent(answers: &[(u8, Vec<u8>)]) -> Vec<(String, Vec<Bytes>)> {
        let (mut gathered, mut letters) = (Gathered::default(), Vec::new());
        for (number, (node, body)) in answers.iter().enumerate() {
            let node = format!("n.{node}.");
            letters.extend(gathered.add(&node, &format!("{node}{number}.9"), body.clone().into()));
        }
        letters.extend(gathered.take());
        assert!(gathered.is_empty());
        let read = |letter: Letter| {
            let (to, body) = letter.into_message();
            if !to.ends_with("together") {
                return (to.to_string(), vec![body]);
            }
            assert!(body.len() <= MOST_BYTES);
            (to.to_string(), each(body).collect())
        };
        letters.into_iter().map(read).collect()
    }

    #[test]
    fn those_of_one_node_go_together_and_one_alone_as_it_is() {
        let answers = [(1, b"a".to_vec()), (2, b"b".to_vec()), (1, Vec::new()), (1, b"c".to_vec())];
        let expected = [("n.1.together", vec!["a", "", "c"]), ("n.2.1.9", vec!["b"])];
        let expected =
            expected.map(|(to, bodies)| (to.to_owned(), bodies.into_iter().map(Bytes::from).collect()));
        assert_eq!(sent(&answers), expected);
    }

    #[test]
    fn large_ones_go_alone_and_too_many_nodes_one_after_the_other() {
        let large = vec![7; MOST_BYTES - LENGTH + 1];
        let lengths = |answers: &[(u8, Vec<u8>)]| {
            sent(answers).iter().map(|(_, bodies)| bodies.len()).collect::<Vec<_>>()
        };
        assert_eq!(lengths(&[(1, vec![1]), (1, large.clone()), (1, vec![2]), (1, vec![3])]), [1, 1, 2]);
        assert_eq!(lengths(&[(1, large.clone()), (2, large)]), [1, 1]);
        let half = vec![7; MOST_BYTES / 2 - LENGTH];
        assert_eq!(lengths(&[(1, half.clone()), (1, half.clone()), (1, half)]), [2, 1]);
        let nodes: Vec<_> =
            (0..=u8::MAX).take(MOST_NODES + 1).flat_map(|node| [(node, vec![1]), (node, vec![2])]).collect();
        assert_eq!(lengths(&nodes), [2; MOST_NODES + 1]);
    }

    #[test]
    fn what_is_cut_off_is_none() {
        let read = |bytes: &'static [u8]| each(Bytes::from_static(bytes)).collect::<Vec<_>>();
        assert_eq!(read(b"\0\0\0\x01a\0\0\0\x02b"), ["a"]);
        assert_eq!(read(b"\xff\xff\xff\xffa"), [""; 0]);
        assert_eq!(read(b"\0\0\0"), [""; 0]);
    }

    proptest! {
        #[test]
        fn each_answer_comes_once_to_its_node_in_order(
            answers in vec((0..20_u8, vec(any::<u8>(), 0..3000)), 0..60)
        ) {
            let sent = sent(&answers);
            for node in 0..20 {
                let its = format!("n.{node}.");
                let came = sent.iter().filter(|(to, _)| to.starts_with(&its)).flat_map(|(_, bodies)| bodies);
                let given = answers.iter().filter(|(to, _)| *to == node).map(|(_, body)| body);
                prop_assert!(came.eq(given));
            }
        }

        #[test]
        fn whatever_comes_is_read_to_its_end(bytes in vec(any::<u8>(), 0..64)) {
            let read: usize = each(bytes.clone().into()).map(|body| LENGTH + body.len()).sum();
            prop_assert!(read <= bytes.len());
        }
    }
}
