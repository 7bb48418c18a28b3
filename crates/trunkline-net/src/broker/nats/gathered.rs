//! [`Gathered`]: requests and answers that are sent together.
//!
//! To send a message, to pass it on and to take it costs each end and the server more than
//! most calls do. So answers that are given to one node in one moment are one message, and
//! requests for one procedure are fewer messages than they are: of each first its length,
//! four bytes with the highest in front, then itself. One that has no company goes as it is.
//!
//! A message goes to one of those who serve a procedure, with all that is in it. So that they
//! share what there is, requests of one moment are [so many](APART) messages at least, if there
//! are as many, and there are [few](MOST_IN_ONE) in each.

use super::subject::{several, together};
use async_nats::{Subject, message::OutboundMessage};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use std::{iter, mem};

/// How many bytes are gathered at most, unless one has more by itself.
const MOST_BYTES: usize = 16 << 10;

/// How many places there are at most to which what is gathered goes.
const MOST_PLACES: usize = 64;

/// In how many messages at least requests for one procedure go, if there are as many of them.
const APART: usize = 16;

/// How many requests are in one message at most.
const MOST_IN_ONE: usize = 4;

/// How many bytes the subject of several requests has at most, with the address of their
/// answers. Both stand in the line of a message, of which servers take 4 KiB, or 1 KiB if they
/// are old.
const MOST_LINE: usize = 960;

/// How many bytes say how long a part is.
const LENGTH: usize = 4;

/// Requests and answers that wait for others, to be sent with them.
#[derive(Default)]
pub(super) struct Gathered {
    answers: Vec<Answers>,
    requests: Vec<Requests>,
    /// How many bytes all of them have, with their lengths.
    size: usize,
}

/// Answers to one node, one at least.
struct Answers {
    /// The address of the node.
    node: Box<str>,
    /// Where the first of them goes if it stays alone.
    reply_to: Subject,
    bodies: Vec<Bytes>,
}

/// Requests for one procedure, one at least.
struct Requests {
    to: Subject,
    /// Each with the address that its answer goes to.
    parts: Vec<(Subject, Bytes)>,
}

/// A message, and how many requests or answers are in it.
pub(super) type Parcel = (usize, OutboundMessage);

impl Gathered {
    pub(super) fn is_empty(&self) -> bool {
        self.size == 0
    }

    /// Whether one more may be added that has so many bytes; else what there is goes first. The
    /// server takes messages of `max_payload` bytes at most.
    pub(super) fn has_room(&self, bytes: usize, max_payload: usize) -> bool {
        // what is too large for all waits alone
        self.is_empty()
            || self.size + LENGTH + bytes <= MOST_BYTES.min(max_payload)
                && self.answers.len() + self.requests.len() < MOST_PLACES
    }

    /// Adds an answer to a node, which goes to `reply_to` if it stays alone.
    pub(super) fn answer(&mut self, node: &str, reply_to: &str, body: Bytes) {
        self.size += LENGTH + body.len();
        match self.answers.iter_mut().find(|answers| *answers.node == *node) {
            Some(answers) => answers.bodies.push(body),
            None => self.answers.push(Answers {
                node: node.into(),
                reply_to: reply_to.into(),
                bodies: vec![body],
            }),
        }
    }

    /// Adds a request that is to be answered at `reply_to`.
    pub(super) fn request(&mut self, to: Subject, reply_to: Subject, body: Bytes) {
        self.size += LENGTH + body.len();
        match self.requests.iter_mut().find(|requests| requests.to == to) {
            Some(requests) => requests.parts.push((reply_to, body)),
            None => self.requests.push(Requests { to, parts: vec![(reply_to, body)] }),
        }
    }

    /// The messages that all of it is; after that there is nothing.
    pub(super) fn take(&mut self) -> Vec<Parcel> {
        let Self { answers, requests, .. } = mem::take(self);
        let requests = requests.into_iter().flat_map(Requests::into_parcels);
        requests.chain(answers.into_iter().map(Answers::into_parcel)).collect()
    }
}

impl Answers {
    fn into_parcel(self) -> Parcel {
        let Self { node, reply_to, bodies } = self;
        let (subject, payload) = match &bodies[..] {
            [alone] => (reply_to, alone.clone()),
            _ => (together(&node), joined(bodies.iter())),
        };
        (bodies.len(), OutboundMessage { subject, reply: None, payload, headers: None })
    }
}

impl Requests {
    fn into_parcels(self) -> impl Iterator<Item = Parcel> {
        let Self { to, parts } = self;
        let longest = parts.iter().map(|(reply_to, _)| reply_to.len()).max().unwrap_or(1);
        let in_one = (MOST_LINE.saturating_sub(to.len()) / longest).clamp(1, MOST_IN_ONE);
        let parcels = parts.len().div_ceil(in_one).max(APART).min(parts.len());
        (0..parcels).map(move |number| {
            let parts = &parts[number * parts.len() / parcels..(number + 1) * parts.len() / parcels];
            let (reply_to, payload) = match parts {
                [alone] => alone.clone(),
                _ => (several(parts.iter().map(|(its, _)| its)), joined(parts.iter().map(|(_, body)| body))),
            };
            let (subject, reply) = (to.clone(), Some(reply_to));
            (parts.len(), OutboundMessage { subject, reply, payload, headers: None })
        })
    }
}

fn joined<'a>(bodies: impl Iterator<Item = &'a Bytes> + Clone) -> Bytes {
    let size = bodies.clone().map(|body| LENGTH + body.len()).sum();
    let mut joined = BytesMut::with_capacity(size);
    for body in bodies {
        // several have `MOST_BYTES` at most
        joined.put_uint(body.len() as u64, LENGTH);
        joined.put_slice(body);
    }
    joined.freeze()
}

/// The parts of a message of several, as far as it is one, and no more than are ever sent.
pub(super) fn each(mut together: Bytes) -> impl Iterator<Item = Bytes> {
    let parts = iter::from_fn(move || {
        let length = usize::try_from(together.try_get_uint(LENGTH).ok()?).ok()?;
        (length <= together.len()).then(|| together.split_to(length))
    });
    parts.take(MOST_BYTES / LENGTH)
}

#[cfg(test)]
mod tests {
    use super::{
        super::subject::{Subjects, each_own},
        *,
    };
    use proptest::{collection::vec, prelude::*};
    use std::time::Duration;

    /// What is sent of these answers, each to the node that its first number says: per
    /// message where it goes, and what it holds.
    fn sent(answers: &[(u8, Vec<u8>)]) -> Vec<(String, Vec<Bytes>)> {
        let (mut gathered, mut parcels) = (Gathered::default(), Vec::new());
        for (number, (node, body)) in answers.iter().enumerate() {
            if !gathered.has_room(body.len(), usize::MAX) {
                parcels.extend(gathered.take());
            }
            let node = format!("n.{node}.");
            gathered.answer(&node, &format!("{node}{number}.9"), body.clone().into());
        }
        parcels.extend(gathered.take());
        assert!(gathered.is_empty());
        let read = |(parts, message): Parcel| {
            let (to, body) = (message.subject.to_string(), message.payload);
            if !to.ends_with("together") {
                assert_eq!(parts, 1);
                return (to, vec![body]);
            }
            assert!(body.len() <= MOST_BYTES);
            let bodies: Vec<_> = each(body).collect();
            assert_eq!(bodies.len(), parts);
            (to, bodies)
        };
        parcels.into_iter().map(read).collect()
    }

    /// What is sent of so many requests with ids of this length, that are made in one moment:
    /// what each message asks, by its addresses and what it holds.
    fn asked(count: usize, length: usize, to: &str) -> Vec<Vec<(String, Bytes)>> {
        let mut gathered = Gathered::default();
        let subjects = Subjects::of("n");
        let node = subjects.inbox(7);
        for number in 0..count {
            let address = node.answer(&format!("{number:0length$}"), Duration::MAX);
            gathered.request(to.into(), address, number.to_string().into());
        }
        let read = |(parts, message): Parcel| {
            let (reply_to, payload) = (message.reply.unwrap(), message.payload);
            assert!(to.len() + reply_to.len() <= MOST_LINE || parts == 1);
            let node = subjects.node(&reply_to).unwrap();
            let its = |own: &str| [node, own].concat();
            let together: Vec<_> = each_own(node, &reply_to).map(its).zip(each(payload.clone())).collect();
            assert_eq!(together.len().max(1), parts);
            if together.is_empty() { vec![(reply_to.to_string(), payload)] } else { together }
        };
        gathered.take().into_iter().map(read).collect()
    }

    #[test]
    fn requests_are_spread_and_all_of_them_are_there() {
        let (short, long) = ("s", "s".repeat(700));
        for (count, length, to, messages) in [
            (1, 32, short, 1),
            (APART, 32, short, APART),
            (APART + 1, 32, short, APART),
            (APART * MOST_IN_ONE, 32, short, APART),
            (200, 32, short, 50),
            (200, 32, &long, 100),
            (40, 300, short, 20),
            (40, 300, &long, 40),
            (40, 2000, short, 40),
        ] {
            let asked = asked(count, length, to);
            assert_eq!(asked.len(), messages, "{count} requests");
            let all: Vec<_> = asked.into_iter().flatten().collect();
            assert_eq!(all.len(), count);
            for (number, (address, body)) in all.iter().enumerate() {
                assert_eq!(*body, number.to_string());
                assert!(address.ends_with(&format!("{number}.never")), "{address}");
            }
        }
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
            (0..=u8::MAX).take(MOST_PLACES + 1).flat_map(|node| [(node, vec![1]), (node, vec![2])]).collect();
        assert_eq!(lengths(&nodes), [vec![2; MOST_PLACES - 1], vec![1, 1, 2]].concat());
    }

    #[test]
    fn what_is_cut_off_is_none() {
        let read = |bytes: &'static [u8]| each(Bytes::from_static(bytes)).collect::<Vec<_>>();
        assert_eq!(read(b"\0\0\0\x01a\0\0\0\x02b"), ["a"]);
        assert_eq!(read(b"\xff\xff\xff\xffa"), [""; 0]);
        assert_eq!(read(b"\0\0\0"), [""; 0]);
        // nobody is kept busy by more than are ever sent
        assert_eq!(each(vec![0; 2 * MOST_BYTES].into()).count(), MOST_BYTES / LENGTH);
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
