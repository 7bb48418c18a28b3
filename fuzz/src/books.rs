//! [`Books`]: what was asked, and what was answered.

use crate::replies::{self, Reply};

/// A call that was heard.
struct Asked {
    id: String,
    channel: u8,
    /// The document it came in.
    document: usize,
    answers: usize,
}

/// A document that was heard.
struct Heard {
    is_batch: bool,
    /// How many answers it wants.
    wanted: usize,
}

/// What was asked, and what was answered.
#[derive(Default)]
pub struct Books {
    asked: Vec<Asked>,
    documents: Vec<Heard>,
    /// Answers that the dialect gave by itself, and those that it should have given.
    own: [usize; 2],
    /// Those of them that say that there was no room for the answers to a batch,
    /// which may stand for answers that were given.
    no_room: usize,
    /// Whether replies were ever held back, and so may be put together otherwise.
    pub paced: bool,
    bytes_in: usize,
    bytes_out: usize,
}

/// The code of the error that answers call 0; those of the others follow.
const FIRST_CODE: i64 = 1000;
/// The code of the error in place of an answer to a call in a batch.
const NO_ROOM: i64 = -32008;
/// What a reply may have besides its id.
const REPLY: usize = 400;

impl Books {
    /// Enters a document of `len` bytes.
    pub fn heard(&mut self, len: usize, is_batch: bool, wanted: usize) {
        self.bytes_in += len;
        self.documents.push(Heard { is_batch, wanted });
    }

    /// Enters that `count` answers are up to the dialect.
    pub fn owed(&mut self, count: usize) {
        self.own[1] += count;
    }

    /// Enters a call in the last document; its number.
    pub fn asked(&mut self, id: &str, channel: u8) -> usize {
        let document = self.documents.len() - 1;
        self.asked.push(Asked { id: id.to_owned(), channel, document, answers: 0 });
        self.asked.len() - 1
    }

    /// The result that answers call `number`.
    #[must_use]
    pub fn result(number: usize) -> String {
        format!(r#"{{"call":{number}}}"#)
    }

    /// The code of the error that answers call `number`.
    ///
    /// # Panics
    ///
    /// Panics if there are more calls than codes.
    #[must_use]
    pub fn code(number: usize) -> i64 {
        FIRST_CODE + i64::try_from(number).expect("few calls")
    }

    /// Enters a document that was sent.
    ///
    /// # Panics
    ///
    /// Panics if it is not well-formed, or not what it should be.
    pub fn sent(&mut self, channel: u8, document: &[u8]) {
        self.bytes_out += document.len();
        let (is_array, replies) = replies::read(document);
        let no_room = self.no_room;
        let mut numbers = Vec::new();
        for reply in &replies {
            numbers.extend(self.answered(reply, channel));
        }
        if self.paced || (numbers.is_empty() && self.no_room > no_room) {
            return;
        }
        // what the dialect answers by itself is in what was heard last
        let document = match numbers.first() {
            Some(number) => self.asked[*number].document,
            None => self.documents.len() - 1,
        };
        let heard = &self.documents[document];
        assert_eq!(is_array, heard.is_batch, "an array answers an array");
        assert_eq!(replies.len(), heard.wanted, "all answers to a batch come together");
        assert!(numbers.iter().all(|number| self.asked[*number].document == document));
        assert!(numbers.is_sorted(), "in the order of the calls");
    }

    /// Enters a reply; the number of the call that it answers.
    fn answered(&mut self, reply: &Reply<'_>, channel: u8) -> Option<usize> {
        let number = match reply.outcome {
            Ok(result) => result
                .strip_prefix(r#"{"call":"#)
                .and_then(|rest| rest.strip_suffix('}')?.parse().ok())
                .unwrap_or_else(|| panic!("{result} is no result of ours")),
            Err(code @ FIRST_CODE..) => usize::try_from(code - FIRST_CODE).expect("a number of ours"),
            Err(code) => {
                assert!(
                    matches!(code, -32700 | -32600 | -32007 | NO_ROOM | -32010),
                    "{code} out of the blue"
                );
                self.own[0] += 1;
                self.no_room += usize::from(code == NO_ROOM);
                return None;
            }
        };
        let asked = &mut self.asked[number];
        asked.answers += 1;
        assert_eq!((reply.id, channel), (&*asked.id, asked.channel), "an answer goes where it belongs");
        Some(number)
    }

    /// Closes them.
    ///
    /// # Panics
    ///
    /// Panics if they do not balance, or more was said than what was asked is worth.
    pub fn close(&self) {
        let mut replaced = 0;
        for asked in &self.asked {
            let is_lost = asked.answers == 0 && replaced < self.no_room;
            replaced += usize::from(is_lost);
            assert!(is_lost || asked.answers == 1, "call {} of document {}", asked.id, asked.document);
        }
        let own = self.own[0] - replaced;
        assert_eq!(own, self.own[1], "answers that the dialect gave by itself, and should have");
        let answers = self.asked.len() + own;
        assert!(self.bytes_out <= self.bytes_in + answers * REPLY, "{} bytes out", self.bytes_out);
        assert!(answers <= self.bytes_in + self.documents.len());
    }
}
