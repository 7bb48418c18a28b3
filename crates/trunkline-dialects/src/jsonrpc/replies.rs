//! [`Replies`]: the answers of batches under way, and answers that are held back.

/// Where a reply belongs, packed into the tag of a call id.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Place {
    /// The channel the request came on.
    pub(super) channel: u8,
    /// The batch it was in, and where in it.
    pub(super) batch: Option<(usize, usize)>,
}

impl Place {
    /// A batch has fewer items than fit in 24 bits, and batches are counted in the 32 above.
    pub(super) fn pack(self) -> u64 {
        let batch = self.batch.map_or(0, |(batch, item)| ((batch as u64 + 1) << 32) | (item as u64) << 8);
        batch | u64::from(self.channel)
    }

    #[expect(clippy::cast_possible_truncation, reason = "the parts are cut out of the tag")]
    pub(super) fn unpack(tag: u64) -> Self {
        let batch = (tag >> 32).checked_sub(1).map(|batch| (batch as usize, (tag >> 8) as usize & 0xff_ffff));
        Self { channel: tag as u8, batch }
    }
}

/// The answers to a batch, as they become complete.
#[derive(Debug, Default)]
pub(super) struct BatchReply {
    channel: u8,
    /// Answers in the order in which they came.
    text: Vec<u8>,
    /// Where in `text` the answer to each item stands.
    answers: Vec<std::ops::Range<usize>>,
    /// Items that have no answer yet, and one for a batch still being heard.
    open: usize,
    /// Whether an answer was too much, so that what is left need not run.
    over: bool,
}

/// Batches under way. There are few at a time, so a place that is free is looked for.
#[derive(Debug, Default)]
pub(super) struct Batches {
    places: Vec<Option<BatchReply>>,
    /// Bytes of answers that are kept for all of them.
    kept: usize,
}

impl Batches {
    /// Begins a batch; it stays open until [`heard`](Self::heard).
    pub(super) fn begin(&mut self, channel: u8) -> usize {
        let batch = Some(BatchReply { channel, open: 1, ..BatchReply::default() });
        match self.places.iter().position(Option::is_none) {
            Some(free) => {
                self.places[free] = batch;
                free
            }
            None => {
                self.places.push(batch);
                self.places.len() - 1
            }
        }
    }

    /// Adds an item that will be answered, and says which it is.
    pub(super) fn item(&mut self, batch: usize) -> usize {
        let Some(Some(batch)) = self.places.get_mut(batch) else { return 0 };
        batch.open += 1;
        batch.answers.push(0..0);
        batch.answers.len() - 1
    }

    /// Whether `more` bytes can be kept besides those of all batches under way. If
    /// not, the batch is over, and of what is left of it each item is told so.
    pub(super) fn admit(&mut self, batch: usize, more: usize, limit: usize) -> bool {
        let fits = self.kept + more <= limit;
        if let Some(Some(reply)) = self.places.get_mut(batch) {
            reply.over |= !fits;
        }
        fits
    }

    /// Whether a batch is over.
    pub(super) fn is_over(&self, batch: usize) -> bool {
        self.places.get(batch).and_then(Option::as_ref).is_some_and(|reply| reply.over)
    }

    /// Keeps the answer to an item; gives the whole reply if that was the last.
    pub(super) fn answer(&mut self, batch: usize, item: usize, answer: &[u8]) -> Option<BatchReply> {
        if let Some(Some(reply)) = self.places.get_mut(batch) {
            let start = reply.text.len();
            reply.text.extend_from_slice(answer);
            self.kept += answer.len();
            if let Some(place) = reply.answers.get_mut(item) {
                *place = start..reply.text.len();
            }
        }
        self.heard(batch)
    }

    /// One thing less to wait for; gives the whole reply if that was the last.
    pub(super) fn heard(&mut self, batch: usize) -> Option<BatchReply> {
        let place = self.places.get_mut(batch)?;
        place.as_mut()?.open -= 1;
        let whole = place.take_if(|reply| reply.open == 0)?;
        self.kept -= whole.text.len();
        Some(whole)
    }
}

impl BatchReply {
    pub(super) fn channel(&self) -> u8 {
        self.channel
    }

    /// Whether nothing in the batch wanted an answer.
    pub(super) fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    /// Appends the answers, in the order of their requests, with commas between.
    pub(super) fn write_items(&self, out: &mut Vec<u8>) {
        out.reserve(self.text.len() + self.answers.len());
        for (at, answer) in self.answers.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            out.extend_from_slice(&self.text[answer.clone()]);
        }
    }
}

/// Answers held back until the next write, because the far side takes whatever
/// one read gives it for one document. They leave as one array.
#[derive(Debug, Default)]
pub(super) struct Held(Vec<HeldChannel>);

#[derive(Debug)]
struct HeldChannel {
    channel: u8,
    /// Whether what is held is more than one answer that stands alone.
    several: bool,
    text: Vec<u8>,
}

impl Held {
    /// Bytes of answers that are held.
    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|held| held.text.len()).sum()
    }

    /// Holds an answer.
    pub(super) fn hold(&mut self, channel: u8, answer: &[u8]) {
        self.on(channel).extend_from_slice(answer);
    }

    /// Holds the answers of a batch, which leave as an array also where they are but one.
    pub(super) fn hold_batch(&mut self, reply: &BatchReply) {
        reply.write_items(self.on(reply.channel));
        if let Some(held) = self.0.iter_mut().find(|held| held.channel == reply.channel) {
            held.several = true;
        }
    }

    /// Where the next answer of a channel goes.
    fn on(&mut self, channel: u8) -> &mut Vec<u8> {
        let at = self.0.iter().position(|held| held.channel == channel).unwrap_or_else(|| {
            self.0.push(HeldChannel { channel, several: false, text: Vec::new() });
            self.0.len() - 1
        });
        let held = &mut self.0[at];
        if !held.text.is_empty() {
            held.several = true;
            held.text.push(b',');
        }
        &mut held.text
    }

    /// The next channel's answers as one document.
    pub(super) fn release(&mut self) -> Option<(u8, Vec<u8>)> {
        let HeldChannel { channel, several, text } = self.0.pop()?;
        Some((channel, if several { [b"[", &*text, b"]"].concat() } else { text }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_its_tag() {
        for batch in [None, Some((0, 0)), Some((3, 1023)), Some((1 << 20, 1 << 20))] {
            for channel in [0, 7] {
                let place = Place { channel, batch };
                assert_eq!(Place::unpack(place.pack()), place);
            }
        }
    }
}
