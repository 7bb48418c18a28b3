//! What a connection brings: read into a buffer, cut into frames, heard.

use super::{Driver, Reading, Step};
use crate::{
    conversation::{Turn, not_run},
    link::Ended,
    peer::{
        ours::{cut_short, heard, nobody_answers_any_more},
        scratch, unanswered,
    },
};
use std::{
    pin::Pin,
    task::{Context as TaskContext, Poll},
    time::Instant,
};
use tokio::io::{AsyncRead, ReadBuf};
use trunkline_core::{
    Input, Signal,
    framing::{Cut, Goodbye},
};

impl Driver {
    /// Handles what has arrived, frame by frame.
    pub(super) fn listen(&mut self, budget: &mut usize, turn: Turn<'_>) -> Step {
        while matches!(self.reading, Reading::Open | Reading::Ended) {
            let starts = self.may_start();
            if *budget == 0 || (!starts && !self.may_hear()) {
                // it is not the far side that keeps us waiting for the rest of a message
                self.times.between();
                return Step::Stopped;
            }
            let before = self.output.outbox.len();
            let mut cut = match self.reading {
                Reading::Open => self.framing.cut(&mut self.input, &mut self.output.outbox),
                _ => self.framing.finish(&mut self.input),
            };
            // frames and signals are wide: they are looked at where they are
            match &mut cut {
                Ok(Cut::Frame(frame)) => {
                    *budget -= 1;
                    self.times.between();
                    let (mut recut, mut leaves) = (false, false);
                    loop {
                        let said = self.conversation.dialect.hear(frame, &mut self.output.outbox);
                        let Some(signal) = &said else { break };
                        let taken = match starts {
                            true => self.conversation.take(signal, &mut self.output.outbox, turn),
                            false => self.conversation.put_off(signal, &mut self.output.outbox, turn),
                        };
                        match said {
                            Some(Signal::Several) => {
                                recut = true;
                                break;
                            }
                            Some(Signal::Leave) => {
                                leaves = true;
                                break;
                            }
                            Some(signal) if !taken => heard(&self.shared, signal),
                            _ => {}
                        }
                    }
                    if recut {
                        self.framing.recut(&mut self.input);
                    }
                    if leaves {
                        self.end(Ended::Here, Goodbye::Told);
                        return Step::Done;
                    }
                    self.refusals = match starts {
                        true => 0,
                        false => self.refusals + self.output.outbox.len().saturating_sub(before),
                    };
                }
                Ok(Cut::Partial { .. }) if self.reading == Reading::Ended => self.reading = Reading::Done,
                Ok(Cut::Partial { missing }) => {
                    if self.input.is_empty() && !self.framing.is_inside() {
                        self.times.between();
                    } else {
                        self.times.inside(turn.now);
                    }
                    self.make_room(*missing);
                    return Step::Done;
                }
                Ok(Cut::Oversize { channel, limit, head }) => {
                    *budget -= 1;
                    let dialect = &mut self.conversation.dialect;
                    match dialect.oversize(*channel, *limit, head, &mut self.output.outbox) {
                        Some(Signal::Feed { call, outcome }) => {
                            self.conversation.feed(call, &outcome, &mut self.output.outbox, turn);
                        }
                        Some(lost) => heard(&self.shared, lost),
                        None => {}
                    }
                }
                Ok(Cut::Handled) => *budget -= 1,
                Ok(end @ (Cut::End | Cut::Drained)) => {
                    if matches!(end, Cut::Drained) {
                        nobody_answers_any_more(&self.shared, &not_run());
                    }
                    // a far side that has hung up hears no more; one that has only
                    // said all it has to say still waits for its answers
                    if self.reading == Reading::Open {
                        self.conversation.clear();
                    }
                    self.ending.get_or_insert(Ended::ByPeer);
                    self.reading = Reading::Done;
                }
                Ok(_) => {}
                Err(unframed) => {
                    nobody_answers_any_more(&self.shared, &cut_short(unframed));
                    self.end(Ended::Unframed(unframed.reason), unframed.goodbye);
                    return Step::Done;
                }
            }
        }
        Step::Done
    }

    /// Room for the rest of a message, as much at a time as has come already:
    /// what a stranger announces is not believed.
    fn make_room(&mut self, missing: usize) {
        if !self.input.is_empty() {
            let least = missing.clamp(4 << 10, self.input.len().max(scratch::SIZE));
            self.input.room(least);
        }
    }

    /// Reads once. `false`: nothing there at present.
    pub(super) fn read(&mut self, cx: &mut TaskContext<'_>, now: Instant) -> Result<bool, Ended> {
        if self.input.is_empty() && self.input.capacity() == 0 {
            self.input = Input::with_buffer(scratch::lend());
        }
        let mut buffer = ReadBuf::new(self.input.room(1));
        match Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
            Poll::Pending => Ok(false),
            Poll::Ready(Err(error)) => Err(Ended::Broken(error)),
            Poll::Ready(Ok(())) => {
                let count = buffer.filled().len();
                self.input.arrived(count);
                self.times.heard(now);
                match self.reading {
                    Reading::Lingering(_) => {
                        self.input.consume(count);
                        if count == 0 {
                            return Err(Ended::ByPeer);
                        }
                    }
                    _ if count == 0 => {
                        self.reading = Reading::Ended;
                        nobody_answers_any_more(&self.shared, &unanswered());
                    }
                    _ => {}
                }
                Ok(true)
            }
        }
    }

    /// Gives the read buffer back, as far as nothing waits in it.
    pub(super) fn settle(&mut self) {
        if self.input.capacity() == 0 {
            return;
        }
        let capacity = self.input.capacity();
        let oversized = capacity == scratch::SIZE || capacity > 2 * scratch::SIZE;
        if self.input.is_empty() || (oversized && self.input.len() < scratch::SIZE / 2) {
            scratch::give_back(self.input.release());
        }
        self.conversation.shrink();
    }
}
